"""JSON lines: pages, resuming, replay."""

import gzip
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from schemas.errors import PermanentError, Reason, TransientError
from services.sources.jsonl.replay import horizon
from tests.fetch.servers import reply, serve
from tests.sources.kits import NOW, feed_of, fetch, post, source_of
from tests.sources.kits.jsonl import encode as json_lines

START = datetime(2016, 12, 11, tzinfo=UTC)


def at(hours, number=None):
    stated = (START + timedelta(hours=hours)).isoformat()
    return post(hours if number is None else number, published_at=stated)


def read_all(source, feed, *, now=NOW, limit=99):
    """Pages until there is no more, with their ids."""
    pages = []
    for _ in range(limit):
        pages.append(source.fetch(replace(feed, cursor=json.loads(json.dumps(feed.cursor))), now))
        feed = replace(feed, cursor=pages[-1].cursor)
        if not pages[-1].more:
            return pages, [p.native_id for page in pages for p in page.posts]
    raise AssertionError("no end")


@pytest.fixture(params=["posts.jsonl", "posts.jsonl.gz"])
def file(request, tmp_path):
    """A file of ten posts, plain or gzip, and a way to rewrite it."""

    def write(posts):
        data = json_lines(posts)
        path = tmp_path / request.param
        path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
        return path

    write([at(n) for n in range(10)])
    return tmp_path / request.param, write


def test_a_file_is_read_page_by_page_to_its_end(file):
    path, _ = file
    source = source_of("jsonl", files=path.parent)
    feed = feed_of("jsonl", path.name, clock="feed", options={"page": 4})
    pages, ids = read_all(source, feed)
    assert ids == [f"id-{n}" for n in range(10)]
    assert [len(page.posts) for page in pages] == [4, 4, 2]
    assert [page.as_of for page in pages] == [START + timedelta(hours=n) for n in (3, 7, 9)]
    assert [page.ended for page in pages] == [False, False, True]
    again = source.fetch(replace(feed, cursor=pages[-1].cursor), NOW)
    assert (again.posts, again.ended, again.as_of) == ((), True, START + timedelta(hours=9))


def test_a_page_that_ends_with_the_file_says_so_at_once(file):
    path, _ = file
    page = source_of("jsonl", files=path.parent).fetch(
        feed_of("jsonl", path.name, clock="feed", options={"page": 10}), NOW
    )
    assert (page.more, page.ended) == (False, True)


def test_a_file_that_grows_is_read_on_and_one_that_was_replaced_from_its_beginning(file):
    path, write = file
    source, feed = source_of("jsonl", files=path.parent), feed_of("jsonl", path.name)
    pages, _ = read_all(source, feed)
    assert (pages[-1].ended, pages[-1].as_of) == (False, None)
    feed = replace(feed, cursor=pages[-1].cursor)
    write([at(n) for n in range(13)])
    pages, ids = read_all(source, feed)
    assert ids == ["id-10", "id-11", "id-12"]
    feed = replace(feed, cursor=pages[-1].cursor)
    write([post(n, author="another") for n in range(50, 70)])
    pages, ids = read_all(source, feed)
    assert ids == [f"id-{n}" for n in range(50, 70)]
    write([post(n, author="another") for n in range(50, 60)])
    _, ids = read_all(source, replace(feed, cursor=pages[-1].cursor))
    assert ids in ([], [f"id-{n}" for n in range(50, 60)])


def test_a_half_written_line_waits_for_its_end(tmp_path):
    whole = json_lines([post(1), post(2)])
    path = tmp_path / "a.jsonl"
    source, feed = source_of("jsonl", files=tmp_path), feed_of("jsonl", "a.jsonl")
    path.write_bytes(whole[:-20])
    pages, ids = read_all(source, feed)
    assert (ids, dict(pages[-1].dropped)) == (["id-1"], {})
    path.write_bytes(whole[:-1])
    pages, ids = read_all(source, replace(feed, cursor=pages[-1].cursor))
    assert ids == ["id-2"]
    path.write_bytes(whole + json_lines([post(3)]))
    _, ids = read_all(source, replace(feed, cursor=pages[-1].cursor))
    assert ids == ["id-3"]
    path.write_bytes(whole[:-20])
    assert dict(source.fetch(replace(feed, clock="feed"), NOW).dropped) == {"bad_line": 1}


def test_a_replay_releases_what_has_happened_by_then(file):
    path, _ = file
    source = source_of("jsonl", files=path.parent)
    options = {"speed": 3600, "started_at": NOW.isoformat(), "from": START.isoformat()}
    feed = feed_of("jsonl", path.name, clock="feed", options=options)
    steps = []
    for seconds in (0, 2, 2, 3.5, 60):
        page = source.fetch(feed, NOW + timedelta(seconds=seconds))
        feed = replace(feed, cursor=page.cursor)
        steps.append((len(page.posts), (page.as_of - START) / timedelta(hours=1), page.ended, page.more))
    assert steps == [
        (1, 0, False, False),
        (2, 2, False, False),
        (0, 2, False, False),
        (1, 3.5, False, False),
        (6, 9, True, False),
    ]


