"""How good a frame is, from what people said of a stratified sample: precision and recall with 95 % intervals.

Pure. What must not count (texts the codebook holds, labels that chose its threshold) is left out before this.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

Z = 1.959964
"""Of a 95 % interval."""
FEW = 3
"""Judged units below which no precision is told: its interval would be almost everything."""
VAGUE = 0.75
"""Width from which a recall is called unknown: that of its interval had nothing been missed in the sample. What was
missed does not decide, else only the samples that happen to hold a missed post would be told."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Judged:
    """One sample that somebody answered with yes or no."""

    week: date
    stratum: str
    size: int
    """Units in its stratum that week."""
    unit_key: bytes
    yes: float
    """Share of its judges who say that it carries the frame."""
    carried: bool
    """Whether the version that is measured says so."""
    probability: float
    """Its score under that version."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A share with its 95 % interval, and how many judged units it stands on."""

    value: float
    low: float
    high: float
    judged: int


def wilson(share: float, count: float) -> tuple[float, float]:
    """Wilson's score interval (Wilson 1927) of a share among `count` (which need not be whole); (0, 1) of none.

    With `count` the effective size of a weighted sample it is the interval that Dean and Pagano (2015) recommend for
    surveys with few cases.
    """
    middle = (share * count + Z * Z / 2) / (count + Z * Z)
    half = Z * math.sqrt(max(share * (1 - share), 0.0) * count + Z * Z / 4) / (count + Z * Z)
    # Not 0.9999999 where all of them are so.
    return max(min(middle - half, share), 0.0), min(max(middle + half, share), 1.0)


def exact(share: float, count: float) -> tuple[float, float]:
    """The interval of Clopper and Pearson (1934) with an effective count, as Korn and Graubard (1998) have it for rare
    things in surveys: wider than Wilson's, whose lower limit promises too much where one in many was found."""
    hits = share * count
    low = float(betaincinv(hits, count - hits + 1, 0.025)) if hits > 0 else 0.0
    high = float(betaincinv(hits + 1, count - hits, 0.975)) if hits < count else 1.0
    return min(low, share), max(high, share)


def effective(weights: Floats) -> float:
    """How many equally weighted units say as much (Kish 1965): (sum of weights)² / sum of squares."""
    squares = float((weights * weights).sum())
    return float(weights.sum()) ** 2 / squares if squares > 0 else 0.0


def weights(samples: Sequence[Judged]) -> Floats:
    """How many units of its week and stratum each sample stands for: the stratum's size over those judged of it.

    A week and stratum of which nothing is judged is stood for by the same stratum of other weeks.
    """
    judged: dict[tuple[date, str], int] = {}
    for s in samples:
        judged[s.week, s.stratum] = judged.get((s.week, s.stratum), 0) + 1
    return np.array([s.size / judged[s.week, s.stratum] for s in samples], np.float64)


def precision(samples: Sequence[Judged]) -> Estimate | None:
    """The share of units said to carry the frame that do: weighted by the design, over every stratum.

    None below FEW judged units. It is a ratio of Horvitz-Thompson totals (Hájek 1971), so that it also holds for a
    version applied after the draw, under which other units carry the frame.
    """
    return share_of(samples, weights(samples), [s.carried for s in samples])


def share_of(samples: Sequence[Judged], weighed: Floats, chosen: Sequence[bool]) -> Estimate | None:
    """The weighted share of `yes` among the chosen samples; None below FEW of them."""
    kept = np.array(chosen, bool)
    if int(kept.sum()) < FEW:
        return None
    yes = np.array([s.yes for s in samples], np.float64)
    share = float(np.average(yes[kept], weights=weighed[kept]))
    count = effective(_by_unit(samples, weighed, np.flatnonzero(kept)))
    return Estimate(share, *wilson(share, count), int(kept.sum()))


