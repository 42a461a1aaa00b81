"""Posts as JSON lines, from a file below the files folder or from an HTTP server, plain or gzip.

A server that answers with X-Next-Cursor is paged by it (GET address?cursor=…, with X-As-Of and X-Ended); all
else is read on from a byte offset. Must not read files elsewhere.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from io import SEEK_END
from typing import BinaryIO
from urllib.parse import urlencode, urlsplit, urlunsplit

from schemas.errors import PermanentError, Reason
from schemas.records import Feed, Page
from services.analysis.links import web_link
from services.analysis.times import parse_time
from services.sources.base import Means, Mode
from services.sources.jsonl_pages import read_answer, read_on, refuse_markup
from services.sources.lines import Batch, read_line, split_lines
from services.sources.local_files import open_below
from services.sources.streams import is_gzip, read_position, unzipped

MODES: tuple[Mode, ...] = ("poll",)
MAX_BODY_BYTES = 4 * 1024**3
"""Largest body that is streamed to get at its end."""
_HEADERS = {"Accept": "application/x-ndjson, application/jsonl, application/json;q=0.5, */*;q=0.1"}
_PIECE = 1 << 16
_MAX_ETAG = 1000


def read_address(address: str) -> str:
    """A file name below the files folder, or an http(s) address. Raises PermanentError(BAD_ADDRESS)."""
    text = address.strip()
    scheme, separator, _ = text.partition("://")
    if not text or (separator and (scheme.lower() not in ("http", "https") or not web_link(text))):
        raise PermanentError(Reason.BAD_ADDRESS, "A jsonl feed is a file name or an http(s) address.")
    return text


def parse(body: bytes, *, address: str) -> Page:
    """The posts of a whole body, plain or gzip.

    Raises PermanentError(NOT_A_FEED) for a web page, TransientError (TRUNCATED, TOO_LARGE) for broken gzip.
    """
    batch = Batch()
    for line in split_lines(unzipped([body])):
        batch.add(read_line(line.data), None)
    refuse_markup(batch, body[:5000], address)
    return Page(posts=tuple(batch.posts), deleted=tuple(batch.deleted), dropped=dict(batch.dropped))


class JsonlSource:
    """Reads JSON lines page by page."""

    def __init__(self, means: Means) -> None:
        self._fetcher = means.fetcher
        self._files = means.files

    def fetch(self, feed: Feed, now: datetime) -> Page:
        """The next page. Raises what Fetcher.stream, open_below, read_on and read_answer raise."""
        scheme, separator, _ = feed.address.partition("://")
        if not separator:
            with open_below(self._files, feed.address) as file:
                return _read_file(feed, now, file)
        if scheme.strip().lower() not in ("http", "https"):
            raise PermanentError(Reason.BAD_ADDRESS, "A jsonl feed is a file name or an http(s) address.")
        return self._fetch_web(feed, now)

    def _fetch_web(self, feed: Feed, now: datetime) -> Page:
        asked, etag = feed.cursor.get("cursor"), feed.cursor.get("etag")
        url = feed.address if asked is None else _with_cursor(feed.address, str(asked))
        opened = self._fetcher.stream(url, etag=str(etag or ""), headers=_HEADERS, max_bytes=MAX_BODY_BYTES)
        with opened as (response, pieces):
            if response.not_modified:
                newest = parse_time(str(feed.cursor.get("newest", "")))
                return Page(cursor=feed.cursor, as_of=newest if feed.clock == "feed" else None)
            if "x-next-cursor" in response.headers:
                return read_answer(feed, now, response, pieces)
            page = read_on(feed, now, pieces)
        # Only what was read to its end may be asked for conditionally.
        at_end = page.cursor and not page.more and "speed" not in feed.options
        known = response.etag if at_end and len(response.etag) <= _MAX_ETAG else ""
        return replace(page, cursor={**page.cursor, "etag": known})


def _read_file(feed: Feed, now: datetime, file: BinaryIO) -> Page:
    packed = is_gzip(file.read(2))
    size = file.seek(0, SEEK_END)
    file.seek(0)
    if not packed and read_position(feed.cursor).offset > size:  # cut off since, or another file
        feed = replace(feed, cursor={})
    return read_on(feed, now, _chunks(file), None if packed else file.seek)


def _with_cursor(address: str, cursor: str) -> str:
    parts = urlsplit(address)
    query = "&".join(filter(None, (parts.query, urlencode({"cursor": cursor}))))
    return urlunsplit(parts._replace(query=query))


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    while chunk := file.read(_PIECE):
        yield chunk
