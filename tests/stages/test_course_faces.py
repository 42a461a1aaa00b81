"""One home, an alert in every course, and every face: all of them say the same word of an alert."""

import html
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from schemas.records import Notice
from services.analysis.courses import COURSES
from services.channels.brief import brief
from services.channels.rendering import render
from services.exporter.collector import HouseCollector
from services.serve import create_app
from services.settings import Settings
from services.store import alerts, codebooks, digesting, readings, rules, tellings
from services.store.pool import Store
from tests.api import seeded
from tests.cli.test_commands import run, with_database

__all__ = ["run", "with_database"]
HOUR = timedelta(hours=1)
FRAMES: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "staged-theatrics": ("firing", "goes on", ()),
    "ruins-in-danger": ("escalated", "goes on", ("has grown",)),
    "regime-isis-collusion": ("firing", "goes on", ("acknowledged",)),
    "russia-blames-us": ("escalated", "goes on", ("has grown", "snoozed until ")),
    "unseen-advance": ("firing", "goes on", ()),
    "liberators": ("resolved", "over", ()),
}
"""By frame: the state of its alert, and what people are told of it. One is muted, and the one that is over was
acknowledged and snoozed."""
MUTED = "unseen-advance"
IDS = {frame: f"{number:020x}" for number, frame in enumerate(FRAMES, 1)}
MACHINE = re.compile(r"\b(firing|resolved|escalat\w+)\b", re.IGNORECASE)
"""Words of programs, that no person is to read."""


@pytest.fixture
def titles(store: Store, real_now: Any) -> dict[str, str]:
    """Titles of the frames of a house in which an alert of each stands in a way of its own, by id."""
    seeded.seed_palmyra(store, "2016-12-12T15")
    with store.transaction() as tx:
        known = {f["frame"]: f for f in codebooks.list_frames(tx)}
        evidence = alerts.read_alert(tx, alerts.list_alerts(tx, limit=1)[0]["alert_id"])["evidence"]
        tx.execute("truncate alerts cascade")
        last = tx.execute("select max(bucket) as at from verdicts").fetchone()["at"]
        for frame, (state, _, _) in FRAMES.items():
            _raise(tx, known[frame], IDS[frame], (last, evidence))
            if frame in ("regime-isis-collusion", "liberators"):
                tellings.ack_alert(tx, IDS[frame], seeded.NOW, "vera")
            if frame in ("russia-blames-us", "liberators"):
                tellings.snooze_alert(tx, IDS[frame], real_now + 9 * HOUR, now=seeded.NOW, by="vera")
            tx.execute("update alerts set state = %s where alert_id = %s", (state, IDS[frame]))
        rules.add_mute(tx, frame=MUTED, feed_id=None, until=None, now=seeded.NOW, by="vera")
    return {frame: row["title"] for frame, row in known.items()}


@pytest.fixture
def real_now() -> Any:
    """The clock that faces read."""
    from services.cli import house

    return house.now()


def _raise(tx: Any, frame: Any, identity: str, known: tuple[Any, dict[str, Any]]) -> None:
    last, evidence = known
    told = {**evidence, "alert_id": identity, "kind": "burst", "reason": f"{frame['title']}: 8 voices.",
            "frame": {"id": frame["frame"], "title": frame["title"], "description": frame["description"]},
            "until": (last - 4 * HOUR).isoformat()}  # fmt: skip
    alerts.raise_alert(tx, {
        "alert_id": identity, "kind": "burst", "rule": "burst", "version_id": frame["version_id"],
        "frame": frame["frame"], "feed_id": None, "onset": last - 6 * HOUR, "last_bucket": last - 5 * HOUR,
        "evidence": told, "now": seeded.NOW,
    })  # fmt: skip


@pytest.fixture
def web(database_url: str, titles: dict[str, str]) -> Iterator[TestClient]:
    with TestClient(create_app(Settings(database_url=database_url)), base_url="http://127.0.0.1:8787") as client:
        yield client


def says(text: str, frame: str) -> None:
    """The text has the word of this frame's alert and what is told beside it, and neither other words nor marks."""
    _, word, beside = FRAMES[frame]
    found = [other for other in COURSES if re.search(rf"\b{other}\b", text)]
    assert found == [word], (frame, text)
    for mark in ("has grown", "acknowledged", "snoozed until "):
        assert (mark in text) == (mark in beside), (frame, mark, text)
    assert not MACHINE.search(text), (frame, text)


