"""What is still to be read of a platform that lists its newest posts first. Pure; must not fetch.

Pages go back from now to what was had before. Only the last of them moves the floor, so that a crash between two
pages loses nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from schemas.records import Feed
from services.analysis.times import parse_time
from services.sources.reading import word

OVERLAP = timedelta(hours=1)
"""So far back from the floor is read again: posts turn up late, by slow indexes and by their authors' clocks."""
_STEP = timedelta(seconds=1)
"""Platforms that are read this way tell time in whole seconds."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """The time between `floor` and `ceiling`, not read yet."""

    floor: datetime | None = None
    """Everything up to here is had; None when nothing is."""
    ceiling: datetime | None = None
    """Everything from here on is had; None when a reading has not begun."""
    newest: datetime | None = None
    """The newest post since this reading began; the floor of the next one."""

    @property
    def begin(self) -> datetime | None:
        """From when to ask for posts."""
        return self.floor - OVERLAP if self.floor else None

    def after(self, times: Iterable[datetime], now: datetime, *, full: bool) -> tuple["Stretch", bool]:
        """What is left after a page with posts of these `times`, and whether nothing was passed over.

        `full` says that older posts were left out of the page.
        """
        stated = [min(time, now) for time in times]
        newest = max((t for t in (self.newest, self.floor, *stated) if t), default=None)
        oldest = min(stated, default=None)
        if not full or oldest is None or self.begin is None or oldest < self.begin:
            return Stretch(newest or now), not full or oldest is not None
        stuck = self.ceiling is not None and oldest >= self.ceiling  # more in one second than a page holds
        return Stretch(self.floor, oldest - _STEP if stuck else oldest, newest), not stuck

    def cursor(self) -> dict[str, str]:
        """As it is kept on the feed's row."""
        times = {"floor": self.floor, "ceiling": self.ceiling, "newest": self.newest}
        return {name: time.isoformat() for name, time in times.items() if time}


def read_stretch(cursor: Mapping[str, Any]) -> Stretch:
    """The stretch that a cursor stands for; a strange cursor is an empty one."""
    floor, ceiling, newest = (parse_time(word(cursor, name)) for name in ("floor", "ceiling", "newest"))
    return Stretch(floor, ceiling, newest) if floor else Stretch()


def heard_to(feed: Feed, moment: datetime | None) -> datetime | None:
    """How far `feed` has been heard when only `moment` is sure: what was heard before stays heard."""
    return max(moment, feed.heard_until) if moment and feed.heard_until else moment
