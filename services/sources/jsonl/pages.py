"""Pages of JSON lines: how much of a stream is one page, and where the next one begins. Must not open anything."""

from collections.abc import Iterable
from datetime import datetime

from schemas.errors import Reason, TransientError
from schemas.records import Feed, Page
from services.analysis.times import parse_time
from services.fetch import Response
from services.sources.jsonl.lines import Batch, Line, read_line, split_lines, stated_time
from services.sources.jsonl.replay import horizon, page_size
from services.sources.jsonl.streams import Resumed, unzipped
from services.sources.rss.html import is_html, not_a_feed

MAX_PAGE_BYTES = 32 * 1024 * 1024
"""A page ends here even when it has fewer lines than allowed."""
MAX_ANSWER_LINES = 50_000
"""Lines a server that pages may send at once."""
_MAX_CURSOR = 1000


def read_on(feed: Feed, now: datetime, stream: Resumed) -> Page:
    """The next page of a stream of unpacked bytes, taken up where the feed's cursor stands.

    Raises PermanentError: NOT_A_FEED, BAD_CONFIG for an option. A stream that has become another one is read from
    its beginning.
    """
    size, until = page_size(feed.options), horizon(feed.options, now)
    batch, offset = Batch(), stream.start
    more = waiting = False
    for line in split_lines(stream, start=stream.start):
        outcome = read_line(line.data)
        stated = stated_time(outcome, now)
        more = batch.lines >= size or batch.size >= MAX_PAGE_BYTES
        waiting = bool(until and stated and stated > until)
        if more or waiting or _is_half_written(line, outcome.dropped, feed):
            break
        batch.add(outcome, stated)
        offset = line.end
    if stream.lost:
        return Page(more=True, as_of=told_before(feed))
    if not stream.start:
        refuse_markup(batch, stream.head, feed.address)
    newest = _later(batch.newest, parse_time(str(feed.cursor.get("newest", ""))) if stream.start else None)
    position = stream.at(offset)
    return Page(
        posts=tuple(batch.posts),
        cursor={
            "offset": position.offset,
            "head": position.head,
            "head_bytes": position.head_bytes,
            "newest": newest.isoformat() if newest else "",
        },
        deleted=tuple(batch.deleted),
        dropped=dict(batch.dropped),
        more=more,
        as_of=(until if waiting else newest) if feed.clock == "feed" else None,
        ended=feed.clock == "feed" and not more and not waiting,
    )


def read_answer(feed: Feed, now: datetime, response: Response, pieces: Iterable[bytes]) -> Page:
    """One answer of a server that pages by X-Next-Cursor.

    Raises TransientError(TOO_LARGE) when it holds more than MAX_ANSWER_LINES or MAX_PAGE_BYTES: what would be left
    out could not be asked for again.
    """
    batch, following = Batch(), response.headers["x-next-cursor"]
    for line in split_lines(unzipped(pieces)):
        outcome = read_line(line.data)
        batch.add(outcome, stated_time(outcome, now))
        if batch.lines > MAX_ANSWER_LINES or batch.size > MAX_PAGE_BYTES:
            raise TransientError(Reason.TOO_LARGE, "The server sends too much at once; it should send smaller pages.")
    if len(following) > _MAX_CURSOR:
        raise TransientError(Reason.TOO_LARGE, "The server's X-Next-Cursor is longer than 1,000 characters.")
    ended = response.headers.get("x-ended", "").strip().lower() == "true"
    present = parse_time(response.headers.get("x-as-of", "")) or batch.newest
    return Page(
        posts=tuple(batch.posts),
        cursor={"cursor": following},
        deleted=tuple(batch.deleted),
        dropped=dict(batch.dropped),
        more=following != feed.cursor.get("cursor") and batch.lines > 0 and not ended,
        as_of=min(present, now) if present and feed.clock == "feed" else None,
        ended=ended,
    )


def told_before(feed: Feed) -> datetime | None:
    """The present of a feed that lives in its own time, as far as the pages before this one have told it."""
    return parse_time(str(feed.cursor.get("newest", ""))) if feed.clock == "feed" else None


def refuse_markup(batch: Batch, head: bytes, address: str) -> None:
    """Raise PermanentError(NOT_A_FEED) when nothing but a web page came."""
    text = head.decode("utf-8", "replace")
    if not batch.posts and not batch.deleted and is_html(text):
        raise not_a_feed(text, address)


def _is_half_written(line: Line, dropped: str, feed: Feed) -> bool:
    """A last line without its end that cannot be read may be in the middle of being written."""
    return not line.finished and dropped == "bad_line" and feed.clock == "wall" and line.data is not None


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return max(filter(None, (one, other)), default=None)
