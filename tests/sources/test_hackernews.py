"""Hacker News: addresses, stories and comments, paging back in time, what is gone."""

import json
import re
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from schemas.errors import FramewatchError, PermanentError, Reason
from services.fetch import Fetcher
from services.sources import Means, hackernews, parse_file, read_address
from services.sources.base import Known, Rechecking
from services.sources.stretch import OVERLAP
from tests.fetch.servers import reply, serve
from tests.sources.kits import NOW, feed_of, fetch
from tests.sources.kits.hackernews import encode

LONG_AGO = NOW - timedelta(days=2)


def hit(number, created, **fields):
    stated = {
        "objectID": str(number),
        "created_at": f"{created:%Y-%m-%dT%H:%M:%SZ}",
        "created_at_i": int(created.timestamp()),
    }
    return {**stated, "author": "pg", "title": f"Story {number}", **fields}


@contextmanager
def index(items, most=1000):
    """A search that keeps the documented rules: newest first, bounds of created_at_i, so many hits a page."""

    def answer(request, stream):
        asked = parse_qs(urlsplit(request.split(" ")[1]).query)
        found = sorted(items, key=lambda item: -item["created_at_i"])
        for sign, bound in re.findall(r"created_at_i(>=|<=)(\d+)", asked.get("numericFilters", [""])[0]):
            wanted = int(bound)
            found = [i for i in found if (i["created_at_i"] >= wanted if sign == ">=" else i["created_at_i"] <= wanted)]
        page = found[: min(most, int(asked["hitsPerPage"][0]))]
        stream.sendall(reply(body=json.dumps({"hits": page, "nbHits": len(found)}).encode()))

    with serve(answer) as server:
        yield server


def feed_at(server, address="query:Palmyra", **changes):
    return feed_of("hackernews", address, options={"api": server.url, **changes.pop("options", {})}, **changes)


def read_on(server, feed, now=NOW):
    """Every page up to one that says there is no more."""
    pages = []
    while not pages or pages[-1].more:
        pages.append(fetch(server, replace(feed, cursor=pages[-1].cursor if pages else feed.cursor), now))
        assert len(pages) < 50
    return pages


def names(pages):
    return [p.native_id for page in pages for p in page.posts]


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (" Newest", "newest"),
        ("query: Palmyra  ISIS", "query:Palmyra ISIS"),
        ('QUERY:"fall of Palmyra"', 'query:"fall of Palmyra"'),
        ("user:pg", "user:pg"),
        ("https://news.ycombinator.com/newest", "newest"),
        ("https://news.ycombinator.com", "front"),
        ("https://news.ycombinator.com/newcomments", "comments"),
        ("https://news.ycombinator.com/threads?id=pg", "user:pg"),
        ("https://news.ycombinator.com/item?id=8863", "item:8863"),
        ("https://hn.algolia.com/?dateRange=all&q=Palmyra+ISIS&type=story", "query:Palmyra ISIS"),
    ],
)
def test_a_page_of_the_site_is_an_address(typed, kept):
    assert read_address("hackernews", typed) == kept


@pytest.mark.parametrize("typed", ["oldest", "query:", "user:two words", "item:x", "https://e.org/newest", "newest:1"])
def test_other_addresses_are_refused_with_the_forms(typed):
    with pytest.raises(PermanentError, match="query:Palmyra") as caught:
        read_address("hackernews", typed)
    assert caught.value.reason is Reason.BAD_ADDRESS


@pytest.mark.parametrize(
    ("address", "tags", "query"),
    [
        ("newest", "story", ""),
        ("comments", "comment", ""),
        ("front", "front_page", ""),
        ("query:a b", "(story,comment)", "a b"),
        ("user:pg", "(story,comment),author_pg", ""),
        ("item:8863", "(story,comment),story_8863", ""),
    ],
)
def test_each_form_asks_its_own_question(address, tags, query):
    with index([]) as server:
        fetch(server, feed_at(server, address))
    asked = parse_qs(urlsplit(server.requests[0].split(" ")[1]).query, keep_blank_values=True)
    assert server.requests[0].startswith("GET /api/v1/search_by_date?")
    assert (asked["tags"], asked["query"]) == ([tags], [query])


def test_stories_and_comments_become_text():
    story = {
        "objectID": "1",
        "title": "Use <b> & win",
        "story_text": "<p>Why?<p>So &amp; so",
        "author": "a",
        "created_at": "",
    }
    comment = {"objectID": "2", "title": None, "comment_text": "I &#x27;agree&#x27;<p><i>not</i>", "author": "b"}
    ghost = {"objectID": "3", "title": None, "comment_text": None, "author": None}
    page = parse_file("hackernews", json.dumps({"hits": [story, comment, ghost, 7]}).encode(), "newest")
    assert [p.text for p in page.posts] == ["Use <b> & win\n\nWhy?\nSo & so", "I 'agree'\nnot"]
    assert page.posts[1].url == "https://news.ycombinator.com/item?id=2"
    assert dict(page.dropped) == {"no_text": 1, "no_identity": 1}


def test_more_than_a_page_since_the_last_fetch_is_read_back_without_gaps():
    items = [hit(n, LONG_AGO + timedelta(seconds=30 * n)) for n in range(1700)]
    with index(items) as server:
        feed = feed_at(server, cursor={"floor": LONG_AGO.isoformat(), "address": "query:Palmyra"})
        pages = read_on(server, feed)
        again = read_on(server, replace(feed, cursor=pages[-1].cursor), NOW + timedelta(hours=1))
    assert set(names(pages)) == {str(n) for n in range(1700)}
    assert [len(p.posts) for p in pages] == [500, 500, 500, 203]  # each begins with the last second of the one before
    assert all(p.complete for p in pages)
    assert [p.heard_until for p in pages] == [LONG_AGO, LONG_AGO, LONG_AGO, None]
    assert len(again) == 1
    assert set(names(again)) <= set(names(pages))


