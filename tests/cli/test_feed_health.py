"""One word for how a feed does: a house with a feed of every health, and every face that tells of feeds."""

import csv
import io
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from starlette.testclient import TestClient

from schemas.records import HealthWord, Page
from schemas.wire_feeds import Feed
from services.analysis import ages, health
from services.exporter.collector import HouseCollector
from services.serve import create_app
from services.settings import Settings
from services.store import feeds
from services.store.pool import Store
from tests.api import seeded
from tests.cli.test_commands import Run, run, with_database

__all__ = ["run", "with_database"]
THEN = datetime(2016, 12, 14, 23, 5, tzinfo=UTC)
MADE: Mapping[HealthWord, str] = {
    "failing": "failures = 3, last_reason = 'timeout', last_error = 'no answer', heard_until = now()",
    "late": "heard_until = now() - interval '9 hours'",
    "warning": "warning = 'posts were missed', heard_until = now()",
    "new": "added_at = now()",
    "replaying": f"clock = 'feed', heard_until = '{THEN}'",
    "heard": "heard_until = now()",
    "paused": "state = 'paused', heard_until = now() - interval '60 days'",
    "ended": f"state = 'ended', clock = 'feed', heard_until = '{THEN}'",
}
"""What makes a feed do so."""
TITLES: Mapping[HealthWord, str] = dict(
    zip(MADE, ("Ash", "Birch", "Cedar", "Dill", "Elm", "Fir", "Gorse", "Hazel"), strict=True)
)
"""Names in which no word of the list occurs."""


@pytest.fixture
def numbers(store: Store) -> dict[HealthWord, int]:
    """The number of the feed of each health."""
    found: dict[HealthWord, int] = {}
    now = datetime.now(UTC)
    with store.transaction() as tx:
        for word, set_to in MADE.items():
            address = f"https://{TITLES[word].lower()}.example.org/"
            found[word], _ = feeds.add_feed(
                tx, source="rss", address=address, title=TITLES[word], now=now - timedelta(days=90), interval_s=900
            )
            tx.execute(f"update feeds set {set_to} where feed_id = %s", (found[word],))
    return found


@pytest.fixture
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "220")


def test_every_word_can_be_had_and_is_told_the_api_with_its_meaning() -> None:
    assert tuple(MADE) == health.ORDER == get_args(HealthWord)
    about = Feed.model_json_schema()["properties"]["health"]
    assert about["enum"] == list(health.ORDER)
    assert [word for word in health.ORDER if f"`{word}`" not in about["description"]] == []


@pytest.mark.usefixtures("with_database", "wide")
def test_the_terminal_says_it(run: Run, numbers: dict[HealthWord, int]) -> None:
    for command in ("status", "feeds list"):
        told = run(*command.split())[1]
        for word, title in TITLES.items():
            line = next(x for x in told.splitlines() if title in x or f"{title.lower()}.example.org" in x)
            assert words_in(line) == [word], line
            if word in ("replaying", "ended"):
                assert "14 Dec 2016 23:05" in line
            if word == "paused":
                assert re.search(r"\d+ [A-Z][a-z]{2} 20\d\d", line), f"an age of months is a date: {line}"
    known = json.loads(run("feeds", "list", "--json")[1])
    standing = json.loads(run("status", "--json")[1])["database"]["feeds"]
    for rows in (known, standing):
        assert {f["feed_id"]: f["health"] for f in rows} == {n: word for word, n in numbers.items()}
    first = next(x for x in run("top", "--once")[1].splitlines() if x.startswith("8 feeds"))
    assert first.strip() == "8 feeds: " + ", ".join(f"1 {word}" for word in health.ORDER)


