"""A score in [0, 1] for every bucket, from the first day on: how much like the beginning of something it is.

Compares a bucket, and running means of two and four, with the last hour or so, level and hour of day taken off, and
measures the rise in the series' own usual rises; so one threshold serves series of any volume. Counts are
compared by their logarithm and only rises count; values that are no counts as they are, in both directions. What does
not go clearly beyond the highest of the last day is no beginning and scores 0. It knows no budget and raises
no alarm; the tests of analysis/bursts do.
"""

from dataclasses import dataclass
from math import log

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
        self._size = self._total = self._level = self._high = 0.0
        self._recent = np.zeros(max(LAGS))
        self._today = -1
        self._profile, self._weight = [0.0] * 24, [0.0] * 24
        self._heard: dict[int, list[float]] = {}
        """Of each hour of the day so far: by how much it lies above the level in sum, and how many buckets it had."""
        self._scales = [_Scale(0.5 ** (1 / h) if h else 0.0, lag) for h, lag in zip(SMOOTHING, LAGS, strict=True)]

    def follow(self, starts: Floats, seen: Floats, heard: Flags, total: Floats | None = None) -> Floats:
        """The scores of the next buckets, in order of time; 0 for what was not heard.

        `total`: how many there were of any kind; counts are then compared by their share.
        """
        scores = np.zeros(len(seen))
        at, x, of = starts[heard], seen[heard], None if total is None else total[heard]
        known = self._kind.counts(x)
        counts = self._score(at[:known], x[:known], None if of is None else of[:known], count=True)
        values = self._score(at[known:], x[known:], None, count=False)
        scores[heard] = np.concatenate((counts, values))
        return scores

    def _score(self, at: Floats, x: Floats, total: Floats | None, *, count: bool) -> Floats:
        if not len(x):
            return np.zeros(0)
        if count != self._counts:
            # What was learned is on another scale.
            self._clear(counts=count)
        gaps = np.maximum(np.diff(at, prepend=self._last if self._rows else at[0]), 0.0)
        distinct, which = np.unique(gaps, return_inverse=True)
        level, spread, recent, rest = np.array([shares(gap) for gap in distinct.tolist()])[which].T
        n = self._rows + 1 + np.arange(len(x))
        level, spread = np.maximum(level, 1.0 / n), np.maximum(spread, 1.0 / (n + PRIOR_ROWS))
        size = running(self._size, np.abs(x), level)
        y = self._logs(x, total, (level, size)) if count else x
        if not self._rows:
            self._begin(float(y[0]), count=count)
        height = self._heights(at, y, level)
        rises = self._rises(height, (spread, recent), floor=0.02 if count else 1e-6 * size + 1e-12)
        self._rows, self._last, self._size = self._rows + len(x), float(at[-1]), float(size[-1])
        return self._beyond(rises * (n / (n + CALM_ROWS)), rest)

    def _logs(self, x: Floats, total: Floats | None, told: tuple[Floats, Floats]) -> Floats:
        """Counts by their logarithm, as they would be if there were as many of any kind as usual."""
        level, size = told
        shift = 1.0 + OFFSET * size
        logs = np.log(x + shift)
        if total is None:
            return np.asarray(logs)
        usual = running(self._total, total, level)
        self._total = float(usual[-1])
        return np.asarray(logs - np.log((size * (total / usual) + shift) / (size + shift)))

    def _begin(self, first: float, *, count: bool) -> None:
        """Nothing is known of how much is usual: a third more, or a tenth for values, is taken to be."""
        self._level = first
        guess = log(4 / 3) ** 2 if count else (first / 10) ** 2
        for scale in self._scales:
            scale.jumps = scale.heights = guess

    def _heights(self, at: Floats, y: Floats, share: Floats) -> Floats:
        """How high each bucket lies above level and hour of day."""
        days, hours = (at // 86_400).astype(int).tolist(), ((at // 3600).astype(int) % 24).tolist()
        level, heights = self._level, []
        for day, hour, value, part in zip(days, hours, y.tolist(), share.tolist(), strict=True):
            if day != self._today:
                self._turn(day)
            above = value - level
            height = above - self._profile[hour]
            level += part * height
            heights.append(height)
            heard = self._heard.get(hour)
            if heard is None:
                self._heard[hour] = [above, 1.0]
            else:
                heard[0] += above
                heard[1] += 1.0
        self._level = level
        return np.array(heights)

    def _rises(self, height: Floats, share: tuple[Floats, Floats], floor: float | Floats) -> Floats:
        """The largest rise of the scales, in its usual rises."""
        spread, fast = share
        recent = np.concatenate((self._recent, running(float(self._recent[-1]), height, fast)))
        best = np.zeros(len(height))
        for scale in self._scales:
            mean = running(scale.mean, height, np.full(len(height), 1.0 - scale.smoothing))
            jump = mean - recent[len(self._recent) - scale.lag : len(recent) - scale.lag]
            jumps, heights = running(scale.jumps, jump**2, spread), running(scale.heights, mean**2, spread)
            rise = np.abs(jump) / (np.sqrt(np.append(scale.jumps, jumps[:-1])) + floor)
            tall = np.abs(mean) / (np.sqrt(np.append(scale.heights, heights[:-1])) + floor)
            told = rise ** (1 - MIX) * tall**MIX
            best = np.maximum(best, np.where((jump > 0) & (mean > 0), told, 0.0) if self._counts else told)
            scale.mean, scale.jumps, scale.heights = float(mean[-1]), float(jumps[-1]), float(heights[-1])
        self._recent = recent[-len(self._recent) :]
        return best

    def _beyond(self, rises: Floats, share: Floats) -> Floats:
        """Of each rise that goes beyond the highest before it, the score."""
        high, scores = self._high, []
        for rise, part in zip(rises.tolist(), share.tolist(), strict=True):
            high *= 1.0 - part
            scores.append(rise / (rise + HALF) if rise > high else 0.0)
            if rise > high:
                high = BEYOND * rise
        self._high = high
        return np.array(scores)

    def _turn(self, day: int) -> None:
        """At the beginning of a day, learn its hours from the one before."""
        keep = 0.5 ** (1.0 / PROFILE_DAYS)
        for hour, (total, buckets) in self._heard.items():
            old = self._weight[hour] * keep
            # Half of the first day's deviation is believed, two thirds of the mean of two days'.
            raw = self._profile[hour] * (self._weight[hour] + 1) / max(self._weight[hour], 1e-9)
            raw = (raw * old + total / buckets) / (old + 1)
            self._weight[hour] = old + 1
            self._profile[hour] = raw * (old + 1) / (old + 2)
        self._today, self._heard = day, {}


def running(before: float, new: Floats, share: Floats) -> Floats:
    """A running mean, after each of the new; `share`: how much of it the new one is."""
    mean = before
    return np.array([mean := mean + part * (x - mean) for x, part in zip(new.tolist(), share.tolist(), strict=True)])


def shares(gap: float) -> tuple[float, float, float, float]:
    """How much of the old gives way to the new after a gap: level, spread, last hour, high.

    A gap of any length counts as one late bucket: what was not heard is not forgotten.
    """
    rates = ((LEVEL_S, LEVEL_ROWS), (SPREAD_S, SPREAD_ROWS), (RECENT_S, RECENT_ROWS), (REST_S, REST_ROWS))
    a, b, c, d = (1.0 - 0.5 ** min(gap / half_life, 1.0 / rows) for half_life, rows in rates)
    return a, b, c, d
