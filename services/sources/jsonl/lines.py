"""Posts as JSON lines: bytes → lines → posts. Pure, flat in memory, never raises for content; must not fetch.

A line is {"id", "text", "published_at", "lang"?, "author"?, "url"?, "repost_of"?, "deleted"?: true}.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from schemas.records import FetchedPost
from services.analysis.links import web_link
from services.analysis.text import clean_line, clean_text
from services.analysis.times import event_time, parse_time
from services.sources.items import language, native_id

MAX_LINE = 1_000_000
"""Longest line read, in bytes; longer ones are counted as `bad_line`."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its bytes (None when longer than MAX_LINE), where it ends, whether its line end was there."""

    data: bytes | None
    end: int
    finished: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one line came to: a post, the id of a deleted one, the reason why neither, or (a blank line) nothing."""

    post: FetchedPost | None = None
    deleted: str = ""
    dropped: str = ""
    size: int = 0


@dataclass(slots=True)
class Batch:
    """The outcomes of a run of lines, added up."""

    posts: list[FetchedPost] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)
    size: int = 0
    lines: int = 0
    newest: datetime | None = None
    """The latest believable time stated in it."""

    def add(self, outcome: Outcome, stated: datetime | None) -> None:
        """Count `outcome`; `stated` is its believable time."""
        self.lines += 1
        self.size += outcome.size
        if outcome.post:
            self.posts.append(outcome.post)
        if outcome.deleted:
            self.deleted.append(outcome.deleted)
        if outcome.dropped:
            self.dropped[outcome.dropped] += 1
        if stated and (self.newest is None or stated > self.newest):
            self.newest = stated


def split_lines(chunks: Iterable[bytes], *, start: int = 0) -> Iterator[Line]:
    """The lines of a stream whose first byte is byte `start` of the whole."""
    pending, size, end = bytearray(), 0, start
    for chunk in chunks:
        *complete, rest = chunk.split(b"\n")
        for piece in complete:
            size += len(piece)
            end += size + 1
            yield Line(bytes(pending) + piece if size <= MAX_LINE else None, end, finished=True)
            pending, size = bytearray(), 0
        size += len(rest)
        pending = pending + rest if size <= MAX_LINE else bytearray()
    if size:
        yield Line(bytes(pending) if size <= MAX_LINE else None, end + size, finished=False)


def read_line(data: bytes | None) -> Outcome:
    """What `data` comes to; reasons are `bad_line`, `no_identity` and `no_text`."""
    if data is None:
        return Outcome(dropped="bad_line")
    if not data.strip():
        return Outcome()
    record = _record(data)
    if record is None:
        return Outcome(dropped="bad_line", size=len(data))
    identity = native_id(_name(record.get("id")))
    if not identity:
        return Outcome(dropped="no_identity", size=len(data))
    if record.get("deleted") is True:
        return Outcome(deleted=identity, size=len(data))
    text = record.get("text")
    cleaned, changes = clean_text(text) if isinstance(text, str) else ("", frozenset())
    if not cleaned.strip():
        return Outcome(dropped="no_text", size=len(data))
    return Outcome(post=replace(_post(record, identity, cleaned.strip()), cleaned=changes), size=len(data))


def stated_time(outcome: Outcome, now: datetime) -> datetime | None:
    """The time a post states, when it can be true at `now`."""
    if outcome.post is None or outcome.post.published_at is None:
        return None
    moment, quality = event_time(outcome.post.published_at, outcome.post.published_raw, now)
    return moment if quality == "stated" else None


def _record(data: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(data.decode("utf-8", "replace").removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _post(record: dict[str, Any], identity: str, text: str) -> FetchedPost:
    raw = _name(record.get("published_at"))
    return FetchedPost(
        native_id=identity,
        text=text,
        published_at=parse_time(raw),
        published_raw=clean_line(raw, limit_bytes=100),
        url=web_link(_name(record.get("url"))),
        author=clean_line(_name(record.get("author")), limit_bytes=200),
        lang=language(_name(record.get("lang"))),
        repost_of=native_id(_name(record.get("repost_of"))),
    )


def _name(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return value if isinstance(value, str) else json.dumps(value)
