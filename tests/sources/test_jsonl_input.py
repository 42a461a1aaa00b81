"""JSON lines: where they may be read from, and what one line may hold."""

import gzip
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import PermanentError, Reason, TransientError
from services.sources.jsonl import parse
from services.sources.jsonl.lines import MAX_LINE, split_lines
from services.sources.jsonl.streams import Position, Resumed
from tests.sources.kits import NOW, feed_of, post, source_of
from tests.sources.kits.jsonl import encode as json_lines


@pytest.mark.parametrize("address", ["../secret", "/etc/passwd", "a/../../secret", "link", "folder/link", ".."])
def test_files_elsewhere_are_out_of_reach(tmp_path, address):
    (tmp_path / "secret").write_bytes(json_lines([post(1)]))
    files = tmp_path / "files"
    (files / "folder").mkdir(parents=True)
    (files / "link").symlink_to(tmp_path / "secret")
    (files / "folder" / "link").symlink_to("../../secret")
    with pytest.raises(PermanentError) as caught:
        source_of("jsonl", files=files).fetch(feed_of("jsonl", address), NOW)
    assert caught.value.reason is Reason.BLOCKED_ADDRESS


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("nothing.jsonl", Reason.NOT_FOUND),
        ("folder", Reason.BAD_ADDRESS),
        ("pipe", Reason.BAD_ADDRESS),
        ("a\0b", Reason.BAD_ADDRESS),
        ("x" * 5000, Reason.NO_ACCESS),
        ("circle", Reason.BAD_ADDRESS),
        ("ftp://e.org/x", Reason.BAD_ADDRESS),
    ],
)
def test_what_cannot_be_read_is_worded(tmp_path, address, reason):
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "circle").symlink_to("circle")
    with pytest.raises((PermanentError, TransientError)) as caught:
        source_of("jsonl", files=tmp_path).fetch(feed_of("jsonl", address), NOW)
    assert caught.value.reason is reason


def test_absolute_names_and_links_inside_the_folder_are_fine(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(json_lines([post(1)]))
    (tmp_path / "link").symlink_to("a.jsonl")
    for address in (str(tmp_path / "a.jsonl"), "link", "./x/../a.jsonl"):
        assert source_of("jsonl", files=tmp_path).fetch(feed_of("jsonl", address), NOW).posts


def test_broken_gzip_is_truncated(tmp_path):
    (tmp_path / "a.gz").write_bytes(gzip.compress(json_lines([post(n) for n in range(999)]))[:-9])
    with pytest.raises(TransientError) as caught:
        source_of("jsonl", files=tmp_path).fetch(feed_of("jsonl", "a.gz"), NOW)
    assert caught.value.reason is Reason.TRUNCATED


def test_a_gzip_bomb_without_a_line_end_stops(tmp_path):
    (tmp_path / "a.gz").write_bytes(gzip.compress(bytes(50 << 20)))
    with pytest.raises(TransientError) as caught:
        source_of("jsonl", files=tmp_path).fetch(feed_of("jsonl", "a.gz"), NOW)
    assert caught.value.reason is Reason.TOO_LARGE


def test_lines_are_judged_one_by_one():
    lines = [
        b'\xef\xbb\xbf{"id": 7, "text": "number", "lang": "en_GB", "repost_of": 12}',
        b"",
        b"  \r",
        b"not json",
        b"[1]",
        b'{"id": true, "text": "x"}',
        b'{"text": "x"}',
        b'{"id": "a"}',
        b'{"id": "a", "text": 5}',
        b'{"id": "b", "text": "x", "published_at": 1480000000, "lang": "gibberish!", "url": "javascript:x"}',
        b'{"id": "c", "deleted": true}',
        b'{"id": "d", "text": "' + b"x" * MAX_LINE + b'"}',
        b"[" * 100_000,
        b'{"id": 1' + b"0" * 5000 + b', "text": "x"}',
        b'{"id": 1.5, "text": "a\\u0000b \\ud800"}\r',
    ]
    page = parse(b"\n".join(lines), address="posts.jsonl")
    assert [p.native_id for p in page.posts] == ["7", "b", "1.5"]
    assert (page.posts[0].lang, page.posts[0].repost_of, page.posts[2].text) == ("en-GB", "12", "ab \ufffd")
    assert (page.posts[1].published_at, page.posts[1].published_raw) == (None, "1480000000")
    assert (page.posts[1].lang, page.posts[1].url) == ("", "")
    assert page.deleted == ("c",)
    assert dict(page.dropped) == {"bad_line": 5, "no_identity": 2, "no_text": 2}


@given(st.lists(st.binary(max_size=30)), st.integers(1, 40))
def test_lines_are_the_same_however_the_stream_is_cut(lines, step):
    body = b"\n".join(line.replace(b"\n", b"") for line in lines)
    found = list(split_lines(body[i : i + step] for i in range(0, len(body), step)))
    assert [line.data for line in found] == body.split(b"\n")[: len(found)]
    assert all(body[: line.end].endswith(line.data + b"\n" * line.finished) for line in found)
    assert not found or found[-1].end == len(body)


@given(st.binary(max_size=3000), st.integers(1, 999), st.integers(0, 3000), st.binary(max_size=20))
def test_a_stream_is_taken_up_where_it_was_left(body, step, offset, more):
    def chunks(data):
        return [data[i : i + step] for i in range(0, len(data), step)]

    offset = min(offset, len(body))
    first = Resumed(chunks(body), Position())
    assert b"".join(first) == body
    position = first.at(offset)
    again = Resumed(chunks(body + more), position)
    assert b"".join(again) == (body + more)[offset:]
    assert again.at(offset) == position
    assert not again.lost
    if offset:
        changed = bytes([body[0] ^ 1]) + body[1:]
        assert b"".join(Resumed(chunks(changed), position)) == changed
