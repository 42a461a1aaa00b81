"""What share of all posts the past explains of each step of a trend: the usual range of a share. Pure, and causal.

A share is judged as a share: by the detector, with all posts as what counts are in proportion to. The limits that are
kept of voices, divided by all posts, would be no limits of it: they are of another unit, and do not rise when everybody
posts more.
"""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from services.analysis.bursts import COVERED, HORIZON_DAYS, Asked, Detector
from services.analysis.days import GUARD_S

Floats = NDArray[np.float64]

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LEAST = 7
"""Steps of the past that were heard, below which nothing is called usual."""


@dataclass(frozen=True, slots=True)
class Shares:
    """Posts of a frame beside all posts by step: `starts` in epoch seconds, `coverage` in [0, 1], NaN unknown."""

    starts: Floats
    step_s: float
    posts: Floats
    every: Floats
    coverage: Floats


@dataclass(frozen=True, slots=True)
class Usual:
    """Shares in [0, 1], one a step; NaN where there were no posts, too little was heard, or too little is known."""

    expected: Floats
    upper: Floats
    """The largest share that is no spike by itself, of so many posts; never below what is expected."""


def can_be_usual(step: timedelta) -> bool:
    """Whether steps of such a length are judged: shorter ones hold too few posts to say what share is usual."""
    return not step % HOUR


def reach(step: timedelta) -> timedelta:
    """How far back the usual of a step can depend on: of steps longer than a day, as many as of days."""
    return HORIZON_DAYS * max(step, DAY)


def usual(seen: Shares, *, rate: float, learning_s: float) -> Usual:
    """The usual share of each step, by what was known when its day began.

    `rate`: spikes a second accepted by chance. How much of a step was heard does not change what share is expected of
    it; of less than COVERED nothing is expected, and nothing is learned.
    """
    heard = (np.nan_to_num(seen.coverage) >= COVERED) & (seen.every > 0)
    detector = Detector(Asked(rate, learning_s, seen.step_s, counts=True, bounds=True))
    told = detector.feed(seen.starts, seen.posts, heard.astype(float), seen.every)
    known = heard & (told.learned_s >= GUARD_S + LEAST * seen.step_s)
    expected = _part(told.expected, seen.every, known)
    return Usual(expected, np.maximum(_part(told.upper, seen.every, known), expected))


def _part(count: Floats, every: Floats, known: NDArray[np.bool_]) -> Floats:
    share = np.full(len(count), np.nan)
    share[known] = np.minimum(count[known] / every[known], 1.0)
    return share
