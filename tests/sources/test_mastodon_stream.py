"""Mastodon by listening: what was missed, posts, edits, deletes, heartbeats, reconnecting, hostile streams."""

import json
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import PermanentError, Reason, TransientError
from services.fetch import Fetcher
from services.sources import Means, stream_for
from services.sources.base import Stream
from services.sources.mastodon.places import read_place
from services.sources.mastodon.server import Server
from services.sources.mastodon.sse import MAX_EVENT, Events
from tests.fetch.servers import reply, serve
from tests.sources.kits import NOW, feed_of
from tests.sources.mastodon_instance import BREAK, instance

ENOUGH = 100
"""Pages looked at before a test gives up: some 25 seconds."""


class Hearing:
    """A stream being heard, its cursor stored page by page as the caller of a source does."""

    def __init__(self, server, cursor=None, path="/tags/news", **keys):
        source = stream_for("mastodon", Means(Fetcher(allow_networks=server.allowed), None, keys=keys))
        assert isinstance(source, Stream)
        self.stop, self.cursor, self.heard, self.gone, self.seen = False, cursor or {}, {}, [], []
        feed = feed_of("mastodon", server.url + path, cursor=json.loads(json.dumps(self.cursor)))
        self.pages = source.listen(feed, lambda: NOW, lambda: self.stop)

    def take(self):
        page = next(self.pages)
        self.cursor = json.loads(json.dumps(page.cursor))
        self.seen.append(page)
        self.gone += page.deleted
        for found in page.posts:
            self.heard[found.native_id] = found.text
        return page

    def until(self, done):
        for _ in range(ENOUGH):
            if done(self):
                return self
            self.take()
        raise AssertionError(f"never came: {self.heard} {self.gone}")


@contextmanager
def listening(site, server, cursor=None, **options):
    hearing = Hearing(server, cursor, **options)
    hearing.take()
    while site.listening.empty():
        hearing.take()
    site.listening.get()
    try:
        yield hearing
    finally:
        hearing.stop = True
        hearing.pages.close()


def test_posts_edits_and_deletes_come_as_they_happen():
    with instance() as (site, server):
        first = site.say(1)
        with listening(site, server) as hearing:
            site.say(2)
            site.say(3)
            hearing.until(lambda h: "id-3" in h.heard)
            site.tell("status.update", json.dumps(first | {"content": "<p>mended</p>"}))
            hearing.until(lambda h: h.heard["id-1"] == "mended")
            newest = hearing.cursor["newest"]
            site.tell("delete", site.timeline[1]["id"])
            site.tell("delete", "999")
            site.tell("notification", "{}")
            hearing.until(lambda h: h.gone)
            assert (hearing.gone, hearing.cursor["newest"]) == (["id-2"], newest)


def test_a_delete_in_the_same_breath_leaves_no_post_behind():
    with instance() as (site, server), listening(site, server) as hearing:
        said = json.dumps(site.say(5))
        hearing.until(lambda h: "id-5" in h.heard)
        hearing.heard.clear()
        site.send(f"event: update\ndata: {said}\n\nevent: delete\ndata: {json.loads(said)['id']}\n\n".encode())
        hearing.until(lambda h: h.gone)
        assert (hearing.heard, hearing.gone) == ({}, ["id-5"])


@pytest.mark.parametrize("change", [{"account": {}}, {"visibility": "private"}, {"content": ""}])
def test_an_edit_that_takes_the_post_back_deletes_it(change):
    with instance() as (site, server):
        first = site.say(1)
        with listening(site, server) as hearing:
            site.tell("status.update", json.dumps(first | change))
            hearing.until(lambda h: h.gone)
            assert hearing.gone == ["id-1"]


def test_what_was_missed_is_asked_for_before_listening():
    with instance() as (site, server):
        site.say(0)
        with listening(site, server) as hearing:
            site.say(1)
            hearing.until(lambda h: "id-1" in h.heard)
        for n in range(2, 120):
            site.say(n)
        with listening(site, server, hearing.cursor) as again:
            again.until(lambda h: len(h.heard) >= 118)
            behind = [p for p in again.seen if p.more]
            assert {f"id-{n}" for n in range(2, 120)} <= set(again.heard)
            assert all(p.heard_until == datetime(2016, 12, 11, 12, tzinfo=UTC) for p in behind)
            assert behind
            assert again.seen[-1].heard_until is None
    assert not any("since_id" in asked for asked in site.asked)


