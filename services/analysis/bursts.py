"""Says which buckets of a count series the past cannot explain. Pure and causal: a verdict uses only earlier buckets.

Baseline: level x hour of day x day of week, each factor shrunk to 1 by pseudo-counts, over a trailing window with a
guard band, past bursts capped (after Farrington Flexible: Noufaily et al. 2013, doi:10.1002/sim.5595). Counts are
negative binomial around it, dispersion by moments; that the level itself is only estimated adds to the dispersion.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

WINDOW_DAYS = 28
GUARD_S = 86_400
SHRINK = 5.0
"""Pseudo-counts by which hour and weekday factors are drawn to 1."""
DISPERSION_FLOOR = 0.05
LONG = 6
"""Buckets of the second, slower test."""
COVERED = 0.5
"""Share of feeds that must be heard for a bucket to be judged or learned from."""


@dataclass(frozen=True, slots=True)
class Series:
    """Counts by bucket: `starts` in epoch seconds, evenly `step_s` apart; `coverage` in [0, 1], NaN unknown."""

    starts: Floats
    step_s: float
    counts: Floats
    coverage: Floats


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What is judged of each bucket; arrays of one length. `expected` and `upper` are NaN while nothing is known."""

    expected: Floats
    dispersion: Floats
    upper: Floats
    probability: Floats
    state: tuple[str, ...]
    learned_s: Floats
    """Seconds of covered history behind each verdict."""
    learned_from: Floats
    """Where that history begins, in epoch seconds; the bucket's own start while there is none."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """What the past says: a level a bucket, its factors, the dispersion, and how much was heard of it."""

    level: float
    hours: Floats
    days: Floats
    dispersion: float
    buckets: float

    def expect(self, starts: Floats) -> Floats:
        """Expected count of buckets starting at epoch seconds."""
        hour, day = clock(starts)
        return self.level * self.hours[hour] * self.days[day]


def judge(series: Series, *, alpha: float, learning_s: float) -> Verdicts:
    """Judge every bucket of a series; `alpha` is the accepted probability of a false alarm a bucket.

    States: `insufficient coverage` (too little heard), `learning` (less than `learning_s` seconds of history),
    `burst` or `ok`.
    """
    n = len(series.counts)
    expected, dispersion, learned = np.full(n, np.nan), np.full(n, np.nan), np.zeros(n)
    learned_from = series.starts.copy()
    days = np.floor(series.starts / 86_400)
    for day in np.unique(days):
        here = days == day
        past = _past(series, day * 86_400)
        if past.sum() == 0:
            continue
        base = baseline(series.starts[past], series.counts[past], series.coverage[past])
        expected[here] = base.expect(series.starts[here]) * np.nan_to_num(series.coverage[here], nan=1.0)
        dispersion[here] = base.dispersion
        learned[here] = base.buckets * series.step_s
        learned_from[here] = series.starts[past].min()
    probability = _probability(series.counts, expected, dispersion)
    upper = usual_at_most(expected, dispersion, alpha / 2)
    heard = np.nan_to_num(series.coverage, nan=0.0) >= COVERED
    # The guard band is history too: it is only kept out of the baseline.
    known = learned + np.where(learned > 0, GUARD_S, 0.0)
    state = np.where(probability < alpha, "burst", "ok")
    state = np.where(known < learning_s, "learning", state)
    state = np.where(heard, state, "insufficient coverage")
    return Verdicts(expected, dispersion, upper, probability, tuple(state.tolist()), known, learned_from)


def baseline(starts: Floats, counts: Floats, coverage: Floats) -> Baseline:
    """Fit the baseline to past buckets, capping what no longer looks like itself."""
    exposure = np.nan_to_num(coverage, nan=0.0)
    hour, day = clock(starts)
    capped = counts.astype(float)
    for _ in range(3):
        level = (capped.sum() + 0.5) / max(exposure.sum(), 1e-9)
        hours = _factor(hour, 24, capped, exposure * level)
        days = _factor(day, 7, capped, exposure * level * hours[hour])
        mean = np.maximum(level * hours[hour] * days[day] * exposure, 1e-9)
        spread = max(float(((capped - mean) ** 2 - mean).sum() / (mean**2).sum()), DISPERSION_FLOOR)
        # At least one post is always usual: a cap below it would unlearn rare frames.
        capped = np.minimum(capped, np.maximum(np.ceil(mean + 4 * np.sqrt(mean + spread * mean**2)), 1.0))
    total = spread + 1.0 / (capped.sum() + 0.5)
    return Baseline(level, hours, days, float(total), float(exposure.sum()))


def clock(starts: Floats) -> tuple[Ints, Ints]:
    """Hour of day (0-23) and day of week (Thursday is 0: the epoch's) of epoch seconds."""
    seconds = starts.astype(np.int64)
    return (seconds // 3600) % 24, (seconds // 86_400) % 7


def tail(counts: Floats, expected: Floats, dispersion: Floats) -> Floats:
    """P(X >= count) for negative binomial X with this mean and variance mean + dispersion * mean^2."""
    size = 1.0 / dispersion
    chance = expected / (expected + size)
    return np.asarray(np.where(counts <= 0, 1.0, betainc(np.maximum(counts, 1.0), size, chance)))


def usual_at_most(expected: Floats, dispersion: Floats, alpha: float) -> Floats:
    """The largest count whose upper tail is no smaller than `alpha`, by bisection; NaN where nothing is expected."""
    low, high = np.zeros(len(expected)), np.ceil(20 * np.nan_to_num(expected) + 400.0)
    while np.any(high - low > 1):
        middle = np.floor((low + high) / 2)
        small = tail(middle, expected, dispersion) < alpha
        high, low = np.where(small, middle, high), np.where(small, low, middle)
    return np.asarray(np.where(np.isnan(expected), np.nan, low))


def evidence_score(probability: Floats) -> Floats:
    """A score in [0, 1] from a tail probability: 0 at p = 1, 1 at p <= 1e-10, the logarithm between."""
    safe = np.clip(np.nan_to_num(probability, nan=1.0), 1e-300, 1.0)
    return np.minimum(-np.log10(safe) / 10.0, 1.0)


def _past(series: Series, day_start: float) -> NDArray[np.bool_]:
    begin, end = day_start - GUARD_S - WINDOW_DAYS * 86_400, day_start - GUARD_S
    heard = np.nan_to_num(series.coverage, nan=0.0) >= COVERED
    return np.asarray((series.starts >= begin) & (series.starts < end) & heard)


def _factor(index: Ints, size: int, counts: Floats, expected: Floats) -> Floats:
    seen = np.bincount(index, counts, size) + SHRINK
    return np.asarray(seen / (np.bincount(index, expected, size) + SHRINK))


def _probability(counts: Floats, expected: Floats, dispersion: Floats) -> Floats:
    """The smaller of two tails, the bucket's and that of the last LONG buckets, doubled for having looked twice."""
    short = tail(counts, expected, dispersion)
    window = np.ones(LONG)
    long_counts = np.convolve(counts, window)[: len(counts)]
    long_expected = np.convolve(expected, window)[: len(counts)]
    slow = tail(long_counts, long_expected, dispersion)
    slow[: LONG - 1] = 1.0
    return np.asarray(np.minimum(2.0 * np.fmin(short, slow), 1.0))
