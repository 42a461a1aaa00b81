"""Bluesky, heard through a Jetstream: posts of everybody, of some people, of a list, or with some words in them.

Servers are tried in turn, the one heard last first. It must not poll, nor log in.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from schemas.errors import FramewatchError, PermanentError, Reason
from schemas.records import Feed, Page
from services.analysis.links import web_link
from services.sources.base import Known, Means, Mode
from services.sources.bluesky.address import address_of, read_target
from services.sources.bluesky.events import Batch, Wanted, read_frame
from services.sources.bluesky.lookups import APPVIEW, Lookups
from services.sources.bluesky.session import Place, Session

MODES: tuple[Mode, ...] = ("stream",)
HOST = "bsky.network"
HOSTS = (
    "https://jetstream.us-east.bsky.network",
    "https://jetstream.us-west.bsky.network",
    "https://jetstream2.us-east.bsky.network",
    "https://jetstream1.us-west.bsky.network",
)
"""Bluesky's own public servers; the last two speak version 1 only (https://bsky.network/docs/jetstream/)."""
LOOK_UP_EVERY = timedelta(hours=1)
"""Handles move and lists change."""


def read_address(address: str) -> str:
    """`all`, people (`@handle`, `did:…`, with commas between), `list:at://…` or `keyword:…`; the web address of a
    profile, list, hashtag or search is read as one of them. Raises PermanentError(BAD_ADDRESS)."""
    return address_of(read_target(address))


def parse(body: bytes, *, address: str) -> Page:
    """The posts in saved frames, one JSON object a line, of either version.

    Raises PermanentError(NOT_A_FEED) when there are lines and none is a frame.
    """
    batch = Batch(Wanted())
    known = lines = 0
    for line in body.splitlines():
        if line.strip():
            event = read_frame(line)
            batch.add(event)
            lines += 1
            known += event is not None
    if lines and not known:
        raise PermanentError(Reason.NOT_A_FEED, f"{address} holds no frames of a Jetstream, one JSON object a line.")
    return Page(
        posts=tuple(batch.posts.values()),
        deleted=tuple(batch.deleted),
        deleted_authors=tuple(batch.deleted_authors),
        dropped=dict(batch.dropped),
    )


class BlueskySource:
    """Listens to Bluesky.

    Options of a feed: `api` (a Jetstream of one's own, or several with commas between), `appview` (who answers
    questions about handles and lists), `small` (true for a network that may be silent for a minute).
    """

    def __init__(self, means: Means, appview: str = APPVIEW) -> None:
        self._fetcher = means.fetcher
        self._appview = appview

    def listen(self, feed: Feed, now: Callable[[], datetime], stopping: Callable[[], bool]) -> Iterator[Page]:
        """Pages as they come. A place that the server has forgotten is told by `complete=False`.

        Ends when `stopping()` says so, or when a server that gave something closes. Raises PermanentError:
        BAD_ADDRESS, BAD_CONFIG; and what the last server raised when none gave anything.
        """
        target, hosts = read_target(feed.address), _hosts(feed)
        lookups = Lookups(self._fetcher, str(feed.options.get("appview") or self._appview))
        place = Place.read(feed.cursor)
        while not stopping():
            wanted = replace(lookups.wanted(target), small=feed.options.get("small") is True)
            done = partial(_done, stopping, now, now() + LOOK_UP_EVERY)
            for number, host in enumerate(sorted(hosts, key=lambda h: h != place.host), 1):
                session = Session(host, wanted, place, now)
                try:
                    yield from session.pages(self._fetcher, done)
                except FramewatchError as error:
                    place = session.place
                    if session.heard and error.reason is Reason.TRUNCATED:
                        return
                    if session.heard or error.reason is Reason.RATE_LIMITED or number == len(hosts):
                        raise
                else:
                    place = session.place
                    break

    def gone(self, posts: Sequence[Known]) -> frozenset[str]:
        """Those of `posts` that Bluesky shows no more. Raises what Fetcher.get raises."""
        return Lookups(self._fetcher, self._appview).gone([post.native_id for post in posts])


def _done(stopping: Callable[[], bool], now: Callable[[], datetime], until: datetime) -> bool:
    return stopping() or now() >= until


def _hosts(feed: Feed) -> tuple[str, ...]:
    named = str(feed.options.get("api") or "")
    hosts = tuple(dict.fromkeys(host.strip().rstrip("/") for host in named.split(",") if host.strip())) or HOSTS
    if not all(web_link(host) for host in hosts):
        raise PermanentError(Reason.BAD_CONFIG, "The option api is no address of a Jetstream: https://host is one.")
    return hosts
