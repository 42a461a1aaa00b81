"""JSON lines at scale: a gzip body is unpacked once, not once a page; a server is asked for the rest only."""

import gzip
import json
import os
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.sources.jsonl.restarts import PackedFile, Restart, Restarts, Unpacking
from services.sources.jsonl.streams import Resumed, read_position
from tests.fetch.servers import serve
from tests.sources.kits import NOW, feed_of, post, source_of
from tests.sources.kits.jsonl import encode as json_lines
from tests.sources.ranged import firsts, ranged


def many(count, *, start=0, text="Post number {} of a long list"):
    """Posts whose texts do not pack well, so that a body has many packed chunks."""
    return [post(n, text=text.format(n) + os.urandom(120).hex()) for n in range(start, start + count)]


def ids(count):
    return [f"id-{n}" for n in range(count)]


def pages_of(source, feed, *, limit=99):
    """Pages until there is no more, each with the feed it was asked with."""
    for _ in range(limit):
        feed = replace(feed, cursor=json.loads(json.dumps(dict(feed.cursor))))
        page = source.fetch(feed, NOW)
        yield feed, page
        if not page.more:
            return
        feed = replace(feed, cursor=page.cursor)
    raise AssertionError("no end")


def ids_of(pages):
    return [p.native_id for _, page in pages for p in page.posts]


@given(
    st.lists(st.binary(max_size=5000), min_size=1, max_size=4),
    st.integers(1, 900),
    st.lists(st.integers(0, 20_000), max_size=5),
)
def test_unpacking_goes_on_from_every_place_it_has_passed(members, step, offsets):
    body = b"".join(members)
    packed = b"".join(gzip.compress(member) for member in members)

    def chunks(start):
        return (packed[i : i + step] for i in range(start, len(packed), step))

    whole = Unpacking(chunks(0))
    assert b"".join(whole) == body
    for offset in offsets:
        place = whole.before(offset)
        if place:
            assert place.plain <= offset
            for _ in range(2):
                assert b"".join(Unpacking(chunks(place.packed), place)) == body[place.plain :]


def test_a_long_gzip_file_is_unpacked_about_once_for_all_its_pages():
    body = os.urandom(1 << 19).hex().encode()
    packed, read, restarts = gzip.compress(body), [], Restarts()

    def chunks(start):
        for at in range(start, len(packed), 4096):
            read.append(len(packed[at : at + 4096]))
            yield packed[at : at + 4096]

    position, got = read_position({}), bytearray()
    while len(got) < len(body):
        file = PackedFile("name", restarts, chunks)
        stream = Resumed(file, position, file.seek)
        piece = bytearray()
        for chunk in stream:
            piece += chunk
            if len(piece) > 10_000:
                break
        got += piece[:10_000]
        position = stream.at(len(got))
        file.keep(position.offset)
    assert bytes(got) == body
    assert sum(read) < 3 * len(packed)


def test_old_restarts_make_room_and_strangers_find_none():
    restarts = Restarts(most=3)
    for n in range(10):
        restarts.keep("a", Restart(n, n * 100))
    assert [restarts.find("a", offset) and restarts.find("a", offset).plain for offset in (650, 750, 99_999)] == [
        None,
        700,
        900,
    ]
    assert restarts.find("b", 99_999) is None


@pytest.fixture
def packed_file(tmp_path):
    path = tmp_path / "posts.jsonl.gz"
    path.write_bytes(gzip.compress(json_lines(many(1500))))
    return path


def test_a_page_asked_for_again_is_the_same_whoever_asks(packed_file):
    feed = feed_of("jsonl", packed_file.name, options={"page": 200})
    source = source_of("jsonl", files=packed_file.parent)
    found = list(pages_of(source, feed))
    assert ids_of(found) == ids(1500)
    for asked, page in found[::-1]:
        assert source.fetch(asked, NOW).posts == page.posts
        assert source_of("jsonl", files=packed_file.parent).fetch(asked, NOW).posts == page.posts


def test_a_gzip_file_replaced_between_pages_is_never_read_with_the_old_unpacker(packed_file):
    source, feed = (
        source_of("jsonl", files=packed_file.parent),
        feed_of("jsonl", packed_file.name, options={"page": 400}),
    )
    read = pages_of(source, feed)
    next(read)
    feed, page = next(read)
    packed_file.write_bytes(gzip.compress(json_lines(many(50, start=9000, text="Something else {}"))))
    _, page = next(read)
    assert [p.native_id for p in page.posts] == [f"id-{n}" for n in range(9000, 9050)]
    packed_file.write_bytes(gzip.compress(json_lines(many(2000))))
    read = pages_of(source, replace(feed, cursor={}))
    next(read)
    feed, page = next(read)
    kept = gzip.decompress(packed_file.read_bytes())
    packed_file.write_bytes(gzip.compress(kept + json_lines(many(3, start=2000)), 1))
    assert ids_of(pages_of(source, replace(feed, cursor=page.cursor))) == ids(2003)[800:]


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_server_is_asked_for_the_rest_only(pack):
    with serve(ranged(pack(json_lines(many(1500))))) as server:
        source, feed = source_of("jsonl", server), feed_of("jsonl", server.url, options={"page": 200})
        found = list(pages_of(source, feed))
        assert ids_of(found) == ids(1500)
        wanted = firsts(server.requests)
        assert wanted[0] is None
        assert [first or 0 for first in wanted] == sorted(first or 0 for first in wanted)
        assert wanted[-1] > 100_000
        assert source.fetch(replace(feed, cursor=found[-1][1].cursor), NOW).posts == ()
        assert "If-None-Match" in server.requests[-1]
        # Another process, which has no unpacker standing anywhere.
        asked, page = found[4]
        assert source_of("jsonl", server).fetch(asked, NOW).posts == page.posts


@pytest.mark.parametrize("heeds", [True, False], ids=["heeds If-Range", "ignores If-Range"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("change", ["grown", "replaced", "shorter"])
def test_a_body_that_changes_midway_is_read_on_or_from_its_beginning(pack, change, heeds):
    first = many(1200)
    then = {
        "grown": first + many(5, start=1200),
        "replaced": many(1000, start=5000, text="Something else {}"),
        "shorter": many(40, start=5000, text="Something else {}"),
    }[change]
    bodies = [pack(json_lines(first))]
    with serve(ranged(lambda: bodies[0], heeds=heeds)) as server:
        source, feed = source_of("jsonl", server), feed_of("jsonl", server.url, options={"page": 300})
        read = pages_of(source, feed)
        before = ids_of([next(read), next(read), next(read)])
        assert firsts(server.requests)[-1]
        bodies[0] = pack(json_lines(then))
        after = ids_of(read)
    wanted = [p["id"] for p in then]
    assert before == ids(900)
    assert after == (wanted[900:] if change == "grown" else wanted)


@pytest.mark.parametrize("etag", ["", 'W/"weak"', "unquoted"])
def test_without_an_exact_version_nobody_asks_for_a_part(etag):
    with serve(ranged(json_lines(many(900)), etag=lambda _: etag, heeds=False)) as server:
        found = pages_of(source_of("jsonl", server), feed_of("jsonl", server.url, options={"page": 300}))
        assert ids_of(found) == ids(900)
        assert set(firsts(server.requests)) == {None}
