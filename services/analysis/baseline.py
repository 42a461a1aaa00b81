"""What the past of a series says of its next day: level x hour of day x day of week. Fits what it is given, no more.

Counts: each factor is shrunk to 1 by pseudo-counts and past bursts are capped (after Farrington Flexible: Noufaily et
al. 2013, doi:10.1002/sim.5595); counts are negative binomial around it, dispersion by moments. That the level itself
is only estimated adds to the dispersion. When the last days all lie on one side of the level and far from it, the
level is theirs: a change of regime is no burst for four weeks.
Values that are no counts (a percentage, a temperature, money): median level plus hour of day, spread by quartiles.
The pasts of many days are fitted together, each to its own window of rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from services.analysis import tails
from services.analysis.windows import Windows

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
WEEK_HOURS = 168


class Pasts(Protocol):
    """What the fitted pasts of some days answer about new buckets; `of` says which day each bucket is of."""

    @property
    def dispersion(self) -> Floats:
        """Of counts; NaN for values."""

    @property
    def vague(self) -> Floats:
        """Squared relative error of the level of counts."""

    def expect(self, of: Ints, starts: Floats, exposure: Floats) -> Floats:
        """What is expected of buckets, each being exposed to so much."""

    def tail(self, of: Ints, seen: Floats, expected: Floats) -> Floats:
        """How probable it is to see so much or more."""

    def stretch(self, of: Ints, seen: Floats, expected: Floats) -> tuple[Floats, Floats]:
        """What adds up over a stretch of buckets, and what is expected of it."""

    def upper(self, of: Ints, expected: Floats, alpha: Floats) -> Floats:
        """The most that is usual, at a tail of alpha."""

    def spread_by(self, dispersion: Floats) -> Self:
        """The same with another dispersion."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Pasts of counts: a level, its factors, and the dispersion; a row a day."""

    level: Floats
    """For exposure 1."""
    hours: Floats
    days: Floats
    dispersion: Floats
    vague: Floats
    """Squared relative error of the level itself."""

    def expect(self, of: Ints, starts: Floats, exposure: Floats) -> Floats:
        """Expected count of buckets starting at epoch seconds."""
        slot = slots(starts)
        return np.asarray(self.level[of] * self.days[of, slot // 24] * self.hours[of, slot % 24] * exposure)

    def tail(self, of: Ints, seen: Floats, expected: Floats) -> Floats:
        """The negative binomial upper tail."""
        return tails.tail(seen, expected, self.dispersion[of])

    def stretch(self, of: Ints, seen: Floats, expected: Floats) -> tuple[Floats, Floats]:  # noqa: ARG002
        """The counts themselves."""
        return seen, expected

    def upper(self, of: Ints, expected: Floats, alpha: Floats) -> Floats:
        """The largest count that is no spike."""
        return tails.usual_at_most(expected, self.dispersion[of], alpha)

    def spread_by(self, dispersion: Floats) -> "Counts":
        """The same with another dispersion."""
        return Counts(self.level, self.hours, self.days, dispersion, self.vague)


@dataclass(frozen=True, slots=True)
class Values:
    """Pasts of values that are no counts: a level, what each hour adds, and the spread around both."""

    level: Floats
    hours: Floats
    spread: Floats
    dispersion: Floats
    vague: Floats

    def expect(self, of: Ints, starts: Floats, exposure: Floats) -> Floats:  # noqa: ARG002 - half heard is not half as warm
        """The forecast value of buckets starting at epoch seconds."""
        return np.asarray(self.level[of] + self.hours[of, slots(starts) % 24])

    def tail(self, of: Ints, seen: Floats, expected: Floats) -> Floats:
        """Student's tail on both sides."""
        return tails.value_tail((seen - expected) / self.spread[of])

    def stretch(self, of: Ints, seen: Floats, expected: Floats) -> tuple[Floats, Floats]:
        """How many spreads each value lies from its forecast, at most FAR; none are expected."""
        return np.clip((seen - expected) / self.spread[of], -FAR, FAR), np.zeros(len(seen))

    def upper(self, of: Ints, expected: Floats, alpha: Floats) -> Floats:
        """The largest value that is usual."""
        return np.asarray(expected + self.spread[of] * tails.value_bound(alpha))

    def spread_by(self, dispersion: Floats) -> "Values":  # noqa: ARG002 - values have none
        """The same."""
        return self


def counts(starts: Floats, seen: Floats, exposure: Floats, windows: Windows) -> Counts:
    """Fit past counts, capping what no longer looks like itself.

    `exposure`: what counts are in proportion to, all else equal: the share of a bucket that was heard, or how many
    posts there were of any kind; above 0. No window is empty.
    """
    (of, row), slot = windows.flat(), slots(starts)
    hour, place = np.unique(slot % 24, return_inverse=True)
    table = _Table(len(windows), len(hour))
    at, x, exposed = of * table.width + (slot // 24 * len(hour) + place)[row], seen.astype(float)[row], exposure[row]
    sums = table.sums(at, (x, x * x, x * exposed, exposed, exposed * exposed))
    total = sums[3].sum((1, 2))
    for last in (False, False, True):
        found = sums[0].sum((1, 2))
        level = (found + 0.5) / np.maximum(total, 1e-9)
        hours = (sums[0].sum(1) + SHRINK) / (level[:, None] * sums[3].sum(1) + SHRINK)
        days = (sums[0].sum(2) + SHRINK) / (level[:, None] * (sums[3] * hours[:, None, :]).sum(2) + SHRINK)
        usual = level[:, None, None] * days[:, :, None] * hours[:, None, :]
        squares = (usual**2 * sums[4]).sum((1, 2))
        off = (sums[1] - 2 * usual * sums[2] - usual * sums[3]).sum((1, 2)) + squares
        spread = np.maximum(off / np.maximum(squares, 1e-18), DISPERSION_FLOOR)
        if not last:
            _cap((of, at), x, exposed, (usual, spread, sums))
    vague = 1.0 / (found + 0.5)
    every = np.ones((len(windows), 24))
    every[:, hour] = hours
    level = level * _regime(starts, seen, exposure, (level, every, days, windows))
    return Counts(level, every, days, spread + vague, vague)


class _Table(NamedTuple):
    """Sums by window, day of week and hour of day, of the hours that there are."""

    windows: int
    hours: int

    @property
    def width(self) -> int:
        """Slots a window."""
        return 7 * self.hours

    def sums(self, at: Ints, weights: Sequence[Floats]) -> Floats:
        """One table of each weight."""
        size = self.windows * self.width
        return np.array([np.bincount(at, w, size).reshape(self.windows, 7, self.hours) for w in weights])


def _cap(rows: tuple[Ints, Ints], x: Floats, exposed: Floats, told: tuple[Floats, Floats, Floats]) -> None:
    """Cap what lies far above its mean, in the counts and in the tables of their sums."""
    (of, at), (usual, spread, sums) = rows, told
    mean = np.maximum(usual.ravel()[at] * exposed, 1e-9)
    # No cap is lower than this; at least one post is always usual: a cap below it would unlearn rare frames.
    high = np.flatnonzero((x > 1.0) & (x > (1 + 4 * np.sqrt(DISPERSION_FLOOR)) * mean))
    mean, old = mean[high], x[high]
    cap = np.maximum(np.ceil(mean + 4 * np.sqrt(mean + spread[of[high]] * mean * mean)), 1.0)
    x[high] = new = np.minimum(old, cap)
    over = old - new
    for table, weight in zip(sums, (over, old * old - new * new, over * exposed[high]), strict=False):
        table -= np.bincount(at[high], weight, table.size).reshape(table.shape)


def values(starts: Floats, seen: Floats, windows: Windows) -> Values:
    """Fit past values: medians and quartiles, which a burst hardly moves. No window is empty."""
    n, hour = len(windows), slots(starts) % 24
    level, spread, hours = np.zeros(n), np.zeros(n), np.zeros((n, 24))
    for size in np.unique(windows.sizes):
        those = np.flatnonzero(windows.sizes == size)
        row = windows.begin[those, None] + np.arange(size)
        middle = np.median(seen[row], axis=1, keepdims=True)
        around = seen[row] - middle
        low, high = np.quantile(around, [0.25, 0.75], axis=1, keepdims=True)
        inner = np.clip(around, low - 3 * (high - low), high + 3 * (high - low))
        at = (np.arange(len(those))[:, None] * 24 + hour[row]).ravel()
        known = np.bincount(at, minlength=24 * len(those)) + SHRINK
        hours[those] = (np.bincount(at, inner.ravel(), 24 * len(those)) / known).reshape(-1, 24)
        low, high = np.quantile(around - np.take_along_axis(hours[those], hour[row], axis=1), [0.25, 0.75], axis=1)
        level[those] = middle[:, 0]
        spread[those] = (high - low) / 1.35
    # A value that never moved may move a thousandth of itself before it is a surprise.
    spread = np.maximum.reduce([spread, 1e-3 * np.abs(level), np.full(n, 1e-9)])
    unknown = np.full(n, np.nan)
    return Values(level, hours, spread, unknown, unknown)


def slots(starts: Floats) -> Ints:
    """Hour of the week of epoch seconds, 0 to 167, from Thursday 00:00 UTC (the epoch's) on."""
    return np.asarray((starts // 3600).astype(np.int64) % WEEK_HOURS)


def _regime(starts: Floats, seen: Floats, exposure: Floats, fitted: tuple[Floats, Floats, Floats, Windows]) -> Floats:
    """By how much the last days of each window lie above or below the level, when all of them clearly do; else 1."""
    (level, hours, days, windows), n = fitted, len(fitted[0])
    first = (starts[windows.end - 1] // 86_400 - REGIME_DAYS + 1) * 86_400
    begin = np.maximum(np.searchsorted(np.maximum.accumulate(starts), first), windows.begin)
    of, row = Windows(begin, windows.end).flat()
    # Clocks that are set back may leave a row behind that is of a later day than the last, or of an earlier.
    day = np.clip((starts[row] - first[of]) // 86_400, 0, REGIME_DAYS - 1).astype(np.int64)
    slot = slots(starts[row])
    mean = np.maximum(level[of] * days[of, slot // 24] * hours[of, slot % 24] * exposure[row], 1e-9)
    found, usual = (
        np.bincount(of * REGIME_DAYS + day, w, n * REGIME_DAYS).reshape(n, REGIME_DAYS) for w in (seen[row], mean)
    )
    ratios = found / np.maximum(usual, 1e-300)
    clear = (ratios.min(1) > REGIME_RATIO) | (ratios.max(1) < 1 / REGIME_RATIO)
    known = usual.all(1) & (usual.sum(1) >= REGIME_COUNTS) & (begin > windows.begin)
    return np.where(known & clear, np.median(ratios, axis=1), 1.0)
