"""Events of a Mastodon stream as pages: posts, edits, deletes; what was missed is asked for first.

A delete names a post by the server's own id, while posts are kept under an id for all servers: who is who is
remembered for the posts of this stream, and the last few in the cursor. Must not store or schedule.
"""

import json
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from schemas.errors import TransientError
from schemas.records import Page
from services.sources.base import HEARTBEAT
from services.sources.mastodon.cursor import OVERLAP, before_newest
from services.sources.mastodon.posts import Statuses, order, own_id
from services.sources.mastodon.server import Server
from services.sources.mastodon.sse import Events
from services.sources.reading import at, word

Ask = Callable[[Mapping[str, Any]], tuple[Page, Statuses]]
"""Cursor → the next page by asking, and what it held."""
REMEMBERED = 20_000
"""Posts of one stream whose deletes can be told: some 4 MB."""
IN_CURSOR = 50
"""Posts whose deletes can still be told after a restart."""
_GATHER_S = 1.0
_MOST = 50


@dataclass(slots=True)
class _Folding:
    """What came since the last page, and the cursor after it."""

    cursor: dict[str, Any]
    consent: str
    known: OrderedDict[str, str]
    found: Statuses = field(default_factory=Statuses)
    deleted: list[str] = field(default_factory=list)
    latest: deque[str] = field(default_factory=lambda: deque(maxlen=OVERLAP + 1))
    """The server's ids of the last posts of this stream, kept or not."""

    def take(self, name: str, data: str) -> None:
        """Fold in one event; events of other kinds mean nothing to us."""
        if name == "delete":
            self._forget(data.strip())
        elif name in ("update", "status.update"):
            self._take_status(data, is_new=name == "update")

    def remember(self, ids: Mapping[str, str]) -> None:
        """Keep which post each of the server's ids stands for."""
        self.known.update(ids)
        while len(self.known) > REMEMBERED:
            self.known.popitem(last=False)

    def held(self) -> int:
        """How much the next page will tell."""
        return len(self.found.posts) + len(self.deleted) + self.found.dropped.total()

    def page(self) -> Page:
        """All since the last page; starts anew."""
        found, deleted = self.found, self.deleted
        self.cursor["recent"] = dict([*self.known.items()][-IN_CURSOR:])
        self.found, self.deleted = Statuses(), []
        return Page(tuple(found.posts), dict(self.cursor), tuple(deleted), dropped=dict(+found.dropped))

    def _take_status(self, data: str, *, is_new: bool) -> None:
        try:
            status = json.loads(data)
        except (ValueError, RecursionError):
            self.found.dropped["bad_line"] += 1
            return
        kept, own = self.found.add(status, self.consent), own_id(status)
        if kept:
            self.remember({own: self.found.ids[own]})
        else:
            self._forget(own)  # an edit that took the text, the openness or the consent away
        if is_new and own:
            self._move(own)

    def _move(self, own: str) -> None:
        self.latest.append(own)
        self.cursor["newest"] = max(word(self.cursor, "newest"), own, key=order)
        if len(self.latest) > OVERLAP:
            self.cursor |= {"back": before_newest(self.latest), "seen": {}}

    def _forget(self, own: str) -> None:
        if gone := self.known.pop(own, ""):
            self.found.posts = [p for p in self.found.posts if p.native_id != gone]
            self.deleted.append(gone)


def listen(
    server: Server, cursor: Mapping[str, Any], ask: Ask, consent: str, stopping: Callable[[], bool]
) -> Iterator[Page]:
    """Pages by asking until nothing is left, then of the stream. Raises what `ask` and Server.listen raise."""
    recent = at(cursor, "recent")
    told = {i: n for i, n in recent.items() if isinstance(n, str)} if isinstance(recent, dict) else {}
    folding = _Folding(dict(cursor), consent, OrderedDict(told))
    for page in _missed(folding, ask):
        yield page
        if stopping():
            return
    with server.listen() as pieces:
        # Once more: what was said between the last answer and the beginning of the stream.
        yield from _missed(folding, ask)
        yield from _pages(folding, pieces, stopping)


def _missed(folding: _Folding, ask: Ask) -> Iterator[Page]:
    more = True
    while more:
        page, found = ask(folding.cursor)
        folding.remember(found.ids)
        recent = dict([*folding.known.items()][-IN_CURSOR:])
        folding.cursor = {**page.cursor, "recent": recent}
        more = page.more
        times = [p.published_at for p in page.posts if p.published_at]
        # While there is more, only what has come so far has been heard.
        yield replace(page, cursor=dict(folding.cursor), heard_until=max(times, default=None) if more else None)


def _pages(folding: _Folding, pieces: Iterator[bytes], stopping: Callable[[], bool]) -> Iterator[Page]:
    events, since = Events(), time.monotonic()
    try:
        for piece in pieces:
            for name, data in events.feed(piece):
                folding.take(name, data)
            folding.found.dropped["too_large"] += events.skipped()
            if stopping():
                break
            waited, held = time.monotonic() - since, folding.held()
            due = held and (not piece or waited >= _GATHER_S or held >= _MOST)
            if due or waited >= HEARTBEAT.total_seconds() - 1:
                yield folding.page()
                since = time.monotonic()
    except TransientError:
        yield folding.page()
        raise
    yield folding.page()
