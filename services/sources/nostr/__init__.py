"""Posts from one Nostr relay: asked now and then, or listened to; each checked by its author's signature.

Times are the authors' own, so an hour before the last visit is read again. Must not believe a relay, delete what
another author wrote, or follow edits (posts of these kinds have none).
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any

from schemas.errors import PermanentError, Reason
from schemas.records import Feed, FetchedPost, Page
from services.analysis.times import TOLERANCE, parse_time
from services.fetch import shown
from services.sources.base import HEARTBEAT, Means, Mode
from services.sources.nostr.address import DELETION, Wanted, read_address, split_address
from services.sources.nostr.events import Event, belongs, deleted_by, post_of, read_event
from services.sources.nostr.relay import Relay
from services.sources.reading import at, word
from services.sources.rss.html import is_html
from services.sources.stretch import OVERLAP, Stretch, heard_to, read_stretch

__all__ = ["MODES", "NostrSource", "parse", "read_address"]
MODES: tuple[Mode, ...] = ("poll", "stream")
PAGE_SIZE = 500
"""Events asked for at once; many relays give no more."""
LEAST_LIMIT = 20
"""A relay that gives fewer events than this has no more: nobody is known to cut answers off below it."""
ROUNDS = 4
"""Questions of one fetch that go further back, for posts and for deletions each; the rest follows at once."""
MAX_LIVE = 200
_MAX_LINES = 200_000


def parse(body: bytes, *, address: str) -> Page:
    """The posts and deletions in saved events, one a line, bare or as a relay sends them (`["EVENT", …]`).

    Of an `address` with a filter, only what it asks for.
    Raises PermanentError(NOT_A_FEED) for a web page.
    """
    text = body.decode("utf-8", "replace").removeprefix("\ufeff")
    if is_html(text):
        raise PermanentError(Reason.NOT_A_FEED, "This is a web page instead of Nostr events, one a line.")
    lines = [line for line in text.split("\n")[:_MAX_LINES] if line.strip(" \t\r\0")]
    wanted = Wanted()
    with suppress(PermanentError):
        wanted = split_address(address)[1]
    return _page((read_event(value) for line in lines for value in _events(line)), wanted)


class NostrSource:
    """Asks and listens to relays."""

    def __init__(self, means: Means) -> None:
        self._fetcher = means.fetcher

    def fetch(self, feed: Feed, now: datetime) -> Page:
        """What is new, some pages back at most. Raises what Fetcher.websocket and Relay.ask raise, BAD_ADDRESS."""
        url, wanted = split_address(feed.address)
        with self._fetcher.websocket(url) as socket:
            return _catch_up(Relay(socket, shown(url)), wanted, feed, now)

    def listen(self, feed: Feed, now: Callable[[], datetime], stopping: Callable[[], bool]) -> Iterator[Page]:
        """First what was missed, then what comes, in pages. Raises as `fetch` does."""
        url, wanted = split_address(feed.address)
        with self._fetcher.websocket(url) as socket:
            relay, more = Relay(socket, shown(url)), True
            while more and not stopping():
                page = _catch_up(relay, wanted, feed, now())
                yield page
                feed, more = replace(feed, cursor=page.cursor), page.more
            since = {"since": _seconds(now() - OVERLAP), "limit": PAGE_SIZE}
            question = relay.subscribe({**wanted.posts(), **since}, {**wanted.deletions(), **since})
            while not stopping():
                heard = relay.hear(question, HEARTBEAT.total_seconds() / 2, MAX_LIVE)
                page = _page((read_event(value) for value in heard), wanted)
                here = Stretch(now())
                yield replace(page, cursor=_cursor(feed, posts=here, deletions=here))


def _catch_up(relay: Relay, wanted: Wanted, feed: Feed, now: datetime) -> Page:
    cursor = feed.cursor if feed.cursor.get("address") == feed.address else {}
    since = Stretch(parse_time(word(feed.options, "since")))
    posts, first, whole = _read_back(relay, wanted.posts(), _stretch(cursor, "posts", since), now)
    deletions, second, all_of_them = _read_back(relay, wanted.deletions(), _stretch(cursor, "deletions", since), now)
    more = first.ceiling is not None or second.ceiling is not None
    return replace(
        _page([*posts, *deletions], wanted),
        cursor=_cursor(feed, posts=first, deletions=second),
        more=more,
        complete=whole and all_of_them,
        heard_until=heard_to(feed, first.floor) if first.ceiling else None,
    )


def _read_back(
    relay: Relay, asked: Mapping[str, Any], stretch: Stretch, now: datetime
) -> tuple[list[Event | str], Stretch, bool]:
    """Events from now, or where the last page ended, back towards what is had; what is left; whether it is whole."""
    found: list[Event | str] = []
    whole = True
    for _ in range(ROUNDS):
        bounds = {"until": _seconds(stretch.ceiling or now + TOLERANCE), "limit": PAGE_SIZE}
        bounds |= {"since": _seconds(stretch.begin)} if stretch.begin else {}
        events = [read_event(value) for value in relay.ask({**asked, **bounds})]
        found += events
        times = (event.time for event in events if isinstance(event, Event))
        stretch, unbroken = stretch.after(filter(None, times), now, full=len(events) >= LEAST_LIMIT)
        whole = whole and unbroken
        if stretch.ceiling is None:
            break
    return found, stretch, whole


def _page(events: Iterable[Event | str], wanted: Wanted) -> Page:
    posts: dict[str, FetchedPost] = {}
    deleted: dict[str, None] = {}
    dropped: Counter[str] = Counter()
    for event in events:
        found = event if isinstance(event, str) else _made(event, wanted)
        if isinstance(found, str):
            dropped[found] += 1
        elif isinstance(found, FetchedPost):
            posts[found.native_id] = found
        else:
            deleted |= dict.fromkeys(found)
    kept = tuple(post for name, post in posts.items() if name not in deleted)
    return Page(posts=kept, deleted=tuple(deleted), dropped=dict(dropped))


def _made(event: Event, wanted: Wanted) -> FetchedPost | list[str] | str:
    if not belongs(event, wanted):
        return "not_asked"
    return deleted_by(event) if event.kind == DELETION else post_of(event)


def _events(line: str) -> list[Any]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return [None]
    if isinstance(value, list) and value[:1] == ["EVENT"]:
        return value[-1:]
    if isinstance(value, list) and value[:1] and isinstance(value[0], str):  # EOSE, NOTICE, OK, …
        return []
    return value if isinstance(value, list) else [value]


def _stretch(cursor: Mapping[str, Any], name: str, since: Stretch) -> Stretch:
    kept = at(cursor, name)
    found = read_stretch(kept if isinstance(kept, dict) else {})
    return found if found.floor else since


def _cursor(feed: Feed, **stretches: Stretch) -> dict[str, Any]:
    return {"address": feed.address} | {name: stretch.cursor() for name, stretch in stretches.items()}


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())
