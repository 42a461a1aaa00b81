"""One home, a frame in every state, and every face: all of them say the same word of a frame."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from schemas.records import Notice
from services.analysis.conditions import CONDITIONS
from services.analysis.tabling import csv_table
from services.channels.brief import brief
from services.channels.rendering import render
from services.exporter.collector import HouseCollector
from services.serve import create_app
from services.settings import Settings
from services.store import alerts, codebooks, readings
from services.store.pool import Store
from tests.api import seeded
from tests.cli.test_commands import run, with_database

__all__ = ["run", "with_database"]
BOOK = "palmyra-2016"
FRAMES: dict[str, tuple[str, str | None, str]] = {
    "staged-theatrics": ("ok", "burst", "on alert"),
    "ruins-in-danger": ("burst", "burst", "on alert"),
    "regime-isis-collusion": ("insufficient coverage", "burst", "on alert"),
    "russia-blames-us": ("ok", "coordinated", "on alert"),
    "unseen-advance": ("burst", None, "burst"),
    "aleppo-diversion": ("ok", None, "calm"),
    "liberators": ("learning", None, "learning"),
    "hospitals-not-isis": ("insufficient coverage", None, "too little heard"),
}
"""By frame: the verdict on its last hour, the kind of the alert that goes on, and the word that people are told."""
WORDS = {frame: word for frame, (_, _, word) in FRAMES.items()}
HOUR = timedelta(hours=1)


@pytest.fixture
def titles(store: Store) -> dict[str, str]:
    """Titles of the frames of a house in which each is in a state of its own, by id."""
    seeded.seed_palmyra(store, "2016-12-12T15")
    with store.transaction() as tx:
        known = {f["frame"]: f for f in codebooks.list_frames(tx)}
        evidence = alerts.read_alert(tx, alerts.list_alerts(tx, limit=1)[0]["alert_id"])["evidence"]
        tx.execute("update alerts set state = 'resolved', last_bucket = onset - interval '9 days'")
        last = tx.execute("select max(bucket) as at from verdicts").fetchone()["at"]
        for number, (frame, (state, kind, _)) in enumerate(FRAMES.items()):
            tx.execute("update verdicts set state = %s where frame = %s and bucket = %s", (state, frame, last))
            if kind is not None:
                _raise(tx, known[frame], (f"{number:020x}", kind, last), evidence)
    return {frame: row["title"] for frame, row in known.items()}


def _raise(tx: Any, frame: Any, about: tuple[str, str, Any], evidence: dict[str, Any]) -> None:
    identity, kind, last = about
    told = {**evidence, "alert_id": identity, "kind": kind, "frame": {k: frame[k] for k in ("title", "description")} | {
        "id": frame["frame"]}, "until": (last - 4 * HOUR).isoformat()}  # fmt: skip
    alerts.raise_alert(tx, {
        "alert_id": identity, "kind": kind, "rule": "burst", "version_id": frame["version_id"], "frame": frame["frame"],
        "feed_id": None, "onset": last - 6 * HOUR, "last_bucket": last - 5 * HOUR, "evidence": told, "now": seeded.NOW,
    })  # fmt: skip


@pytest.fixture
def web(database_url: str, titles: dict[str, str]) -> Iterator[TestClient]:
    with TestClient(create_app(Settings(database_url=database_url)), base_url="http://127.0.0.1:8787") as client:
        yield client


def shown(html: str) -> str:
    """The first state on a page, or part of one."""
    found = re.search(r'class="state state-[a-z-]+">([a-z ]+)<', html)
    assert found, html
    return found[1]


def test_every_condition_is_in_the_house() -> None:
    assert set(WORDS.values()) == set(CONDITIONS)


def test_the_api_and_its_table_say_the_word(web: TestClient, titles: dict[str, str]) -> None:
    told = web.get("/api/v1/frames").json()["frames"]
    assert {f["frame"]: f["condition"] for f in told} == WORDS
    assert {f["frame"]: f["state"] for f in told} == {frame: state for frame, (state, _, _) in FRAMES.items()}
    table = web.get("/api/v1/frames", headers={"accept": "text/csv"}).text
    assert "condition" in table.splitlines()[0]
    assert table.count(csv_table(["w"], [{"w": "on alert"}]).splitlines()[1]) >= 4


def test_the_console_says_the_word_on_every_page(web: TestClient, titles: dict[str, str]) -> None:
    first = web.get("/").text
    for frame, word in WORDS.items():
        place = first.index(f'<h2><a class="open" href="/frames/{BOOK}/{frame}">')
        assert shown(first[place:]) == word, frame
        assert shown(web.get(f"/frames/{BOOK}/{frame}").text) == word, frame
    for number, (frame, (_, kind, word)) in enumerate(FRAMES.items()):
        if kind is not None:
            page = web.get(f"/alerts/{number:020x}").text
            assert shown(page[page.index("The frame now") :]) == word, frame
    headline = re.search(r"<h1>([^<]+)</h1>", first)
    assert headline
    assert headline[1].endswith("are on alert.")
    assert "last burst 12 Dec" in first


def test_terminals_say_the_word(run: Any, with_database: Any, titles: dict[str, str], monkeypatch: Any) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    for text in (run("top", "--once", "--frames", "20")[1], run("status")[1]):
        for frame, word in WORDS.items():
            if titles[frame] in text:
                line = next(row for row in text.splitlines() if row.startswith(titles[frame]))
                assert line.removeprefix(titles[frame]).strip().startswith(word), frame
        assert sum(title in text for title in titles.values()) >= 5
        assert "on alert since 12 Dec" in text
    _, told, _ = run("top", "--json", "--frames", "20")
    assert {word for word in WORDS.values() if f'"condition": "{word}"' in told} == set(CONDITIONS)


def test_the_digest_says_the_word_in_mail_and_chat(
    run: Any, with_database: Any, titles: dict[str, str], store: Store
) -> None:
    from services.store.digesting import Edition, read_digest

    with store.transaction() as tx:
        present = readings.read_frames(tx, seeded.NOW).present
        body = read_digest(tx, Edition("daily", present, present - 24 * HOUR, "UTC"))
    assert body is not None
    assert {f["id"]: f["condition"] for f in body["frames"]} == WORDS
    notice = Notice("digest.daily.x", "digest", "", body)
    text, html = render(notice, "")
    chat = brief(notice, "").lines
    for frame, word in WORDS.items():
        title = titles[frame]
        rows = [row for row in text.splitlines() if row.startswith(f"{title}: ")]
        assert any(word in row for row in rows) or (word == "calm" and rows), (title, rows)
        others = set(CONDITIONS) - {word}
        assert not [o for row in rows for o in others if f", {o}" in row or row == f"{title}: {o}"], rows
        assert any(row.startswith(f"{title}: {word}, ") for row in chat), chat
        part = html[html.index(f"<bdi>{title}</bdi>") :][:900]
        assert word in part or word == "calm", title


def test_prometheus_is_told_the_word(store: Store, titles: dict[str, str]) -> None:
    registry = CollectorRegistry()
    registry.register(HouseCollector(store, now=lambda: seeded.NOW))
    families = text_string_to_metric_families(generate_latest(registry).decode())
    told = {
        s.labels["frame"]: s.labels["condition"]
        for family in families for s in family.samples if s.name == "framewatch_frame_condition" and s.value == 1
    }  # fmt: skip
    assert told == WORDS