def test_a_full_page_of_a_replay_promises_no_more_than_it_holds(file):
    path, _ = file
    options = {
        "speed": 10**9,
        "started_at": (NOW - timedelta(days=1)).isoformat(),
        "from": START.isoformat(),
        "page": 4,
    }
    page = source_of("jsonl", files=path.parent).fetch(feed_of("jsonl", path.name, clock="feed", options=options), NOW)
    assert (page.more, page.as_of) == (True, START + timedelta(hours=3))


def test_a_post_from_the_far_future_does_not_stop_a_replay(file):
    path, write = file
    write([at(0), post(1, published_at="9999-01-01T00:00:00Z"), at(1, number=2)])
    options = {"speed": 3600, "started_at": NOW.isoformat(), "from": START.isoformat()}
    feed = feed_of("jsonl", path.name, clock="feed", options=options)
    page = source_of("jsonl", files=path.parent).fetch(feed, NOW + timedelta(seconds=5))
    assert (len(page.posts), page.ended, page.as_of) == (3, True, START + timedelta(hours=1))


@pytest.mark.parametrize(
    "options",
    [
        {"speed": 0, "started_at": "2016-12-11", "from": "2016-12-11"},
        {"speed": True, "started_at": "2016-12-11", "from": "2016-12-11"},
        {"speed": float("nan"), "started_at": "2016-12-11", "from": "2016-12-11"},
        {"speed": 1, "from": "2016-12-11"},
        {"speed": 1, "started_at": "2016-12-11", "from": "2026-13-45"},
        {"page": 0},
        {"page": "many"},
        {"page": True},
    ],
)
def test_options_that_mean_nothing_are_refused(file, options):
    path, _ = file
    with pytest.raises(PermanentError, match="option") as caught:
        source_of("jsonl", files=path.parent).fetch(feed_of("jsonl", path.name, options=options), NOW)
    assert caught.value.reason is Reason.BAD_CONFIG


def test_no_speed_is_too_fast():
    options = {"speed": 1e300, "started_at": START.isoformat(), "from": START.isoformat()}
    assert horizon(options, NOW).year == 9999


@pytest.mark.parametrize("packed", [False, True])
def test_a_body_on_the_web_is_read_on_from_where_we_were(packed):
    posts = [post(n) for n in range(10)]

    def answer(request, stream):
        data = json_lines(posts)
        stream.sendall(reply(body=gzip.compress(data) if packed else data))

    with serve(answer) as server:
        source, feed = source_of("jsonl", server), feed_of("jsonl", server.url, options={"page": 4})
        pages, ids = read_all(source, feed)
        assert ids == [f"id-{n}" for n in range(10)]
        posts += [post(10)]
        pages, ids = read_all(source, replace(feed, cursor=pages[-1].cursor))
        assert ids == ["id-10"]
        posts[:] = [post(99)]
        _, ids = read_all(source, replace(feed, cursor=pages[-1].cursor))
        assert ids == ["id-99"]


def test_a_server_that_pages_is_followed_to_its_end():
    pages = {None: ([at(0), at(1)], "c/1"), "c%2F1": ([at(2)], "c2"), "c2": ([], "c2")}

    def answer(request, stream):
        asked = request.split()[1].partition("cursor=")[2] or None
        posts, following = pages[asked]
        stream.sendall(
            reply(
                body=json_lines(posts),
                X_Next_Cursor=following,
                X_As_Of="2016-12-11T06:00:00Z",
                X_Ended="true" if asked == "c2" else "",
            )
        )

    with serve(answer) as server:
        source = source_of("jsonl", server)
        found, ids = read_all(source, feed_of("jsonl", server.url + "/posts?tag=x", clock="feed"))
    assert ids == ["id-0", "id-1", "id-2"]
    assert [page.as_of for page in found] == [START + timedelta(hours=6)] * 3
    assert [page.ended for page in found] == [False, False, True]
    assert [r.split()[1] for r in server.requests] == [
        "/posts?tag=x",
        "/posts?tag=x&cursor=c%2F1",
        "/posts?tag=x&cursor=c2",
    ]


def test_a_server_that_pages_too_much_at_once_is_told_so():
    with serve(reply(body=b"{}\n" * 50_001, X_Next_Cursor="a")) as server, pytest.raises(TransientError) as caught:
        fetch(server, feed_of("jsonl", server.url))
    assert caught.value.reason is Reason.TOO_LARGE


@pytest.mark.parametrize("clock", ["wall", "feed"])
def test_what_was_not_read_to_its_end_is_not_asked_for_conditionally(clock):
    body = json_lines([at(n) for n in range(10)])

    def answer(request, stream):
        stream.sendall(reply(304) if "If-None-Match" in request else reply(body=body, etag='"v"'))

    with serve(answer) as server:
        source = source_of("jsonl", server)
        _, ids = read_all(source, feed_of("jsonl", server.url, clock=clock, options={"page": 4}))
        assert len(ids) == 10
        replay = {"speed": 3600, "started_at": NOW.isoformat(), "from": START.isoformat()}
        feed = feed_of("jsonl", server.url, clock="feed", options=replay)
        first = source.fetch(feed, NOW)
        second = source.fetch(replace(feed, cursor=first.cursor), NOW + timedelta(hours=1))
        assert (len(first.posts), len(second.posts), second.ended) == (1, 9, True)