def test_reconnecting_asks_for_a_few_posts_not_for_the_whole_day():
    with instance() as (site, server):
        site.say(0)
        with listening(site, server) as hearing:
            for n in range(1, 300):
                site.say(n)
            hearing.until(lambda h: "id-299" in h.heard)
        site.say(300)
        with listening(site, server, hearing.cursor) as again:
            assert set(again.heard) == {f"id-{n}" for n in range(290, 301)}


def test_a_crash_before_a_page_is_stored_loses_nothing():
    with instance() as (site, server):
        site.say(0)
        with listening(site, server) as hearing:
            before = hearing.cursor
            site.say(1)
            hearing.until(lambda h: "id-1" in h.heard)  # and is lost before it is stored
        with listening(site, server, before) as again:
            again.until(lambda h: "id-1" in h.heard)


def test_a_delete_after_a_restart_still_finds_its_post():
    with instance() as (site, server):
        site.say(0)
        with listening(site, server) as hearing:
            said = site.say(1)
            hearing.until(lambda h: "id-1" in h.heard)
        site.timeline.clear()
        with listening(site, server, hearing.cursor) as again:
            site.tell("delete", said["id"])
            again.until(lambda h: h.gone)
            assert again.gone == ["id-1"]


def test_consent_holds_in_a_stream_too():
    with instance() as (site, server), listening(site, server) as hearing:
        site.say(1, account={"uri": "x"})
        site.say(2)
        hearing.until(lambda h: "id-2" in h.heard)
        assert sum(p.dropped.get("no_consent", 0) for p in hearing.seen) == 1
        assert "id-1" not in hearing.heard


def test_a_quiet_stream_still_gives_pages_and_stops_when_asked(monkeypatch):
    monkeypatch.setattr("services.sources.mastodon.events.HEARTBEAT", timedelta(seconds=1.5))
    with instance() as (site, server), listening(site, server) as hearing:
        before = hearing.cursor
        site.send(b":thump\n")
        assert (hearing.take().posts, hearing.cursor) == ((), before)
        hearing.stop = True
        assert len(list(hearing.pages)) <= 1


def test_a_stream_that_breaks_off_tells_what_it_held_first():
    with instance() as (site, server), listening(site, server) as hearing:
        site.say(1)
        site.send(BREAK)
        with pytest.raises(TransientError) as caught:
            hearing.until(lambda h: False)
        assert caught.value.reason is Reason.TRUNCATED
        assert set(hearing.heard) == {"id-1"}


def test_a_feed_that_is_switched_off_is_told_as_such():
    with instance() as (site, server):
        site.access = {"hashtag_feeds": {"local": "disabled", "remote": "disabled"}}
        with pytest.raises(TransientError, match="switched this feed off"):
            Hearing(server).take()
        said = site.say(1)
        hearing = Hearing(server)
        hearing.take()
        site.timeline.clear()
        with pytest.raises(TransientError, match="switched this feed off"):
            hearing.until(lambda h: False)
        assert said["uri"] in hearing.heard


def test_a_stream_that_ends_ends_quietly():
    with instance() as (site, server), listening(site, server) as hearing:
        site.say(1)
        site.send(None)
        rest = list(hearing.pages)
        assert [p.native_id for page in rest for p in page.posts] == ["id-1"]


def test_what_cannot_be_read_is_counted_and_the_rest_is_heard():
    with instance() as (site, server), listening(site, server) as hearing:
        site.tell("update", "{")
        site.tell("update", "[" * 90_000)
        site.tell("update", "null")
        site.say(1)
        hearing.until(lambda h: "id-1" in h.heard)
        counted = {}
        for page in hearing.seen:
            counted = {k: counted.get(k, 0) + page.dropped.get(k, 0) for k in {*counted, *page.dropped}}
        assert counted == {"bad_line": 2, "no_consent": 1}


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/tags/%D0%BD", "/api/v1/streaming/hashtag?tag=%D0%BD"),
        ("/public", "/api/v1/streaming/public"),
        ("/public/local", "/api/v1/streaming/public/local"),
        ("/public/remote", "/api/v1/streaming/public/remote"),
        ("/lists/12", "/api/v1/streaming/list?list=12"),
    ],
)
def test_each_stream_is_where_it_is_documented(path, asked):
    with instance() as (site, server), listening(site, server, path=path):
        assert asked in site.asked