def recall(samples: Sequence[Judged], sizes: Iterable[tuple[str, int]]) -> Estimate | None:
    """The share of units that carry the frame which are found; None when the sample cannot say.

    `sizes` are (stratum, units) of every week that is looked at. What is found and what is missed are totals over the
    strata, each share with its Wilson interval; limits of sums and of their ratio follow by recovering variances from
    limits (MOVER: Zou and Donner 2008, Donner and Zou 2012). Not known where a stratum holds units of which none was
    judged, and where so few were that the interval could not be narrower than VAGUE.
    """
    units: dict[str, int] = {}
    for stratum, size in sizes:
        units[stratum] = units.get(stratum, 0) + size
    weighed = weights(samples)
    found, missed, nothing = _Total(), _Total(), _Total()
    for stratum, size in units.items():
        here = [i for i, s in enumerate(samples) if s.stratum == stratum]
        if size and not here:
            return None
        found.add(size, _part(samples, weighed, here, carried=True))
        part = _part(samples, weighed, here, carried=False)
        missed.add(size, part)
        nothing.add(size, part and (0.0, *exact(0.0, effective(_by_unit(samples, weighed, here)))))
    if found.value <= 0 or len(samples) < FEW or 1 - _share_limits(found, nothing)[0] > VAGUE:
        return None
    return Estimate(found.value / (found.value + missed.value), *_share_limits(found, missed), len(samples))


class _Total:
    """A sum over strata with limits: each part's distance to its limits adds up in squares (MOVER)."""

    def __init__(self) -> None:
        self.value = self._below = self._above = 0.0

    def add(self, size: int, part: tuple[float, float, float] | None) -> None:
        """A stratum of `size` units, and (share, low, high) of it; None for a share that is 0 for certain."""
        if part is not None:
            share, low, high = part
            self.value += size * share
            self._below += (size * (share - low)) ** 2
            self._above += (size * (high - share)) ** 2

    @property
    def limits(self) -> tuple[float, float]:
        """The interval of the sum."""
        return max(self.value - math.sqrt(self._below), 0.0), self.value + math.sqrt(self._above)


def _part(
    samples: Sequence[Judged], weighed: Floats, here: Sequence[int], *, carried: bool
) -> tuple[float, float, float] | None:
    """Share of a stratum's units that carry the frame and are (not) found; None where no sample could be such."""
    if not here or not any(samples[i].carried is carried for i in here):
        return None
    so = [samples[i].yes * (samples[i].carried is carried) for i in here]
    share = float(np.average(so, weights=weighed[list(here)]))
    return share, *exact(share, effective(_by_unit(samples, weighed, here)))


def _by_unit(samples: Sequence[Judged], weighed: Floats, here: Iterable[int]) -> Floats:
    """Weights by unit: one that was drawn in several weeks is no more than one witness."""
    units: dict[bytes, float] = {}
    for i in here:
        units[samples[i].unit_key] = units.get(samples[i].unit_key, 0.0) + float(weighed[i])
    return np.array(list(units.values()), np.float64)


def _share_limits(found: _Total, missed: _Total) -> tuple[float, float]:
    """Limits of found / (found + missed)."""
    (found_low, found_high), (missed_low, missed_high) = found.limits, missed.limits
    most = _ratio(missed.value, missed_high, found.value, found_low, upper=True)
    least = _ratio(missed.value, missed_low, found.value, found_high, upper=False)
    return 1 / (1 + most), 1 / (1 + least)


def _ratio(above: float, above_limit: float, below: float, below_limit: float, *, upper: bool) -> float:
    """One limit of above / below (Donner and Zou 2012, for two independent estimates)."""
    a = (above - above_limit) ** 2 - above * above
    b = (below - below_limit) ** 2 - below * below
    cross = above * below
    root = math.sqrt(max(cross * cross - a * b, 0.0))
    if upper:
        return (-cross - root) / b if b < 0 else math.inf
    return -a / (cross + root) if cross + root > 0 else 0.0
