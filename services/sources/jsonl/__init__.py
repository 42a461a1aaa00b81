"""Posts as JSON lines, from a file below the files folder or from an HTTP server, plain or gzip.

A server that answers with X-Next-Cursor is paged by it (GET address?cursor=…, with X-As-Of and X-Ended); all
else is read on from a byte offset, which servers that know ranges are asked for. Must not read files elsewhere.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from io import SEEK_END
from os import fstat
from typing import BinaryIO
from urllib.parse import urlencode, urlsplit, urlunsplit

from schemas.errors import PermanentError, Reason, TransientError
from schemas.records import Feed, Page
from services.analysis.links import web_link
from services.fetch import Response
from services.sources.base import Means, Mode
from services.sources.jsonl.lines import Batch, read_line, split_lines
from services.sources.jsonl.local_files import open_below
from services.sources.jsonl.pages import read_answer, read_on, refuse_markup, told_before
from services.sources.jsonl.ranges import Rest, rest_of, resumed, version_of
from services.sources.jsonl.restarts import PackedFile, Restarts
from services.sources.jsonl.streams import Resumed, is_gzip, read_position, unzipped

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
    """Reads JSON lines page by page.

    It keeps where its unpackers stood, which saves it from unpacking a gzip body from the beginning for each page;
    nothing else rests on that.
    """

    def __init__(self, means: Means) -> None:
        self._fetcher = means.fetcher
        self._files = means.files
        self._restarts = Restarts()

    def fetch(self, feed: Feed, now: datetime) -> Page:
        """The next page. Raises what Fetcher.stream, open_below, read_on and read_answer raise."""
        scheme, separator, _ = feed.address.partition("://")
        if not separator:
            with open_below(self._files, feed.address) as file:
                return self._read_file(feed, now, file)
        if scheme.strip().lower() not in ("http", "https"):
            raise PermanentError(Reason.BAD_ADDRESS, "A jsonl feed is a file name or an http(s) address.")
        return self._fetch_web(feed, now)

    def _read_file(self, feed: Feed, now: datetime, file: BinaryIO) -> Page:
        packed = is_gzip(file.read(2))
        size = file.seek(0, SEEK_END)
        file.seek(0)
        if packed:
            return self._read_packed(feed, now, file)
        if read_position(feed.cursor).offset > size:  # cut off since, or another file
            feed = replace(feed, cursor={})
        return read_on(feed, now, Resumed(_chunks(file), read_position(feed.cursor), file.seek))

    def _read_packed(self, feed: Feed, now: datetime, file: BinaryIO) -> Page:
        state = fstat(file.fileno())
        identity = (state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns)
        unpacked = PackedFile(identity, self._restarts, lambda offset: _chunks(file, offset))
        page = read_on(feed, now, Resumed(unpacked, read_position(feed.cursor), unpacked.seek))
        unpacked.keep(read_position(page.cursor).offset)
        return page

    def _fetch_web(self, feed: Feed, now: datetime) -> Page:
        asked, etag = feed.cursor.get("cursor"), feed.cursor.get("etag")
        url = feed.address if asked is None else _with_cursor(feed.address, str(asked))
        rest = None if etag else rest_of(feed.address, feed.cursor, self._restarts)
        # A compressed answer has an ETag and offsets of its own: whoever wants a part must not let it be compressed.
        midway = {"Accept-Encoding": "identity"} if not etag and read_position(feed.cursor).offset else {}
        headers = _HEADERS | midway | (rest.headers if rest else {})
        try:
            opened = self._fetcher.stream(url, etag=str(etag or ""), headers=headers, max_bytes=MAX_BODY_BYTES)
            with opened as (response, pieces):
                return self._read_answer(feed, now, response, pieces, rest)
        except TransientError as error:
            if rest and error.reason is Reason.REFUSED:  # 416: it has fewer bytes than it had
                return _from_the_whole(feed)
            raise

    def _read_answer(
        self, feed: Feed, now: datetime, response: Response, pieces: Iterator[bytes], rest: Rest | None
    ) -> Page:
        if response.not_modified:
            return Page(cursor=feed.cursor, as_of=told_before(feed))
        if "x-next-cursor" in response.headers:
            return read_answer(feed, now, response, pieces)
        came = rest and rest.is_in(response)
        if response.status == 206 and not came:
            return _from_the_whole(feed)
        stream, unpacking = resumed(feed.cursor, pieces, rest if came else None)
        page = read_on(feed, now, stream)
        # Only what was read to its end may be asked for conditionally, and only what was not has a rest.
        at_end = page.cursor and not page.more and "speed" not in feed.options
        if at_end or not page.cursor:
            known = response.etag if at_end and len(response.etag) <= _MAX_ETAG else ""
            return replace(page, cursor={**page.cursor, "etag": known})
        version = version_of(response)
        restart = unpacking.before(read_position(page.cursor).offset) if unpacking else None
        if version and restart:
            self._restarts.keep((feed.address, version), restart)
        return replace(page, cursor={**page.cursor, "version": version, "packed": unpacking is not None})


def _from_the_whole(feed: Feed) -> Page:
    """The server's part is not the one we are in the middle of: ask for everything next time."""
    return Page(cursor={**feed.cursor, "version": ""}, more=True, as_of=told_before(feed))


def _with_cursor(address: str, cursor: str) -> str:
    parts = urlsplit(address)
    query = "&".join(filter(None, (parts.query, urlencode({"cursor": cursor}))))
    return urlunsplit(parts._replace(query=query))


def _chunks(file: BinaryIO, start: int = 0) -> Iterator[bytes]:
    file.seek(start)
    while chunk := file.read(_PIECE):
        yield chunk
