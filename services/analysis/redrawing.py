"""What another codebook makes of the same posts: who gains and loses a frame, its trend, and the alerts that follow.

Posts are arrays of numbers. Pure: two sets of posts in, differences out.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.analysis import alerting
from services.analysis.alerting import Rule

Numbers = NDArray[np.int64]
_Y2000 = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000
WEEK = timedelta(weeks=1)
_MONDAY = int(datetime(2000, 1, 3, tzinfo=UTC).timestamp()) * 1_000_000 - _Y2000


@dataclass(frozen=True, slots=True, eq=False)
class Posts:
    """n posts."""

    ids: Numbers
    times: Numbers
    """When each was published: microseconds since 2000, UTC."""
    sources: Numbers
    authors: Numbers
    units: Numbers
    """Three columns in which equal numbers are equal sources, authors and units."""

    def __len__(self) -> int:
        return len(self.ids)

    def part(self, chosen: NDArray[Any]) -> "Posts":
        """Some of them, by mask or place."""
        return Posts(*(getattr(self, f.name)[chosen] for f in fields(self)))


@dataclass(frozen=True, slots=True)
class Point:
    """One step of a trend."""

    at: datetime
    posts: int
    units: int
    authors: int


@dataclass(frozen=True, slots=True)
class Fired:
    """An alert that would have been raised."""

    rule: str
    onset: datetime
    last: datetime
    fired_at: datetime
    posts: int
    units: int


def together(parts: Sequence[Posts]) -> Posts:
    """Several lots as one."""
    if not parts:
        return Posts(*(np.empty(0, np.int64) for _ in fields(Posts)))
    return Posts(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Posts)))


def differences(before: Posts, after: Posts) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which of `before` are not in `after` (they lost the frame), and which of `after` not in `before`."""
    return (
        ~np.isin(before.ids, after.ids, assume_unique=True),
        ~np.isin(after.ids, before.ids, assume_unique=True),
    )


def by_source(posts: Posts) -> dict[int, int]:
    """How many of each source."""
    numbers, counts = np.unique(posts.sources, return_counts=True)
    return dict(zip(numbers.tolist(), counts.tolist(), strict=True))


def by_week(posts: Posts) -> dict[datetime, int]:
    """How many of each week, by its Monday."""
    numbers, counts = np.unique((posts.times - _MONDAY) // _micros(WEEK), return_counts=True)
    starts = [moment(number * _micros(WEEK) + _MONDAY) for number in numbers.tolist()]
    return dict(zip(starts, counts.tolist(), strict=True))


def trend(posts: Posts, step: timedelta) -> list[Point]:
    """Posts, units and authors of each step that has any, steps counted from 1970 as everywhere."""
    if not len(posts):
        return []
    steps = (posts.times + _Y2000) // _micros(step)
    buckets, counts = np.unique(steps, return_counts=True)
    units, authors = (_distinct(steps, column, buckets) for column in (posts.units, posts.authors))
    return [
        Point(moment(b * _micros(step) - _Y2000), n, min(u, a), a)
        for b, n, u, a in zip(buckets.tolist(), counts.tolist(), units, authors, strict=True)
    ]


def fired(
    posts: Posts, rule: Rule, verdicts: Sequence[dict[str, Any]], *, since: datetime, sources_heard: int,
    scored: Callable[[datetime, datetime], int],
) -> list[Fired]:  # fmt: skip
    """What a rule would have raised from `since` on, given the verdicts of its frame and the posts that carry it.

    The same decisions as the stage's: an alert stands from the bucket in which enough is behind it. `scored` counts
    all posts of a period.
    """
    found = []
    for episode in alerting.episodes(verdicts, rule.step):
        if episode.onset < since:
            continue
        run = [v for v in verdicts if episode.onset <= v["bucket"] <= episode.last]
        for verdict in run:
            until = verdict["bucket"] + rule.step
            counts, sources = _behind(posts, episode.onset, until)
            if rule.min_share > 0:
                counts["scored"] = scored(episode.onset, until)
            if alerting.supported(rule, counts, sources=sources, sources_heard=sources_heard):
                found.append(Fired(rule.name, episode.onset, episode.last, until, counts["posts"], counts["units"]))
                break
    return found


def unmatched(some: Sequence[Fired], others: Sequence[Fired]) -> list[Fired]:
    """Those alerts of which no part falls into any of the others."""
    return [a for a in some if not any(a.onset <= b.last and b.onset <= a.last for b in others)]


def between(times: Numbers, since: datetime, until: datetime) -> slice:
    """Where, in ascending times, a period lies."""
    first, last = np.searchsorted(times, [_number(since), _number(until)])
    return slice(int(first), int(last))


def _behind(posts: Posts, since: datetime, until: datetime) -> tuple[dict[str, int], int]:
    inside = (posts.times >= _number(since)) & (posts.times < _number(until))
    units, authors = (len(np.unique(column[inside])) for column in (posts.units, posts.authors))
    counts = {"posts": int(inside.sum()), "texts": units, "units": min(units, authors), "authors": authors}
    return counts, len(np.unique(posts.sources[inside]))


def _distinct(steps: Numbers, column: Numbers, buckets: Numbers) -> list[int]:
    """How many different numbers of a column each bucket has."""
    order = np.lexsort((column, steps))
    steps, column = steps[order], column[order]
    first = np.ones(len(steps), bool)
    first[1:] = (steps[1:] != steps[:-1]) | (column[1:] != column[:-1])
    found: list[int] = np.bincount(np.searchsorted(buckets, steps[first]), minlength=len(buckets)).tolist()
    return found


def _micros(step: timedelta) -> int:
    return step // timedelta(microseconds=1)


def _number(at: datetime) -> int:
    return round(at.timestamp() * 1_000_000) - _Y2000


def moment(number: int) -> datetime:
    """The time that a number of `Posts.times` stands for."""
    return datetime.fromtimestamp((number + _Y2000) / 1_000_000, UTC)
