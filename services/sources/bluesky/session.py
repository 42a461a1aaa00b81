"""One connection to one Jetstream: where it takes up, what it hears, and how far it has heard.

It must not choose the server or look anybody up.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from schemas.errors import FramewatchError, Reason, TransientError
from schemas.records import Page
from services.analysis.text import clean_line
from services.fetch import Fetcher, RefusedError, WebSocket
from services.sources.base import HEARTBEAT
from services.sources.bluesky.events import POSTS, Batch, Event, Wanted, microseconds_of, moment_of, read_frame
from services.sources.reading import word

V2_PATH, V1_PATH = "/xrpc/network.bsky.jetstream.subscribeEvents", "/subscribe"
MAX_NAMED = 100
"""More people than this make the address too long for some servers: then everybody is heard, and sorted out here."""
PAGE_EVENTS = 500
SILENCE = timedelta(seconds=60)
"""All of Bluesky says something every few milliseconds; after this long something is broken."""
SETTLED = timedelta(seconds=60)
"""When people have been silent this long after we asked for what they said before, there is nothing left of it."""
_GATHER = HEARTBEAT * 0.8
_REWIND_US = 10 * 10**6
"""Servers see events at slightly different times, and in slightly different order."""
_QUIET_US = 60 * 10**6
"""How far our clock may be ahead of a server's."""
_LIVE = timedelta(seconds=10)
_GAP_US = 60 * 10**6
_V1_KEEPS_US = 24 * 3600 * 10**6
"""A version 1 server keeps a day or so, and starts at what is left without a word."""
_LEAST_TIME_US = 10**15
"""Below this a server reads a number of its own instead of a time."""
_HANDSHAKE = timedelta(seconds=5)  # so that all servers can be tried within a worker's lease


@dataclass(frozen=True, slots=True)
class Place:
    """How far a feed has heard."""

    host: str = ""
    """Whose `seq` it is."""
    seq: int = 0
    """The last event's number at `host`; 0 when only the time is known."""
    time_us: int = 0

    @classmethod
    def read(cls, cursor: Mapping[str, Any]) -> "Place":
        """The place in a stored cursor, whose fields may hold anything."""
        host, seq, time_us = cursor.get("host"), cursor.get("seq"), cursor.get("time_us")
        if not isinstance(time_us, int) or not _LEAST_TIME_US <= time_us < 10**17:
            return cls()
        known = isinstance(host, str) and isinstance(seq, int) and 0 < seq < _LEAST_TIME_US
        return cls(str(host), int(seq or 0), time_us) if known else cls(time_us=time_us)

    def cursor(self) -> dict[str, Any]:
        """The cursor to store."""
        return {"host": self.host, "seq": self.seq, "time_us": self.time_us} if self.time_us else {}

    def asked_of(self, host: str, version: int) -> int:
        """What to ask `host` to begin with; 0 for now."""
        if version == 2 and self.seq and host == self.host:
            return self.seq  # exact: the server begins with this event, and never uses a number again
        return max(self.time_us - _REWIND_US, _LEAST_TIME_US) if self.time_us else 0


