"""Posts that are sent to us: read like lines, named within their feed."""

import json

import pytest

from schemas.errors import PermanentError, Reason
from services.sources import parse_file
from services.sources.push import MAX_POSTS
from tests.sources.kits import post


def test_a_list_and_lines_are_the_same() -> None:
    records = [post(1), post(2, repost_of="id-1"), {"id": "id-3", "deleted": True}, {"id": 4}]
    lines = parse_file("push", "\n".join(map(json.dumps, records)).encode(), "desk")
    assert parse_file("push", json.dumps(records).encode(), "desk") == lines
    assert [p.native_id for p in lines.posts] == ["desk/id-1", "desk/id-2"]
    assert lines.posts[1].repost_of == "desk/id-1"
    assert (lines.deleted, dict(lines.dropped)) == (("desk/id-3",), {"no_text": 1})


def test_two_feeds_may_use_the_same_id() -> None:
    body = json.dumps(post(1)).encode()
    assert parse_file("push", body, "a").posts[0].native_id != parse_file("push", body, "b").posts[0].native_id


def test_too_many_are_refused_not_dropped() -> None:
    with pytest.raises(PermanentError) as caught:
        parse_file("push", b'{"id": 1, "text": "x"}\n' * (MAX_POSTS + 1), "desk")
    assert caught.value.reason is Reason.BAD_INPUT


def test_a_broken_list_is_one_bad_line() -> None:
    assert dict(parse_file("push", b'[{"id": 1', "desk").dropped) == {"bad_line": 1}
