"""What the past of a series says of its next day: level x hour of day x day of week. Fits what it is given, no more.

Counts: each factor is shrunk to 1 by pseudo-counts and past bursts are capped (after Farrington Flexible: Noufaily et
al. 2013, doi:10.1002/sim.5595); counts are negative binomial around it, dispersion by moments. That the level itself
is only estimated adds to the dispersion. When the last days all lie on one side of the level and far from it, the
level is theirs: a change of regime is no burst for four weeks.
Values that are no counts (a percentage, a temperature, money): median level plus hour of day, spread by quartiles.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from services.analysis import tails
from services.analysis.kinds import counted

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SHRINK = 5.0
"""Pseudo-counts by which hour and weekday factors are drawn to 1."""
DISPERSION_FLOOR = 0.05
MARGIN = 1.1
"""The e-detector takes the usual to be this much higher: an error of the baseline adds up where a spike's does not."""
LAGS = 24
"""Buckets over which a mood is looked for."""
REGIME_DAYS = 5
REGIME_RATIO = 1.3
REGIME_COUNTS = 20.0


class Past(Protocol):
    """What a fitted past answers about new buckets."""

    @property
    def buckets(self) -> float:
        """How much was heard of it, in buckets."""

    @property
    def dispersion(self) -> float:
        """Of counts; NaN for values."""

    def expect(self, starts: Floats, coverage: Floats) -> Floats:
        """What is expected of buckets, so much of each being heard."""

    def tail(self, seen: Floats, expected: Floats) -> Floats:
        """How probable it is to see so much or more."""

    def ratios(self, seen: Floats, expected: Floats) -> Floats:
        """Likelihood ratios of a sustained change, one row a bucket, one column a size of the change."""

    def upper(self, expected: Floats, alpha: Floats) -> Floats:
        """The most that is usual, at a tail of alpha."""


@dataclass(frozen=True, slots=True)
class Counts:
    """The past of counts: a level a bucket, its factors, the dispersion, and how much was heard of it."""

    level: float
    hours: Floats
    days: Floats
    dispersion: float
    buckets: float
    memory: float = 1.0
    """How many buckets in a row tell as much as one would, were they independent."""

    def expect(self, starts: Floats, coverage: Floats) -> Floats:
        """Expected count of buckets starting at epoch seconds."""
        hour, day = clock(starts)
        return np.asarray(self.level * self.hours[hour] * self.days[day] * coverage)

    def tail(self, seen: Floats, expected: Floats) -> Floats:
        """The negative binomial upper tail."""
        return tails.tail(seen, expected, np.asarray(self.dispersion))

    def ratios(self, seen: Floats, expected: Floats) -> Floats:
        """Negative binomial likelihood ratios of rises."""
        # A power below 1 of a fair bet is a fair bet still (Jensen).
        return np.asarray(tails.rise_ratios(seen, MARGIN * expected, self.dispersion) ** (1.0 / self.memory))

    def upper(self, expected: Floats, alpha: Floats) -> Floats:
        """The largest count that is no spike."""
        return tails.usual_at_most(expected, np.full(len(expected), self.dispersion), alpha)


@dataclass(frozen=True, slots=True)
class Values:
    """The past of values that are no counts: a level, what each hour adds, and the spread around both."""

    level: float
    hours: Floats
    spread: float
    buckets: float
    dispersion: float = np.nan

    def expect(self, starts: Floats, coverage: Floats) -> Floats:  # noqa: ARG002 - half heard is not half as warm
        """The forecast value of buckets starting at epoch seconds."""
        return np.asarray(self.level + self.hours[clock(starts)[0]])

    def tail(self, seen: Floats, expected: Floats) -> Floats:
        """Student's tail on both sides."""
        return tails.value_tail((seen - expected) / self.spread)

    def ratios(self, seen: Floats, expected: Floats) -> Floats:
        """Likelihood ratios of shifts."""
        return tails.shift_ratios((seen - expected) / self.spread)

    def upper(self, expected: Floats, alpha: Floats) -> Floats:
        """The largest value that is usual."""
        return np.asarray(expected + self.spread * tails.value_bound(alpha))