def test_the_web_says_it(database_url: str, numbers: dict[HealthWord, int]) -> None:
    here = "http://127.0.0.1:8787"
    with TestClient(create_app(Settings(database_url=database_url)), base_url=here) as web:
        listed = web.get("/api/v1/feeds").json()["feeds"]
        table = web.get("/api/v1/feeds", headers={"accept": "text/csv"}).text
        alone = {word: web.get(f"/api/v1/feeds/{number}").json()["health"] for word, number in numbers.items()}
        first, page = web.get("/").text, web.get("/feeds").text
    wanted = {number: word for word, number in numbers.items()}
    assert {f["feed_id"]: f["health"] for f in listed} == wanted
    assert {int(row["feed_id"]): row["health"] for row in csv.DictReader(io.StringIO(table))} == wanted
    assert all(word == told for word, told in alone.items())
    for word, title in TITLES.items():
        row = re.search(
            rf'<tr class="is-([a-z]+)" data-item>(?:(?!</tr>).)*<bdi>{title}</bdi>.*?</tr>', page, re.DOTALL
        )
        assert row, title
        said = re.search(r'<strong class="health" title="([^"]+)">([a-z]+)</strong>', row[0])
        assert said, title
        assert (row[1], said[2], said[1]) == (word, word, health.MEANINGS[word])
        brief = re.search(rf"<bdi>{title}</bdi></span>(.*?)</li>", first, re.DOTALL)
        assert brief, title
        assert words_in(re.sub("<[^>]+>", " ", brief[1])) == [word]
    assert ", ".join(f"1 {word}" for word in health.ORDER) in page
    assert "2 feeds need a look" in page


@pytest.mark.usefixtures("with_database", "numbers")
def test_the_digest_says_it_where_it_tells_what_was_not_heard(run: Run, store: Store) -> None:
    seeded.add_codebook(store)
    run("digest", "add", "--name", "team")
    gaps = json.loads(run("digest", "preview", "--json")[1])["gaps"]
    told = {title: word for word, title in TITLES.items()}
    assert gaps
    assert {g["feed"]: g["health"] for g in gaps} == {g["feed"]: told[g["feed"]] for g in gaps}
    for shape in ([], ["--html"]):
        text = run("digest", "preview", *shape)[1]
        shown = re.findall(r"(\w+)(?:</bdi>)?: not heard [^;<]*?(?:; now (\w+))?(?:\n|</div>)", text)
        assert shown
        assert {title: word or "heard" for title, word in shown} == {title: told[title] for title, _ in shown}


@pytest.mark.usefixtures("numbers")
def test_prometheus_is_told_it(store: Store) -> None:
    registry = CollectorRegistry()
    registry.register(HouseCollector(store, now=lambda: datetime.now(UTC)))
    lines = generate_latest(registry).decode().splitlines()
    told = dict(
        found.groups()
        for x in lines
        if (found := re.match(r'framewatch_feeds_by_health\{health="(\w+)",source="rss"\} (.*)', x))
    )
    assert told == dict.fromkeys(health.ORDER, "1.0")
    about = next(x for x in lines if x.startswith("# HELP framewatch_feeds_by_health"))
    assert [word for word in health.ORDER if f"{word}, {health.MEANINGS[word]}" not in about] == []


def test_a_feed_that_is_tried_has_a_word_too() -> None:
    now = datetime.now(UTC)
    told: dict[str, Any] = {"heard": {}, "ended": {"ended": True}, "warning": {"warning": "odd"}}
    assert {word: health.once(Page(**about), now) for word, about in told.items()} == {word: word for word in told}
    assert health.once(Page(moved_to="https://example.org/"), now) == "warning"


def test_an_age_becomes_a_date_when_days_say_nothing_more() -> None:
    now = datetime(2026, 3, 30, 12, tzinfo=UTC)
    old = now - ages.OLD
    assert (ages.ago(old, now), ages.brief(old, now)) == ("on 9 Mar 2026", "9 Mar 2026")
    young = old + timedelta(seconds=1)
    assert (ages.ago(young, now), ages.brief(young, now)) == ("20 days ago", "20 d ago")
    assert (ages.ago(now, now), ages.brief(now, now), ages.ago(None, now)) == ("just now", "0 s ago", "never")
    ahead = now + timedelta(minutes=1)
    assert (ages.ago(ahead, now), ages.brief(ahead, now)) == ("just now", "0 s ago")


def words_in(line: str) -> list[str]:
    """The words of the list that a line says."""
    return [word for word in re.findall("[a-z]+", line) if word in MADE]
