"""A score in [0, 1] for every bucket, from the first day on: how much like the beginning of something it is.

Compares a bucket, and running means of two and four, with the last hour or so, level and hour of day taken off, and
measures the rise in the series' own usual rises; so one threshold serves series of any volume. Counts are
compared by their logarithm and only rises count; values that are no counts as they are, in both directions. What does
not go clearly beyond the highest of the last day is no beginning and scores 0. It knows no budget and raises
no alarm; the tests of analysis/bursts do.
"""

from dataclasses import dataclass
from math import log, sqrt

import numpy as np
from numpy.typing import NDArray

from services.analysis.kinds import Kind

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

LEVEL_S, SPREAD_S, RECENT_S, REST_S = 4 * 86_400.0, 5 * 86_400.0, 3_600.0, 86_400.0
"""Half-lives of the level, of the usual rise, of the last hour or so that is compared with, and of a high once seen."""
LEVEL_ROWS, SPREAD_ROWS, RECENT_ROWS, REST_ROWS = 30.0, 40.0, 4.0, 6.0
"""The same in buckets, where those take longer."""
SMOOTHING = (0.0, 1.0, 3.0)
"""Half-lives, in buckets, of what is compared."""
LAGS = (1, 2, 6)
"""How many buckets back that hour ends for each, so that a rise is not compared with itself."""
OFFSET = 0.1
"""Share of the level added before the logarithm: the noise of small counts weighs less."""
PROFILE_DAYS = 10.0
BEYOND = 1.2
MIX = 0.2
"""Weight of the height beside that of the rise."""
HALF = 6.0
"""A rise of so many usual rises scores one half."""
CALM_ROWS = 25.0
PRIOR_ROWS = 10.0
"""Buckets that the guess of what is usual weighs as much as, and over which the first scores are held down."""


@dataclass(slots=True)
class _Scale:
    """One running mean of the deviations, and what is usual for it."""

    smoothing: float
    lag: int
    mean: float = 0.0
    jumps: float = 0.0
    heights: float = 0.0


class Onsets:
    """The running state of one series."""

    def __init__(self, *, counts: bool | None = None) -> None:
        """`counts`: whether the series counts something; None when that is to be found out."""
        self._kind = Kind(counts=counts)
        self._clear(counts=counts is not False)

    def _clear(self, *, counts: bool) -> None:
        self._rows, self._last = 0, np.nan
        self._counts = counts
        self._size = self._level = self._high = 0.0
        self._recent = [0.0] * (max(LAGS) + 1)
        self._gap, self._shares = -1.0, (1.0, 1.0, 1.0, 1.0)
        self._today = -1
        self._profile, self._weight = [0.0] * 24, [0.0] * 24
        self._sums, self._seen = [0.0] * 24, [0] * 24
        self._scales = [_Scale(0.5 ** (1 / h) if h else 0.0, lag) for h, lag in zip(SMOOTHING, LAGS, strict=True)]

    def follow(self, starts: Floats, seen: Floats, heard: Flags) -> Floats:
        """The scores of the next buckets, in order of time; 0 for what was not heard."""
        rows = zip(starts.tolist(), seen.tolist(), heard.tolist(), strict=True)
        return np.array([self._score(at, x, self._kind.counts(x)) if ok else 0.0 for at, x, ok in rows])

    def _score(self, at: float, x: float, count: bool) -> float:  # noqa: FBT001
        if count != self._counts:
            # What was learned is on another scale.
            self._clear(counts=count)
        gap = max(at - self._last, 0.0) if self._rows else 0.0
        self._last = at
        n = self._rows = self._rows + 1
        if gap != self._gap:
            self._gap, self._shares = gap, shares(gap)
        slow = max(self._shares[0], 1.0 / n)
        self._size += slow * (abs(x) - self._size)
        y = log(x + 1.0 + OFFSET * self._size) if count else x
        day, hour = int(at // 86_400), int(at // 3600) % 24
        if day != self._today:
            self._turn(day)
        usual = self._profile[hour]
        if n == 1:
            self._begin(y, count)
        height = y - usual - self._level
        self._level += slow * height
        self._sums[hour] += height + usual
        self._seen[hour] += 1
        return self._beyond(self._highest(height, count) * (n / (n + CALM_ROWS)))

    def _begin(self, first: float, count: bool) -> None:  # noqa: FBT001
        """Nothing is known of how much is usual: a third more, or a tenth for values, is taken to be."""
        self._level = first
        guess = log(4 / 3) ** 2 if count else (first / 10) ** 2
        for scale in self._scales:
            scale.jumps = scale.heights = guess

    def _highest(self, height: float, count: bool) -> float:  # noqa: FBT001
        """The largest rise of the scales, in its usual rises."""
        spread = max(self._shares[1], 1.0 / (self._rows + PRIOR_ROWS))
        floor = 0.02 if count else 1e-6 * self._size + 1e-12
        recent, best = self._recent, 0.0
        for scale in self._scales:
            mean = scale.mean = height + scale.smoothing * (scale.mean - height)
            jump = mean - recent[-scale.lag]
            jumps, heights = scale.jumps, scale.heights
            if (jump > 0 and mean > 0) or not count:
                rise, tall = abs(jump) / (sqrt(jumps) + floor), abs(mean) / (sqrt(heights) + floor)
                best = max(best, rise ** (1 - MIX) * tall**MIX)
            scale.jumps = jumps + spread * (jump * jump - jumps)
            scale.heights = heights + spread * (mean * mean - heights)
        recent.append(recent[-1] + self._shares[2] * (height - recent[-1]))
        del recent[0]
        return best

    def _beyond(self, rise: float) -> float:
        self._high *= 1.0 - self._shares[3]
        if rise <= self._high:
            return 0.0
        self._high = BEYOND * rise
        return rise / (rise + HALF)

    def _turn(self, day: int) -> None:
        """At the beginning of a day, learn its hours from the one before."""
        keep = 0.5 ** (1.0 / PROFILE_DAYS)
        for hour in range(24):
            if self._seen[hour]:
                old = self._weight[hour] * keep
                # Half of the first day's deviation is believed, two thirds of the mean of two days'.
                raw = self._profile[hour] * (self._weight[hour] + 1) / max(self._weight[hour], 1e-9)
                raw = (raw * old + self._sums[hour] / self._seen[hour]) / (old + 1)
                self._weight[hour] = old + 1
                self._profile[hour] = raw * (old + 1) / (old + 2)
        self._today, self._sums, self._seen = day, [0.0] * 24, [0] * 24


def shares(gap: float) -> tuple[float, float, float, float]:
    """How much of the old gives way to the new after a gap: level, spread, last hour, high.

    A gap of any length counts as one late bucket: what was not heard is not forgotten.
    """
    rates = ((LEVEL_S, LEVEL_ROWS), (SPREAD_S, SPREAD_ROWS), (RECENT_S, RECENT_ROWS), (REST_S, REST_ROWS))
    a, b, c, d = (1.0 - 0.5 ** min(gap / half_life, 1.0 / rows) for half_life, rows in rates)
    return a, b, c, d
