"""What every kind of source shares: the protocol, and what a source is given. Knows no kind; must not fetch."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from schemas.records import Feed, Page
from services.fetch import Fetcher


@dataclass(frozen=True, slots=True)
class Means:
    """What the house gives to every source, whether its kind needs it or not."""

    fetcher: Fetcher
    files: Path
    """The only folder that may be read from."""


class Source(Protocol):
    """One way of getting posts; thread-safe, keeps nothing between fetches."""

    def fetch(self, feed: Feed, now: datetime) -> Page:
        """The next page of `feed`, as of `now` (aware UTC).

        Content never raises: what cannot become a post is counted in `dropped`. A page may name the same
        native_id twice when the feed does. Raises TransientError when another try may help, PermanentError
        when somebody has to mend something.
        """


class Parse(Protocol):
    """The pure half of a source: one saved answer → the posts in it."""

    def __call__(self, body: bytes, *, address: str) -> Page:
        """The posts in `body`, which came from `address`. Raises PermanentError or TransientError."""
