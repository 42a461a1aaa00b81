"""Nostr relays with good manners and bad: paging, cursors, refusals, floods, silence, streams."""

import json
import time
from dataclasses import replace
from datetime import timedelta

import pytest

from schemas.errors import FramewatchError, PermanentError, Reason, TransientError
from services.sources import nostr, read_address
from services.sources.nostr import LEAST_LIMIT
from services.sources.nostr import relay as nostr_relay
from tests.fetch.sockets import serve_sockets, until_closed
from tests.sources.kits import NOW, feed_of, fetch, source_of
from tests.sources.kits.nostr import event, native
from tests.sources.relays import saying, small_relay

SECONDS = int(NOW.timestamp())


def feed_at(server, wanted="", **changes):
    return feed_of("nostr", read_address("nostr", server.url + wanted), **changes)


def since(server, moment):
    return feed_at(server, options={"since": moment.isoformat()})


def read_on(server, feed, now=NOW):
    pages = []
    while not pages or pages[-1].more:
        pages.append(fetch(server, replace(feed, cursor=pages[-1].cursor if pages else feed.cursor), now))
        assert len(pages) < 60
    return pages


def names(pages):
    return {p.native_id for page in pages for p in page.posts}


def test_the_next_fetch_brings_nothing_new_and_asks_an_hour_back():
    told = [event(f"n{n}", at=SECONDS - 60 * n) for n in range(5)]
    with small_relay(told) as server:
        first = fetch(server, feed_at(server))
        second = fetch(server, feed_at(server, cursor=first.cursor), NOW + timedelta(minutes=5))
    assert {p.native_id for p in second.posts} <= {p.native_id for p in first.posts}
    assert (second.complete, second.more) == (True, False)
    assert server.questions[2][0]["since"] == SECONDS - 3600
    assert server.questions[0][0]["kinds"] == [1, 6, 16]
    assert [q[0]["kinds"] for q in server.questions[1::2]] == [[5], [5]]


def test_nothing_at_all_is_a_complete_page():
    with small_relay([]) as server:
        page = fetch(server, feed_at(server))
    assert (page.posts, page.deleted, page.complete, page.more) == ((), (), True, False)
    assert page.cursor["posts"]["floor"] == NOW.isoformat()


def test_a_crash_between_two_pages_loses_nothing():
    begin = NOW - timedelta(days=1)
    told = [event(f"n{n}", at=int(begin.timestamp()) + n) for n in range(300)]
    with small_relay(told, most=25) as server:
        feed = since(server, begin)
        first = fetch(server, feed)
        fetch(server, replace(feed, cursor=first.cursor))  # stored by nobody
        told.append(event("late", at=SECONDS))
        rest = read_on(server, replace(feed, cursor=first.cursor))
        later = read_on(server, replace(feed, cursor=rest[-1].cursor))
    assert first.more
    assert names([first, *rest]) >= {native(e) for e in told[:300]}
    assert native(told[-1]) in names(later)


def test_a_second_that_holds_more_than_an_answer_is_a_gap_and_not_an_endless_loop():
    told = [event(f"n{n}", at=SECONDS - 600) for n in range(LEAST_LIMIT + 30)] + [event("older", at=SECONDS - 605)]
    with small_relay(told, most=LEAST_LIMIT) as server:
        pages = read_on(server, since(server, NOW - timedelta(hours=1)))
    assert not all(p.complete for p in pages)
    assert native(told[-1]) in names(pages)


def test_events_from_the_future_hide_nothing():
    told = [event(f"n{n}", at=SECONDS + 10**6 + n) for n in range(100)] + [event("now", at=SECONDS)]
    with small_relay(told, most=LEAST_LIMIT) as server:
        first = fetch(server, feed_at(server))
    assert names([first]) == {native(told[-1])}
    assert first.cursor["posts"]["floor"] == NOW.isoformat()


def test_deletions_are_asked_for_beside_a_hashtag():
    order = event("", kind=5, at=SECONDS - 5, tags=[("e", "a" * 64)])
    with small_relay([order]) as server:
        page = fetch(server, feed_at(server, "#t=palmyra"))
    assert len(page.deleted) == 1
    assert [q[0].get("#t") for q in server.questions] == [["palmyra"], None]


@pytest.mark.parametrize(
    ("said", "error", "reason"),
    [
        ("auth-required: members only", TransientError, Reason.NO_ACCESS),
        ("restricted: pay first", TransientError, Reason.NO_ACCESS),
        ("rate-limited: slow down", TransientError, Reason.RATE_LIMITED),
        ("error: shutting down", TransientError, Reason.SERVER_ERROR),
        ("", TransientError, Reason.SERVER_ERROR),
        ("unsupported: too many kinds", PermanentError, Reason.REFUSED),
        ("blocked: go away", PermanentError, Reason.REFUSED),
    ],
)
def test_a_closed_question_is_told_with_its_reason(said, error, reason):
    with saying(["AUTH", "x"], ["CLOSED", "SUB", said]) as server, pytest.raises(error) as caught:
        fetch(server, feed_at(server))
    assert caught.value.reason is reason
    assert said.partition(":")[2].strip() in str(caught.value)