class Session:
    """Listens to `host` for what is `wanted`, from `place` on. `heard` and `place` tell how far it got."""

    def __init__(self, host: str, wanted: Wanted, place: Place, now: Callable[[], datetime]) -> None:
        self.place = place
        self.heard = False
        self._host = host
        self._wanted = wanted
        self._now = now
        self._since = now()
        self._resumed = place
        self._named = sorted(wanted.dids) if len(wanted.dids) <= MAX_NAMED else []
        self._complete = True
        self._first_us = 0
        self._live = not place.time_us
        self._last_frame = time.monotonic()

    def pages(self, fetcher: Fetcher, done: Callable[[], bool]) -> Iterator[Page]:
        """Pages until `done()`. Raises TransientError when the connection ends, SILENT when nothing comes any more;
        what was heard before is given first."""
        with ExitStack() as stack:
            stream = self._open(fetcher, stack)
            self._last_frame = time.monotonic()
            ending: TransientError | None = None
            while not ending and not done():
                batch = Batch(self._wanted)
                ending = self._gather(stream, batch)
                if not self._complete:
                    yield self._gap()
                if not ending or self.heard or batch.dropped or self.place != self._resumed:
                    yield self._page(batch)  # but a server that opened and closed was not heard at all
            if ending:
                raise ending

    def _open(self, fetcher: Fetcher, stack: ExitStack) -> WebSocket:
        try:
            return self._connect(fetcher, stack, 2)
        except RefusedError as error:
            if error.reason is Reason.NOT_FOUND:
                age = microseconds_of(self._since) - self.place.time_us
                self._complete = not self.place.time_us or age < _V1_KEEPS_US
                return self._connect(fetcher, stack, 1)
            if not _too_old(error):
                raise
        # By time instead of by number, the server begins with the oldest event that it still has.
        self._complete, self.place = False, replace(self.place, seq=0)
        return self._connect(fetcher, stack, 2)

    def _connect(self, fetcher: Fetcher, stack: ExitStack, version: int) -> WebSocket:
        people, collections = ("dids", "collections") if version == 2 else ("wantedDids", "wantedCollections")
        asked = [(collections, POSTS), *((people, did) for did in self._named)]
        if begin := self.place.asked_of(self._host, version):
            asked.append(("cursor", str(begin)))
        url = f"{self._host}{V2_PATH if version == 2 else V1_PATH}?{urlencode(asked)}"
        return stack.enter_context(fetcher.websocket(url, timeout=_HANDSHAKE))

    def _gather(self, stream: WebSocket, batch: Batch) -> TransientError | None:
        """Fill `batch` until it is a page's worth or a heartbeat is due; the error that ended the stream, if any."""
        until = time.monotonic() + _GATHER.total_seconds()
        while len(batch) < PAGE_EVENTS and (left := until - time.monotonic()) > 0:
            try:
                frame = stream.receive(left)
            except TransientError as error:
                return error
            if frame is None:
                break
            self._last_frame = time.monotonic()
            event = read_frame(frame)
            if not (event and self._known(event)):
                batch.add(event)
            if event and (ending := self._note(event)):
                return ending
        if self._busy and self._silent(SILENCE):
            return TransientError(Reason.SILENT, f"{self._host} has sent nothing for a minute.")
        return None

    @property
    def _busy(self) -> bool:
        return not self._named and not self._wanted.small

    def _silent(self, how_long: timedelta) -> bool:
        return time.monotonic() - self._last_frame > how_long.total_seconds()

    def _known(self, event: Event) -> bool:
        return self._host == self._resumed.host and 0 < event.seq <= self._resumed.seq

    def _note(self, event: Event) -> TransientError | None:
        """Take notice of where `event` stands; an error when it ends the stream."""
        if event.kind == "error":
            said = clean_line(f"{word(event.said, 'error')}: {word(event.said, 'message')}", limit_bytes=200)
            return TransientError(Reason.SERVER_ERROR, f"{self._host} ended the stream ({said}).")
        if event.kind == "info":
            return self._note_info(word(event.said, "name"))
        if event.time_us < _LEAST_TIME_US:
            return None
        late = event.time_us - self._resumed.time_us > _GAP_US
        if self._busy and not self.heard and self._resumed.time_us and late:
            self._complete = False
        self.heard, self._first_us = True, self._first_us or event.time_us
        self.place = Place(self._host, event.seq, event.time_us)
        return None

    def _note_info(self, name: str) -> TransientError | None:
        if name == "OutdatedCursor":
            self._complete = False
        if name == "FutureCursor":  # the server counts anew; by time it can still be asked for what it has
            self.place = replace(self.place, seq=0)
            return TransientError(Reason.TRUNCATED, f"{self._host} does not know our place in its stream any more.")
        return None

    def _gap(self) -> Page:
        """A gap that ends with the first event, or now, told by a page without posts: one that claims to be from
        long ago would make the gap look smaller than it is."""
        self._complete = True
        if not self._first_us:
            return Page(cursor=self.place.cursor(), complete=False)
        cursor = Place(time_us=self._first_us).cursor()
        return Page(cursor=cursor, complete=False, heard_until=moment_of(self._first_us))

    def _page(self, batch: Batch) -> Page:
        now = self._now()
        latest = moment_of(self.place.time_us) if self.place.time_us else self._since
        near = now - latest <= _LIVE
        self._live = self._live or (self.heard and near) or self._silent(SETTLED)
        passed = microseconds_of(now) - _QUIET_US
        if self._live and not self._busy and passed > self.place.time_us:
            # They said nothing: the place moves on, so that a long silence does not look like a gap.
            self.place = Place(time_us=passed)
        return Page(
            deleted_in_order=True,
            posts=tuple(batch.posts.values()),
            cursor=self.place.cursor(),
            deleted=tuple(batch.deleted),
            deleted_authors=tuple(batch.deleted_authors),
            dropped=dict(batch.dropped),
            heard_until=None if near or (self._live and not self._busy) else latest,
        )


def _too_old(error: FramewatchError) -> bool:
    said = error.said if isinstance(error, RefusedError) else b""
    try:
        return word(json.loads(said), "error") == "CursorTooOld"
    except (ValueError, RecursionError):
        return False