def plain(markup: str) -> str:
    """What of a page is read."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", markup)).split())


def items(page: str) -> dict[str, str]:
    """The alerts that a page lists, by id, as they are read."""
    found = re.findall(r'<li data-item><a class="open" href="/alerts/([0-9a-f]{20})">(.*?)</a></li>', page, re.DOTALL)
    return {identity: plain(markup) for identity, markup in found}


def test_every_course_is_in_the_house() -> None:
    assert {word for _, word, _ in FRAMES.values()} == set(COURSES)


def test_the_console_says_the_word_on_every_page(web: TestClient, titles: dict[str, str]) -> None:
    lists = [items(web.get("/").text), items(web.get("/alerts").text)]
    assert set(lists[1]) == set(IDS.values())
    assert lists[0]
    for frame, identity in IDS.items():
        own = items(web.get(f"/frames/palmyra-2016/{frame}").text)
        for shown in (*(found[identity] for found in lists if identity in found), own[identity]):
            says(shown.partition(" · over after ")[0], frame)
        page = web.get(f"/alerts/{identity}").text
        says(plain(page[page.index("</h1>") : page.index('<p class="why">')]).partition(", over after")[0], frame)
        assert not MACHINE.search(plain(page)), MACHINE.search(plain(page))
        assert ("it goes on" in plain(page)) == (FRAMES[frame][1] == "goes on")
        state = {"goes on": "open", "over": "over"}[FRAMES[frame][1]]
        assert identity in items(web.get(f"/alerts?state={state}").text)
    assert '"told":"burst alert, over"' in html.unescape(web.get("/frames/palmyra-2016/liberators").text)


def test_terminals_say_the_word(run: Any, with_database: Any, titles: dict[str, str]) -> None:
    for row in run("alerts", "list")[1].splitlines():
        frame = next(f for f, identity in IDS.items() if row.startswith(identity))
        says(row, frame)
    assert json.loads(run("alerts", "list", "--json")[1])[0]["state"] in ("firing", "escalated", "resolved")
    for frame, identity in IDS.items():
        shown = run("alerts", "show", identity)[1]
        first, _, rest = shown.partition("\n")
        says(first, frame)
        when = next(line for line in rest.splitlines() if line.startswith("When: "))
        assert when.endswith(f", {FRAMES[frame][1]}")
        assert not MACHINE.search(shown)
        assert ("Burst over: " in rest) == (FRAMES[frame][1] == "over")
    for text in (run("status")[1], run("top", "--once")[1]):
        assert "5 alerts go on" in text


def test_the_digest_says_the_word_in_mail_and_chat(run: Any, titles: dict[str, str], store: Store) -> None:
    with store.transaction() as tx:
        present = readings.read_frames(tx, seeded.NOW).present
        body = digesting.read_digest(tx, digesting.Edition("daily", present, present - 24 * HOUR, "UTC"))
    assert body is not None
    assert {a["alert_id"] for a in body["alerts"]} == set(IDS.values())
    notice = Notice("digest.daily.x", "digest", "", body)
    text, markup = render(notice, "")
    chat = "\n".join(brief(notice, "").lines)
    for frame, (_, word, _) in FRAMES.items():
        mail = re.findall(rf"^{re.escape(titles[frame])}: .*?(Alert [a-z ]+): 8 voices", text, re.M | re.S | re.I)
        shown = re.findall(rf"<bdi>{re.escape(titles[frame])}</bdi>.*?>(Alert [a-z ]+):</span> 8 voices", markup, re.S)
        chats = re.findall(rf"^(Alert [a-z ]+): {re.escape(titles[frame])}, since", chat, re.M)
        assert [mail[0], shown[0], *chats] == [f"Alert {word}"] * 3, frame


@pytest.mark.parametrize(("state", "word"), [("firing", "goes on"), ("escalated", "goes on"), ("resolved", "over")])
def test_messages_say_the_word(store: Store, titles: dict[str, str], state: str, word: str) -> None:
    with store.transaction() as tx:
        evidence = alerts.read_alert(tx, IDS["staged-theatrics"])["evidence"]
    notice = Notice("a:x", "alert", "", {**evidence, "state": state})
    text, markup = render(notice, "")
    for told in (text, plain(markup), "\n".join(brief(notice, "").lines)):
        assert re.search(rf"When:? [^\n]*UTC, {word}\b", told), told
        assert not MACHINE.search(told)
    assert (" over" in brief(notice, "").word) == (word == "over")


def test_feeds_and_prometheus_say_it_too(web: TestClient, titles: dict[str, str], store: Store) -> None:
    feed = web.get("/api/v1/alerts.json").json()["items"]
    atom = web.get("/api/v1/alerts.atom").text
    for frame, (_, word, _) in FRAMES.items():
        title = f"{titles[frame]}: {word}"
        assert [i["title"] for i in feed if i["id"].endswith(IDS[frame])] == [title]
        assert f"<title>{html.escape(title)}</title>" in atom
    registry = CollectorRegistry()
    registry.register(HouseCollector(store, now=lambda: seeded.NOW))
    family = next(
        f for f in text_string_to_metric_families(generate_latest(registry).decode()) if f.name == "framewatch_alerts"
    )
    assert family.documentation.endswith("firing and escalated go on, resolved are over.")
    assert sum(s.value for s in family.samples if s.labels["state"] != "resolved") == 5