def fit(starts: Floats, seen: Floats, coverage: Floats, *, known: bool | None = None) -> Past:
    """Fit what suits the past; `known`: whether these are counts, None when that is to be seen from them."""
    if counted(seen) if known is None else known:
        return counts(starts, seen, coverage)
    return values(starts, seen)


def counts(starts: Floats, seen: Floats, coverage: Floats) -> Counts:
    """Fit past counts, capping what no longer looks like itself. `coverage` is the share heard, above 0."""
    hour, day = clock(starts)
    capped = seen.astype(float)
    for _ in range(3):
        level = (capped.sum() + 0.5) / max(coverage.sum(), 1e-9)
        hours = _factor(hour, 24, capped, coverage * level)
        days = _factor(day, 7, capped, coverage * level * hours[hour])
        mean = np.maximum(level * hours[hour] * days[day] * coverage, 1e-9)
        spread = max(float(((capped - mean) ** 2 - mean).sum() / (mean**2).sum()), DISPERSION_FLOOR)
        # At least one post is always usual: a cap below it would unlearn rare frames.
        capped = np.minimum(capped, np.maximum(np.ceil(mean + 4 * np.sqrt(mean + spread * mean**2)), 1.0))
    total = spread + 1.0 / (capped.sum() + 0.5)
    level *= _regime(starts, seen, mean)
    memory = _memory((capped - mean) / np.sqrt(mean + spread * mean**2))
    return Counts(level, hours, days, float(total), float(coverage.sum()), memory)


def values(starts: Floats, seen: Floats) -> Values:
    """Fit past values: medians and quartiles, which a burst hardly moves."""
    hour, _ = clock(starts)
    level = float(np.median(seen))
    around = seen - level
    low, high = np.quantile(around, [0.25, 0.75])
    inner = np.clip(around, low - 3 * (high - low), high + 3 * (high - low))
    hours = np.bincount(hour, inner, 24) / (np.bincount(hour, minlength=24) + SHRINK)
    low, high = np.quantile(around - hours[hour], [0.25, 0.75])
    # A value that never moved may move a thousandth of itself before it is a surprise.
    spread = max(float(high - low) / 1.35, 1e-3 * abs(level), 1e-9)
    return Values(level, hours, spread, float(len(seen)))


def clock(starts: Floats) -> tuple[Ints, Ints]:
    """Hour of day (0-23) and day of week (Thursday is 0: the epoch's) of epoch seconds."""
    seconds = starts.astype(np.int64)
    return (seconds // 3600) % 24, (seconds // 86_400) % 7


def _factor(index: Ints, size: int, seen: Floats, expected: Floats) -> Floats:
    added = np.bincount(index, seen, size) + SHRINK
    return np.asarray(added / (np.bincount(index, expected, size) + SHRINK))


def _memory(residuals: Floats) -> float:
    """The sum of the autocorrelations up to a day of hours that are clearly not chance, in both directions."""
    n, variance = len(residuals), float(residuals @ residuals)
    if n <= 2 * LAGS or variance <= 0:
        return 1.0
    found = np.array([residuals[lag:] @ residuals[:-lag] for lag in range(1, LAGS + 1)]) / variance
    return float(1.0 + 2.0 * found[found > 2.0 / np.sqrt(n)].sum())


def _regime(starts: Floats, seen: Floats, mean: Floats) -> float:
    """By how much the last days lie above or below the level, when all of them clearly do; else 1."""
    recent = starts >= (starts[-1] // 86_400 - REGIME_DAYS + 1) * 86_400
    day = (starts[recent] // 86_400).astype(np.int64)
    day -= day[0]
    found, usual = np.bincount(day, seen[recent]), np.bincount(day, mean[recent])
    heard = usual > 0
    if heard.sum() < REGIME_DAYS or usual.sum() < REGIME_COUNTS or recent.all():
        return 1.0
    ratios = found[heard] / usual[heard]
    if ratios.min() > REGIME_RATIO or ratios.max() < 1 / REGIME_RATIO:
        return float(np.median(ratios))
    return 1.0
