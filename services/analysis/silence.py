"""Decides when the silence of a sender is news: of posts that are sent to us, nobody tells us that none will come.

Pure: hours are arguments. Learned from the sender's own past, since nobody sets what they expect of it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.analysis.naming import many

MEMORY = timedelta(weeks=8)
"""How far back a sender's habits are looked for."""
LEAST_PAST = timedelta(weeks=3)
"""From the first to the last hour with posts: three weekends are the fewest that show what a weekend is like."""
LEAST_HOURS = 5
"""Hours with posts without which nothing is a habit; one file that was sent once is none."""
LEAST_MISSED = 2.0
"""Hours in which it usually sends that may always pass: senders are restarted, too."""
FACTOR = 2.5
"""How far beyond its past silences one must go; docs/measurements.md has the false alarms that this and others make."""
LEAN = 0.3
"""Weeks' worth by which an hour of the week leans on the mean of all hours: none is ever quite without weight."""
WEEK_H = 168
HOUR_S = 3600

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Silence:
    """How long a sender has been silent, in hours in which it usually sends."""

    missed: float
    """Hours with posts that its past would have had by now."""
    usual: float
    """The same of its second longest silence: one long silence in all that time is an accident, not a habit."""
    weeks: int
    """Weeks of past that this was learned from."""

    @property
    def odd(self) -> bool:
        """Whether it has gone so far beyond the past that somebody should hear of it."""
        return self.missed > max(LEAST_MISSED, FACTOR * self.usual)


def told(found: Silence, since: datetime) -> str:
    """What an operator is told of an odd silence since `since`: how long, and what was usual."""
    past, missed = many(found.weeks, "week"), many(round(found.missed), "hour")
    before = f"went over {many(round(found.usual), 'such hour')} at most" if round(found.usual) else "went over none"
    return (
        f"nothing was sent since {since:%d %b %Y %H:%M} UTC. By the habits of {past} before, posts would have come in "
        f"about {missed} of that time; every silence but the longest {before}"
    )


def silence(hours: Iterable[Mapping[str, Any]], now: datetime) -> Silence | None:
    """The silence of a sender since its last hour with posts; None while too little is known of it.

    `hours`: rows of hour (its beginning) and sent, one for each hour in which we were there to be sent to, in order of
    time, from MEMORY ago on. Time in which we were not there, or the feed was paused, is nobody's silence. The hour
    that still runs is not counted.
    """
    rows = list(hours)
    at = np.array([r["hour"].timestamp() // HOUR_S for r in rows], np.int64)
    return judge(at, np.array([r["sent"] for r in rows], bool), int(now.timestamp() // HOUR_S))


def judge(at: NDArray[np.int64], sent: NDArray[np.bool_], now: int) -> Silence | None:
    """The same of hours counted from the epoch, ascending; `now` is the hour that runs."""
    heard = np.flatnonzero(sent)
    if len(heard) < LEAST_HOURS or (at[heard[-1]] - at[heard[0]]) * HOUR_S < LEAST_PAST.total_seconds():
        return None
    at, sent = at[heard[0] :], sent[heard[0] :]
    last = int(np.flatnonzero(sent)[-1])
    usual = _usual(at[: last + 1], sent[: last + 1])
    weight = np.where(sent, 0.0, usual[at % WEEK_H])
    passed = np.concatenate(([0.0], np.cumsum(weight)))
    past = np.sort(np.diff(passed[np.flatnonzero(sent)]))
    over = int(np.searchsorted(at, now))
    missed = float(passed[max(over, last)] - passed[last])
    return Silence(missed, float(past[-2]), int(at[last] - at[0]) // WEEK_H)


def _usual(at: NDArray[np.int64], sent: NDArray[np.bool_]) -> Floats:
    """How often each hour of the week had posts, in [0, 1].

    An hour leans on the two beside it (clocks change, people are late), and by LEAN on all hours.
    """
    of_week = at % WEEK_H
    there = _smooth(np.bincount(of_week, minlength=WEEK_H).astype(float))
    had = _smooth(np.bincount(of_week[sent], minlength=WEEK_H).astype(float))
    usual: Floats = (had + LEAN * sent.mean()) / (there + LEAN)
    return usual


def _smooth(counts: Floats) -> Floats:
    smooth: Floats = (np.roll(counts, 1) + 2 * counts + np.roll(counts, -1)) / 4
    return smooth
