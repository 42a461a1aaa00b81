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
FAR = 5.0
"""Deviations beyond which one value says no more of a lasting shift."""
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

    @property
    def vague(self) -> float:
        """Squared relative error of the level of counts."""

    def expect(self, starts: Floats, coverage: Floats) -> Floats:
        """What is expected of buckets, so much of each being heard."""

    def tail(self, seen: Floats, expected: Floats) -> Floats:
        """How probable it is to see so much or more."""

    def stretch(self, seen: Floats, expected: Floats) -> tuple[Floats, Floats]:
        """What adds up over a stretch of buckets, and what is expected of it."""

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
    vague: float = 0.0
    """Squared relative error of the level itself."""

    def expect(self, starts: Floats, coverage: Floats) -> Floats:
        """Expected count of buckets starting at epoch seconds."""
        return np.asarray((self.level * self.days[:, None] * self.hours).ravel()[slots(starts)] * coverage)

    def tail(self, seen: Floats, expected: Floats) -> Floats:
        """The negative binomial upper tail."""
        return tails.tail(seen, expected, np.asarray(self.dispersion))

    def stretch(self, seen: Floats, expected: Floats) -> tuple[Floats, Floats]:
        """The counts themselves."""
        return seen, expected

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
    vague: float = np.nan

    def expect(self, starts: Floats, coverage: Floats) -> Floats:  # noqa: ARG002 - half heard is not half as warm
        """The forecast value of buckets starting at epoch seconds."""
        return np.asarray(self.level + self.hours[slots(starts) % 24])

    def tail(self, seen: Floats, expected: Floats) -> Floats:
        """Student's tail on both sides."""
        return tails.value_tail((seen - expected) / self.spread)

    def stretch(self, seen: Floats, expected: Floats) -> tuple[Floats, Floats]:
        """How many spreads each value lies from its forecast, at most FAR; none are expected."""
        return np.clip((seen - expected) / self.spread, -FAR, FAR), np.zeros(len(seen))

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
    slot = slots(starts)
    heard = np.bincount(slot, coverage, 168).reshape(7, 24)
    capped = seen.astype(float)
    for _ in range(3):
        found = np.bincount(slot, capped, 168).reshape(7, 24)
        level = (found.sum() + 0.5) / max(heard.sum(), 1e-9)
        hours = (found.sum(0) + SHRINK) / (level * heard.sum(0) + SHRINK)
        days = (found.sum(1) + SHRINK) / (level * (heard @ hours) + SHRINK)
        mean = np.maximum((level * days[:, None] * hours).ravel()[slot] * coverage, 1e-9)
        spread = max(float(((capped - mean) ** 2 - mean).sum() / (mean**2).sum()), DISPERSION_FLOOR)
        # At least one post is always usual: a cap below it would unlearn rare frames.
        capped = np.minimum(capped, np.maximum(np.ceil(mean + 4 * np.sqrt(mean + spread * mean**2)), 1.0))
    vague = 1.0 / (found.sum() + 0.5)
    return Counts(level * _regime(starts, seen, mean), hours, days, spread + vague, float(coverage.sum()), float(vague))


def values(starts: Floats, seen: Floats) -> Values:
    """Fit past values: medians and quartiles, which a burst hardly moves."""
    hour = slots(starts) % 24
    level = float(np.median(seen))
    around = seen - level
    low, high = np.quantile(around, [0.25, 0.75])
    inner = np.clip(around, low - 3 * (high - low), high + 3 * (high - low))
    hours = np.bincount(hour, inner, 24) / (np.bincount(hour, minlength=24) + SHRINK)
    low, high = np.quantile(around - hours[hour], [0.25, 0.75])
    # A value that never moved may move a thousandth of itself before it is a surprise.
    spread = max(float(high - low) / 1.35, 1e-3 * abs(level), 1e-9)
    return Values(level, hours, spread, float(len(seen)))


def slots(starts: Floats) -> Ints:
    """Hour of the week of epoch seconds, 0 to 167, from Thursday 00:00 UTC (the epoch's) on."""
    return np.asarray((starts // 3600).astype(np.int64) % 168)


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
