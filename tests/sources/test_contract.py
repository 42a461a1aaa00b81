"""What every kind of source must do, whatever a server sends."""

import gzip
import json
import time
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.errors import FramewatchError, PermanentError, Reason, TransientError
from services.sources import SOURCES, Means, mode_of, parse_file, read_address, source_for
from tests.fetch.servers import reply, serve
from tests.sources.kits import KITS, NOW, feed_at, fetch, post, posts_answer, source_of

pytestmark = pytest.mark.parametrize("kind", sorted(SOURCES))
FIELDS = ("id", "text", "published_at", "url", "author")
HTML = b"<!DOCTYPE html><html><head><title>Hello</title></head><body><p>News</p></body></html>"
WEIRD = ["\0", "a\0b", "\ud800", "a\udfffb", "\x07", "\u202e", "й" * 9, "x" * 3000, " ", "\n"]


def over_http(kind):
    if KITS[kind].transport != "http":
        pytest.skip(f"{kind} does not come over plain HTTP; its own tests say the same of its frames")


def able(kind, *fields):
    if missing := KITS[kind].lacks.intersection(fields):
        pytest.skip(f"the protocol of {kind} has its own words for {', '.join(sorted(missing))}")


def get(kind, body, **changes):
    over_http(kind)
    with serve(posts_answer(kind, body)) as server:
        return fetch(server, feed_at(kind, server, **changes))


def names(kind, *numbers):
    return [KITS[kind].identity(n) for n in numbers]


def in_order(kind, found):
    return list(found) if KITS[kind].ordered else sorted(found)


def fit_for_the_database(page):
    texts = [text for p in page.posts for text in (p.native_id, p.text, p.published_raw, p.url, p.author, p.lang)]
    for text in [*texts, *page.deleted, page.title, json.dumps(page.cursor, ensure_ascii=False)]:
        assert "\0" not in text
        text.encode("utf-8")
    assert all(p.native_id and p.text and len(p.native_id.encode()) <= 600 for p in page.posts)
    assert all(p.published_at is None or p.published_at.utcoffset() == timedelta(0) for p in page.posts)


def test_every_kind_has_a_kit(kind):
    assert kind in KITS


def test_a_plain_page_becomes_posts(kind):
    page = get(kind, KITS[kind].encode([post(1), post(2)]))
    assert in_order(kind, (p.native_id for p in page.posts)) == names(kind, 1, 2)
    first = next(p for p in page.posts if p.native_id == KITS[kind].identity(1))
    assert (first.text, first.url, first.author) == ("Post number 1", KITS[kind].url(1), KITS[kind].author)
    assert first.published_at == datetime(2016, 12, 11, 12, tzinfo=UTC)
    assert (page.complete, page.more, page.as_of, dict(page.dropped)) == (True, False, None, {})


def test_the_next_fetch_brings_nothing_new(kind):
    over_http(kind)
    body = KITS[kind].encode([post(n) for n in range(5)])
    with serve(posts_answer(kind, body)) as server:
        feed = feed_at(kind, server)
        first = fetch(server, feed)
        second = fetch(server, replace(feed, cursor=first.cursor), NOW + timedelta(hours=1))
    assert {p.native_id for p in second.posts} <= {p.native_id for p in first.posts}
    assert (second.complete, second.more) == (True, False)


def test_an_empty_list_is_a_page_without_posts(kind):
    page = get(kind, KITS[kind].encode([]))
    assert (page.posts, page.complete, page.more) == ((), True, False)


@pytest.mark.parametrize(
    "body", [b"", b"\0", b"\xff\xfe", b"{}", b"[]", b"garbage\n" * 9, b"<", b"null", b'{"a":' * 9999]
)
def test_garbage_is_no_post(kind, body):
    with suppress(PermanentError):
        assert get(kind, body).posts == ()


def test_the_same_post_twice_keeps_its_identity(kind):
    page = get(kind, KITS[kind].encode([post(1), post(1), post(2)]))
    assert {p.native_id for p in page.posts} == set(names(kind, 1, 2))


def test_what_cannot_become_a_post_is_counted(kind):
    able(kind, "id", "text", "published_at")
    posts = [post(1), post(2, id=None, url=None, published_at=None), post(3, text=""), post(4, text=" \0 ")]
    page = get(kind, KITS[kind].encode(posts))
    assert [p.native_id for p in page.posts] == names(kind, 1)
    assert dict(page.dropped) == {"no_identity": 1, "no_text": 2}


@pytest.mark.parametrize(
    "date",
    ["2026-13-45", "0001-01-01T00:00:00+14:00", "20000-01-01T00:00:00Z", "2026-01-01T00:00:00+99:00", "soon", "", None],
)
def test_an_impossible_date_is_no_date(kind, date):
    able(kind, "published_at")
    found = get(kind, KITS[kind].encode([post(1, published_at=date)])).posts[0]
    assert found.published_at is None
    assert found.published_raw == (date or "")


@pytest.mark.parametrize("date", ["0001-01-02T00:00:00Z", "9999-12-31T00:00:00Z", "2030-01-01T00:00:00Z"])
def test_a_date_out_of_this_world_moves_no_clock(kind, date):
    able(kind, "published_at")
    page = get(kind, KITS[kind].encode([post(1, published_at=date), post(2)]), clock="feed")
    assert page.as_of is None or page.as_of <= NOW
    fit_for_the_database(page)


@pytest.mark.parametrize("weird", WEIRD)
def test_whatever_the_fields_hold_the_database_takes_it(kind, weird):
    posts = [post(n, **{name: f"{weird}{n}"}) for n, name in enumerate(FIELDS) if name not in KITS[kind].lacks]
    page = get(kind, KITS[kind].encode([*posts, post(9, text=f"kept {weird}")]))
    fit_for_the_database(page)
    assert any(p.text.startswith("kept") for p in page.posts)