def test_a_crash_between_two_pages_loses_nothing():
    items = [hit(n, LONG_AGO + timedelta(seconds=30 * n)) for n in range(1300)]
    with index(items) as server:
        feed = feed_at(server, cursor={"floor": LONG_AGO.isoformat(), "address": "query:Palmyra"})
        first = fetch(server, feed)
        fetch(server, replace(feed, cursor=first.cursor))  # stored by nobody
        items.append(hit(9999, NOW))  # meanwhile
        rest = read_on(server, replace(feed, cursor=first.cursor))
        later = read_on(server, replace(feed, cursor=rest[-1].cursor))
    assert set(names([first, *rest])) == {str(n) for n in range(1300)}
    assert "9999" in names(later)


def test_a_new_feed_takes_the_newest_page_or_goes_back_as_told():
    items = [hit(n, LONG_AGO + timedelta(seconds=30 * n)) for n in range(1300)]
    with index(items) as server:
        new = read_on(server, feed_at(server))
        told = read_on(server, feed_at(server, options={"since": "2026-11-20"}))
    assert (len(new), len(names(new)), new[0].complete) == (1, 500, True)
    assert set(names(told)) == {str(n) for n in range(1300)}


def test_what_the_index_takes_in_late_is_still_found():
    items = [hit(1, NOW - timedelta(minutes=50)), hit(2, NOW)]
    with index(items) as server:
        first = fetch(server, feed_at(server))
        items.append(hit(3, NOW - OVERLAP + timedelta(minutes=1)))
        second = fetch(server, feed_at(server, cursor=first.cursor))
    assert set(names([second])) == {"1", "2", "3"}


def test_a_second_that_holds_more_than_a_page_is_a_gap_and_not_an_endless_loop():
    items = [hit(n, NOW - timedelta(minutes=5)) for n in range(900)] + [hit(5000, NOW - timedelta(minutes=6))]
    with index(items) as server:
        feed = feed_at(server, cursor={"floor": (NOW - timedelta(hours=1)).isoformat(), "address": "query:Palmyra"})
        pages = read_on(server, feed)
    assert not all(p.complete for p in pages)
    assert "5000" in names(pages)


def test_a_date_to_come_moves_no_floor():
    items = [hit(1, NOW + timedelta(days=900))]
    with index(items) as server:
        first = fetch(server, feed_at(server))
        items.append(hit(2, NOW + timedelta(minutes=1)))
        assert "2" in names([fetch(server, feed_at(server, cursor=first.cursor), NOW + timedelta(minutes=2))])


def test_the_front_page_is_a_snapshot():
    items = [hit(n, LONG_AGO) for n in range(30)]
    with index(items) as server:
        first = fetch(server, feed_at(server, "front"))
        second = fetch(server, feed_at(server, "front", cursor=first.cursor))
    assert len(first.posts) == len(second.posts) == 30
    assert (second.window, second.complete, second.more) == (True, True, False)
    assert "numericFilters" not in server.requests[1]


def test_a_cursor_of_another_address_is_not_used():
    with index([hit(1, LONG_AGO)]) as server:
        first = fetch(server, feed_at(server))
        fetch(server, feed_at(server, "query:Aleppo", cursor=first.cursor))
    assert "numericFilters" not in server.requests[1]


def test_a_date_that_cannot_be_read_is_refused():
    with index([]) as server, pytest.raises(PermanentError, match="2026-11-01"):
        fetch(server, feed_at(server, options={"since": "a while ago"}))


def test_a_refusal_in_words_is_passed_on():
    body = json.dumps({"message": "you can only fetch the 1000 hits"}).encode()
    with serve(reply(body=body)) as server, pytest.raises(PermanentError, match="only fetch the 1000"):
        fetch(server, feed_at(server))


def official(answers):
    """A server of the official interface: number of an item → its answer."""

    def answer(request, stream):
        number = re.search(r"/v0/item/(\d+)\.json", request)[1]
        status, item = answers[number]
        stream.sendall(reply(status, json.dumps(item).encode()))

    return serve(answer)


def test_deleted_and_dead_items_are_gone(monkeypatch):
    answers = {
        "1": (200, {"id": 1, "type": "story", "title": "Here"}),
        "2": (200, {"id": 2, "deleted": True, "type": "comment"}),
        "3": (200, {"id": 3, "dead": True, "title": "[flagged]"}),
        "4": (200, None),
        "5": (404, None),
    }
    with official(answers) as server:
        monkeypatch.setattr(hackernews, "OFFICIAL", server.url)
        source = hackernews.HackerNewsSource(Means(Fetcher(allow_networks=server.allowed), Path("/nonexistent")))
        assert isinstance(source, Rechecking)
        known = [Known(name, "") for name in ("1", "2", "3", "4", "5", "../x")]
        assert source.gone(known) == {"2", "3", "4", "5"}


def test_trouble_is_not_taken_for_absence(monkeypatch):
    with official({"1": (503, None)}) as server:
        monkeypatch.setattr(hackernews, "OFFICIAL", server.url)
        source = hackernews.HackerNewsSource(Means(Fetcher(allow_networks=server.allowed), Path("/nonexistent")))
        with pytest.raises(FramewatchError):
            source.gone([Known("1", "")])


def test_encode_and_parse_agree_on_dates():
    page = parse_file(
        "hackernews", encode([{"id": "1", "text": "x", "published_at": "2016-12-11T12:00:00.000Z"}]), "newest"
    )
    assert page.posts[0].published_at == datetime(2016, 12, 11, 12, tzinfo=UTC)
