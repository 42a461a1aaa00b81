"""What every kind of source shares: the protocols, and what a source is given. Knows no kind; must not fetch."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

from schemas.errors import PermanentError, Reason
from schemas.records import Feed, Page
from services.fetch import Fetcher

Mode = Literal["poll", "stream", "push"]
"""How a feed is heard: asked now and then, listened to without end, or sent to us."""
HEARTBEAT = timedelta(seconds=5)
"""A stream gives a page at least this often, an empty one when there is nothing to tell."""


class Ledger(Protocol):
    """Counts what a platform bills or bounds, for all workers together."""

    def __call__(self, name: str, units: int, limit: int) -> bool:
        """Spend `units` on the account `name` (its period included: `x:2026-11`) if `limit` allows; else nothing.

        Negative `units` give back what was reserved and not used, and always succeed.
        """


def no_ledger(name: str, units: int, limit: int) -> bool:  # noqa: ARG001 - the shape of a Ledger
    """A ledger for one look by hand, with nobody to share the limit with."""
    return units <= limit


@dataclass(frozen=True, slots=True)
class Means:
    """What the house gives to every source, whether its kind needs it or not."""

    fetcher: Fetcher
    files: Path
    """The only folder that may be read from."""
    keys: Mapping[str, str] = field(default_factory=dict)
    """Credentials and consent policy, by the setting's name: `x_token`, `youtube_key`, …; absent when not set."""
    ledger: Ledger = no_ledger

    def key(self, name: str, remedy: str) -> str:
        """The credential `name`. Raises PermanentError(NO_CREDENTIALS) with `remedy` when it is not set."""
        if not self.keys.get(name):
            setting = f"FRAMEWATCH_{name.upper()}"
            raise PermanentError(Reason.NO_CREDENTIALS, f"{setting} (or {setting}_FILE) is not set. {remedy}")
        return self.keys[name]


@runtime_checkable
class Source(Protocol):
    """One way of getting posts; thread-safe, keeps nothing between fetches."""

    def fetch(self, feed: Feed, now: datetime) -> Page:
        """The next page of `feed`, as of `now` (aware UTC).

        Content never raises: what cannot become a post is counted in `dropped`. A page may name the same
        native_id twice when the feed does. Raises TransientError when another try may help, PermanentError
        when somebody has to mend something.
        """


@runtime_checkable
class Stream(Protocol):
    """A source that can be listened to; thread-safe, keeps nothing between calls."""

    def listen(self, feed: Feed, now: Callable[[], datetime], stopping: Callable[[], bool]) -> Iterator[Page]:
        """Pages as they come, from where `feed.cursor` stands; one at least every HEARTBEAT.

        The caller stores each page with its cursor before it asks for the next. Ends when `stopping()` says so
        (looked at every HEARTBEAT) or the server closes; raises as Source.fetch does.
        """


@dataclass(frozen=True, slots=True)
class Known:
    """A post we have, as a source can find it again."""

    native_id: str
    url: str


@runtime_checkable
class Rechecking(Protocol):
    """A source that can be asked whether posts are still there."""

    def gone(self, posts: Sequence[Known]) -> frozenset[str]:
        """The native_ids among `posts` (at most 100) that their platform no longer shows. Raises as fetch does."""


@runtime_checkable
class Discovering(Protocol):
    """A source that can find feeds behind an address that is none."""

    def discover(self, address: str) -> list[tuple[str, str]]:
        """(address, title) of the feeds there, the best first; the address itself when it is one. Raises as fetch."""


class Parse(Protocol):
    """The pure half of a source: one saved answer → the posts in it."""

    def __call__(self, body: bytes, *, address: str) -> Page:
        """The posts in `body`, which came from `address`. Raises PermanentError or TransientError."""


class ReadAddress(Protocol):
    """The other pure half: what a person types → the one address that is stored."""

    def __call__(self, address: str) -> str:
        """The canonical form of `address`. Raises PermanentError(BAD_ADDRESS) that shows the forms this kind takes."""