def test_a_huge_post_is_cut_and_leaves_the_others_alone(kind):
    page = get(kind, KITS[kind].encode([post(1, text="word " * 150_000), post(2)]))
    assert in_order(kind, (p.native_id for p in page.posts)) == names(kind, 1, 2)
    assert max(len(p.text.encode()) for p in page.posts) <= 64 * 1024


def test_a_compressed_answer_is_read(kind):
    over_http(kind)
    body = gzip.compress(KITS[kind].encode([post(1)]))
    with serve(posts_answer(kind, body, content_encoding="gzip")) as server:
        assert fetch(server, feed_at(kind, server)).posts


def test_a_web_page_is_refused_with_a_remedy(kind):
    with pytest.raises(PermanentError, match="web page") as caught:
        get(kind, HTML)
    assert caught.value.reason is Reason.NOT_A_FEED


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (404, Reason.NOT_FOUND),
        (410, Reason.GONE),
        (429, Reason.RATE_LIMITED),
        (500, Reason.SERVER_ERROR),
        (503, Reason.SERVER_ERROR),
    ],
)
def test_a_refusal_is_told_with_its_reason(kind, status, reason):
    over_http(kind)
    if status not in KITS[kind].statuses:
        pytest.skip(f"status {status} means something of its own to {kind}")
    answer = posts_answer(kind, b"", status, retry_after="60")
    with serve(answer) as server, pytest.raises(FramewatchError) as caught:
        fetch(server, feed_at(kind, server))
    assert caught.value.reason is reason
    assert status == 410 or caught.value.retry_after == timedelta(minutes=1)


def test_silence_is_told_as_such(kind):
    over_http(kind)
    with serve(lambda request, stream: time.sleep(0.5)) as server, pytest.raises(TransientError) as caught:
        source_of(kind, server, read_timeout=timedelta(seconds=0.1)).fetch(feed_at(kind, server), NOW)
    assert caught.value.reason is Reason.TIMEOUT


def test_a_304_is_a_complete_page_without_posts(kind):
    over_http(kind)
    if not KITS[kind].conditional:
        pytest.skip(f"{kind} has no conditional requests")
    body = KITS[kind].encode([post(1)])
    with serve(lambda r, s: s.sendall(reply(304) if "If-None-Match" in r else reply(body=body, etag='"v1"'))) as server:
        feed = feed_at(kind, server)
        first = fetch(server, feed)
        second = fetch(server, replace(feed, cursor=first.cursor), NOW + timedelta(minutes=5))
        third = fetch(server, replace(feed, cursor=second.cursor), NOW + timedelta(minutes=10))
    assert [len(p.posts) for p in (first, second, third)] == [1, 0, 0]
    assert second.complete
    assert second.cursor == third.cursor
    assert 'If-None-Match: "v1"' in server.requests[2]


def test_private_addresses_are_out_of_reach(kind):
    over_http(kind)
    with serve(reply()) as server, pytest.raises(PermanentError) as caught:
        source_of(kind).fetch(feed_at(kind, server), NOW)
    assert caught.value.reason is Reason.BLOCKED_ADDRESS
    assert server.connections == 0


@pytest.mark.parametrize(
    "cursor", [{"offset": -1}, {"offset": "x", "seen": 3, "full_at": 7, "etag": 1}, {"seen": [1, None]}]
)
def test_a_strange_cursor_does_no_harm(kind, cursor):
    assert len(get(kind, KITS[kind].encode([post(1)]), cursor=cursor).posts) == 1


def test_an_unknown_kind_is_refused_with_the_known_ones(kind):
    with pytest.raises(PermanentError, match=kind) as caught:
        source_for("carrier-pigeon", Means(None, None))
    assert caught.value.reason is Reason.UNKNOWN_KIND


def parse_safely(kind, body):
    with suppress(FramewatchError):
        page = parse_file(kind, body, "https://e.org/feed")
        fit_for_the_database(page)
        assert page.as_of is None or page.as_of.utcoffset() == timedelta(0)


def test_what_a_person_types_is_stored_in_one_form(kind):
    with serve(reply()) as server:
        canonical = read_address(kind, feed_at(kind, server).address)
    assert read_address(kind, f"  {canonical} ") == canonical
    assert mode_of(kind) in ("poll", "stream", "push")


@pytest.mark.parametrize("address", ["", "   ", "javascript:alert(1)", "http://", "\0", "x" * 5000, "ftp://e.org/x"])
def test_what_is_no_address_is_refused_when_typed(kind, address):
    if kind == "jsonl" and "://" not in address and address.strip():
        pytest.skip("a jsonl feed may be any file name")
    with pytest.raises(PermanentError) as caught:
        read_address(kind, address)
    assert caught.value.reason is Reason.BAD_ADDRESS


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=400))
def test_any_bytes_are_parsed_or_refused(kind, body):
    parse_safely(kind, body)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_damaged_page_is_parsed_or_refused(kind, data):
    body = bytearray(KITS[kind].encode([post(1), post(2, text="<b>&amp;</b>"), post(3)]))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(body)))
        cut = data.draw(st.integers(0, 20))
        noise = data.draw(
            st.binary(max_size=6) | st.sampled_from([b"<", b"]]>", b"<![CDATA[", b"&#0;", b"<item>", b"\n"])
        )
        body[at : at + cut] = noise
    parse_safely(kind, bytes(body))


@settings(max_examples=100, deadline=None)
@given(fields=st.fixed_dictionaries({name: st.none() | st.text() | st.sampled_from(WEIRD) for name in post()}))
def test_any_fields_are_parsed(kind, fields):
    parse_safely(kind, KITS[kind].encode([post(1, **fields)]))