def test_an_account_cannot_be_listened_to():
    with instance() as (_, server), pytest.raises(PermanentError, match="mode to poll") as caught:
        next(Hearing(server, path="/@jane").pages)
    assert caught.value.reason is Reason.BAD_CONFIG


def test_the_stream_may_live_on_another_host_and_gets_the_token():
    with instance() as (site, server), instance() as (second, elsewhere):
        site.say(1)
        site.token = second.token = "s3cret"
        site.streaming = second.url.replace("http:", "ws:")
        allowed = f"{server.allowed},{elsewhere.allowed}"
        means = Means(Fetcher(allow_networks=allowed), None, keys={"mastodon_tokens": f"{site.url[7:]}=s3cret"})
        pages = stream_for("mastodon", means).listen(
            feed_of("mastodon", site.url + "/tags/news"), lambda: NOW, lambda: not second.listening.empty()
        )
        list(pages)
    assert (second.asked, second.authorised) == (["/api/v1/streaming/hashtag?tag=news"], ["s3cret"])


@pytest.mark.parametrize(
    ("base", "named", "asked"),
    [
        ("https://a.org", "ws://b.org", "https://b.org"),
        ("https://a.org", "wss://b.org:4000", "https://b.org:4000"),
        ("http://a.org", "wss://b.org", "https://b.org"),
        ("https://a.org", "wss://u:p@b.org", "https://b.org"),
        ("https://a.org", "", "https://a.org"),
        ("https://a.org", "http://[", "https://a.org"),
        ("https://a.org", "/streaming", "https://a.org"),
    ],
)
def test_a_stream_is_never_plainer_than_its_server(base, named, asked, monkeypatch):
    server = Server(Fetcher(), "", read_place(base + "/public"))
    monkeypatch.setattr(server, "_instance", lambda: {"configuration": {"urls": {"streaming": named}}})
    assert server._stream_base() == asked


def test_a_stream_that_wants_a_token_says_how_to_get_one():
    with serve(
        lambda r, s: s.sendall(reply(401) if "/streaming/" in r else reply(body=b"{}" if "instance" in r else b"[]"))
    ) as server:
        hearing = Hearing(server)
        hearing.take()
        with pytest.raises(TransientError, match="=TOKEN") as caught:
            list(hearing.pages)
    assert caught.value.reason is Reason.NO_ACCESS


def read(pieces):
    events = Events()
    return [event for piece in pieces for event in events.feed(piece)], events.skipped()


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b":)\n\nevent: update\ndata: {}\n\n", [("update", "{}")]),
        (b"event: update\r\ndata: {}\r\n\r\n", [("update", "{}")]),
        (b"event:update\ndata:a\ndata: b\nid: 7\nretry\n\n", [("update", "a\nb")]),
        (b"data: x\n\n", [("message", "x")]),
        (b"event: update\n\n", []),
        (b"event: update\ndata: {}\n", []),
        (b":thump\n" * 9, []),
        (b"data: \xff\n\n", [("message", "\ufffd")]),
    ],
)
def test_events_are_read_as_the_standard_writes_them(body, found):
    assert read([body])[0] == found


def test_an_endless_event_is_skipped_and_the_next_is_read():
    for piece in (b"x" * 1000, b"x" * 1000 + b"\n"):
        events = Events()
        found = [e for _ in range(2 * MAX_EVENT // 1000) for e in events.feed(piece)]
        assert len(events._rest) + sum(map(len, events._lines)) <= MAX_EVENT + 1000
        found += events.feed(b"\n\ndata: next\n\n")
        assert (found, events.skipped(), events.skipped()) == ([("message", "next")], 1, 0)


lines = st.lists(st.sampled_from([b"event: a", b"data: b", b"data:", b":c", b"", b"\r", b"x"]) | st.binary(max_size=5))


@settings(max_examples=200, deadline=None)
@given(body=lines.map(b"\n".join), cuts=st.lists(st.integers(0, 200)))
def test_how_the_bytes_are_cut_changes_nothing(body, cuts):
    at = sorted({0, len(body), *(c for c in cuts if c < len(body))})
    assert read([body[a:b] for a, b in pairwise(at)]) == read([body] if body else [])
