"""How much the posts of a stretch of buckets vary, and what a stretch says for a rise: counts, or values that shift.

Arrays of stretches, of any shape; which length and which day each is of, the caller says (analysis/sustained).
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.analysis import tails

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

PRIOR_WINDOWS = 10.0
"""Stretches, not overlapping, that independence weighs against what was measured."""
RISING, SHIFTED = 1.2, 0.5
"""What is over is no rise: the last quarter must be so many times the usual, or shifted by that share of the whole."""
UNUSUAL = 4.0
"""A stretch counts for no more than this many standard deviations: a burst of the past is not how things vary."""
MOST = 300.0
"""Evidence of one bet in nats, at most."""


class Fitted(NamedTuple):
    """Of each day: the dispersion of a bucket as fitted, and that of the level itself."""

    dispersion: Floats
    vague: Floats


class Rises(NamedTuple):
    """Stretches of counts: what was seen and expected, and their overdispersion when that of a bucket is 1."""

    s: Floats
    e: Floats
    each: Floats

    @property
    def basis(self) -> Floats:
        """What `off` is measured in."""
        return self.e * self.e

    def at(self, cells: tuple[Ints, ...]) -> "Rises":
        """Some of them."""
        return Rises(self.s[cells], self.e[cells], self.each[cells])

    def alone(self, dispersion: Floats, vague: Floats) -> Floats:
        """The overdispersion of a stretch whose buckets are independent."""
        return dispersion * self.each + vague

    def far(self, spread: Floats | float) -> Floats:
        """How many posts of a stretch count at most; one always does."""
        return np.maximum(self.e + UNUSUAL * np.sqrt(self.e + spread * self.e * self.e), 1.0)

    def beyond(self, spread: Floats) -> Flags:
        """Those of which not everything counts."""
        return np.asarray(self.s > self.far(spread))

    def off(self, spread: Floats | float) -> Floats:
        """By how much their variance was more than that of Poisson counts."""
        return np.asarray((np.minimum(self.s, self.far(spread)) - self.e) ** 2 - self.e)

    def lasts(self, quarter: Ints) -> Flags:
        """Whether the last quarter shows a rise too; `quarter`: which length it is of each."""
        return np.asarray(self.s[quarter] >= RISING * self.e[quarter])

    def bets(self, spread: Floats) -> Floats:
        """The mean likelihood ratio of the rises, against none."""
        size, total = 1.0 / spread, np.zeros_like(self.e)
        for rise in tails.RISES:
            told = self.s * np.log(rise) + (self.s + size) * np.log((size + self.e) / (size + rise * self.e))
            total += np.exp(np.minimum(told, MOST))
        return total / len(tails.RISES)


class Shifts(NamedTuple):
    """Stretches of values: the sum of their deviations from the forecast, in spreads, and how many there were."""

    s: Floats
    n: Floats

    @property
    def basis(self) -> Floats:
        """What `off` is measured in."""
        return self.n

    def at(self, cells: tuple[Ints, ...]) -> "Shifts":
        """Some of them."""
        return Shifts(self.s[cells], self.n[cells])

    def alone(self, dispersion: Floats, vague: Floats) -> Floats:  # noqa: ARG002 - values have neither
        """The variance, a value, of a stretch whose values are independent."""
        return np.ones_like(self.n)

    def beyond(self, spread: Floats) -> Flags:
        """Those of which not everything counts."""
        return np.asarray(self.s * self.s > UNUSUAL**2 * spread * self.n)

    def off(self, spread: Floats | float) -> Floats:
        """Their squares, as far as they count."""
        most = np.inf if np.isscalar(spread) else UNUSUAL**2 * spread * self.n
        return np.asarray(np.minimum(self.s * self.s, most))

    def lasts(self, quarter: Ints) -> Flags:
        """Whether the last quarter is shifted too; `quarter`: which length it is of each."""
        return ~np.asarray(self.s[quarter] * self.n * np.sign(self.s) < SHIFTED * np.abs(self.s) * self.n[quarter])

    def bets(self, spread: Floats) -> Floats:
        """The mean likelihood ratio of the shifts, against none."""
        z, total = self.s / np.sqrt(np.maximum(spread * self.n, 1.0)), np.zeros_like(self.n)
        for shift in tails.SHIFTS:
            total += np.exp(np.minimum(shift * z - shift * shift / 2.0, MOST))
        return total / len(tails.SHIFTS)


@dataclass(frozen=True, slots=True)
class Varied:
    """What the days before each day say of how stretches vary, but for how far off they were, which comes last."""

    lengths: Ints
    fitted: Fitted
    size: Floats
    judged: Floats

    def least(self, moved: Rises | Shifts, of: Ints) -> Floats:
        """The least that the spread of every stretch may turn out to be. `of`: the day of each bucket."""
        return moved.alone(0.5 * self.fitted.dispersion[of], self.fitted.vague[of])

    def dispersion(self, day: Ints | int, off: Floats) -> Floats:
        """Of single buckets: what the fit says, weighed against what they were off by in the days before."""
        fitted, judged = self.fitted.dispersion[day], self.judged[day]
        weight = PRIOR_WINDOWS * self.lengths[-1]
        measured = off / np.maximum(self.size[day, 0], 1e-9)
        return np.asarray(np.maximum((weight * fitted + judged * measured) / (weight + judged), 0.5 * fitted))

    def spread(self, stretches: Rises | Shifts, which: tuple[Ints, Ints | int], off: tuple[Floats, Floats]) -> Floats:
        """Of stretches of `which` lengths and days; `off`: what single buckets, and such lengths, were off by."""
        length, day = which
        alone = stretches.alone(self.dispersion(day, off[0]), self.fitted.vague[day])
        known = self.judged[day] / self.lengths[length]
        measured = off[1] / np.maximum(self.size[day, length], 1e-9)
        weighed = (known * measured + PRIOR_WINDOWS * alone) / (known + PRIOR_WINDOWS)
        return np.asarray(np.maximum(alone, weighed))