def test_a_relay_that_never_finishes_is_told_with_its_last_words(monkeypatch):
    monkeypatch.setattr(nostr_relay, "SILENCE", 1.5)
    with saying(["NOTICE", "bad filter"]) as server, pytest.raises(TransientError, match="bad filter") as caught:
        fetch(server, feed_at(server))
    assert caught.value.reason is Reason.TIMEOUT


def test_a_relay_that_floods_is_left(monkeypatch):
    monkeypatch.setattr(nostr_relay, "MAX_EVENTS", 50)
    with saying(*[["EVENT", "SUB", {}]] * 60) as server, pytest.raises(TransientError) as caught:
        fetch(server, feed_at(server))
    assert caught.value.reason is Reason.TOO_LARGE


def test_a_relay_that_drips_is_left(monkeypatch):
    monkeypatch.setattr(nostr_relay, "LONGEST_ANSWER", 0.5)

    def drip(connection):
        question = json.loads(connection.recv())[1]
        while True:
            connection.send(json.dumps(["EVENT", question, {}]))
            time.sleep(0.02)

    with serve_sockets(drip) as server, pytest.raises(TransientError) as caught:
        fetch(server, feed_at(server))
    assert caught.value.reason is Reason.TIMEOUT


def test_garbage_between_events_is_passed_over():
    good = ["EVENT", "SUB", event("good")]
    frames = [
        "",
        "{",
        "null",
        "[]",
        "[1]",
        '["EVENT"]',
        '["EVENT","SUB"]',
        '["EVENT","other",{}]',
        b"\xff\0",
        "[" * 9999,
    ]
    with saying(*frames, good, good, ["EVENT", "SUB", 7], ["EOSE", "SUB"]) as server:
        page = fetch(server, feed_at(server))
    assert [p.text for p in page.posts] == ["good"]
    assert page.dropped["bad_event"] >= 1


@pytest.mark.parametrize("weird", ["a\0b", "\ud800", "\x07", "\u202e", "й" * 9, "word " * 40_000, " \n "])
def test_whatever_a_post_holds_the_database_takes_it(weird):
    with small_relay([event(f"kept {weird}", at=SECONDS)]) as server:
        page = fetch(server, feed_at(server))
    text = page.posts[0].text
    assert text.startswith("kept")
    assert "\0" not in text
    assert len(text.encode("utf-8")) <= 64 * 1024


@pytest.mark.parametrize(
    "cursor", [{"posts": 3}, {"posts": {"floor": "x"}}, {"posts": {"floor": None}, "deletions": []}, {"offset": -1}]
)
def test_a_strange_cursor_does_no_harm(cursor):
    with small_relay([event("x", at=SECONDS)]) as server:
        feed = feed_at(server)
        assert len(fetch(server, replace(feed, cursor={"address": feed.address, **cursor})).posts) == 1


def test_a_cursor_of_another_address_is_not_used():
    with small_relay([event("x", at=SECONDS)]) as server:
        first = fetch(server, feed_at(server))
        fetch(server, feed_at(server, "#t=syria", cursor=first.cursor))
    assert "since" not in server.questions[2][0]


def test_private_addresses_are_out_of_reach():
    with serve_sockets(until_closed) as server, pytest.raises(PermanentError) as caught:
        source_of("nostr").fetch(feed_at(server), NOW)
    assert caught.value.reason is Reason.BLOCKED_ADDRESS
    assert server.requests == []


def test_a_relay_that_hangs_up_is_told_as_such():
    with serve_sockets(lambda connection: connection.recv()) as server, pytest.raises(FramewatchError) as caught:
        fetch(server, feed_at(server))
    assert caught.value.reason is Reason.TRUNCATED


def test_errors_never_show_what_stands_behind_a_question_mark():
    with saying(["CLOSED", "SUB", "error: no"]) as server, pytest.raises(TransientError) as caught:
        fetch(server, feed_at(server, "/?token=secret"))
    assert "secret" not in str(caught.value)


def test_a_stream_hears_first_what_was_missed_then_what_comes_and_keeps_a_cursor(monkeypatch):
    monkeypatch.setattr(nostr, "HEARTBEAT", timedelta(minutes=1))
    monkeypatch.setattr(nostr, "MAX_LIVE", 3)  # a full page does not wait for the heartbeat
    with small_relay([event("old", at=SECONDS - 60)], live=[event("new", at=SECONDS), event("spam", kind=4)]) as server:
        looks = iter([False, False, True])
        pages = list(source_of("nostr", server).listen(feed_at(server), lambda: NOW, lambda: next(looks)))
    assert [[p.text for p in page.posts] for page in pages] == [["old"], ["old", "new"]]
    assert dict(pages[1].dropped) == {"not_asked": 1}
    assert pages[1].cursor["posts"] == {"floor": NOW.isoformat()}


def test_a_stream_that_is_closed_says_so():
    def talk(connection):
        for n, frame in enumerate(connection):
            message = json.loads(frame)
            if message[0] == "REQ":
                told = ["EOSE", message[1]] if n < 4 else ["CLOSED", message[1], "error: restarting"]
                connection.send(json.dumps(told))

    with serve_sockets(talk) as server, pytest.raises(TransientError, match="restarting"):
        list(source_of("nostr", server).listen(feed_at(server), lambda: NOW, lambda: False))
