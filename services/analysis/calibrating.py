"""Replay calibration: what a test said of the past, corrects what it says now.

Evidence e = -ln(p) of an honest test goes beyond u with probability exp(-u), and by 1 on average. Where the past of the
same series goes beyond more often or further (autocorrelated moods do that), the tail is fitted to it (peaks over a
threshold, an exponential of the measured mean) and used instead. One series has few peaks: they are weighed against
what is known of all, and never make a test bolder than that. What is known is theory where nothing was replayed; else
what all series together say, whose many peaks may show a test to be too shy (a sum of likelihood ratios is).
"""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from math import exp, log
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.analysis.windows import Windows

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

BEYOND = -log(0.05)
"""Evidence from which on the tail is fitted."""
PRIOR_BUCKETS = 200.0
"""Buckets of what is known beforehand that the measured ones are weighed against."""
FARTHEST = 12.0
"""A single peak counts for no more than this beyond, in scales: a burst of the past does not silence the next."""
APART_S, APART_BUCKETS = 43_200.0, 4.0
"""Time, or buckets where those take longer, that must lie between two peaks."""
LEAST, MOST = 8.0, 400.0
"""Peaks that what is known of all series weighs at least and at most."""
FEW = 8
"""Peaks below which a series, and series below which they all, say nothing of how much series differ."""


@dataclass(frozen=True, slots=True)
class Tail:
    """What is known of a test before one looks at a series: how often beyond, how far, worth how many peaks."""

    share: float = exp(-BEYOND)
    scale: float = 1.15
    weight: float = 20.0


SPIKES, RISES = Tail(scale=1.5), Tail(scale=1.2)


@dataclass(frozen=True, slots=True)
class Known:
    """What all series together say of the two tests; where nothing was replayed, what independent counts say.

    The tail of a spike is flatter than its theory, for its dispersion is itself only estimated.
    """

    spikes: Tail = SPIKES
    rises: Tail = RISES


class Calibration(NamedTuple):
    """How often a test goes beyond, and how far: of one series and day, or of each bucket."""

    share: Floats
    scale: Floats

    def correct(self, evidence: Floats) -> Floats:
        """The evidence that is left of what a test says."""
        usual = -np.log(self.share)
        beyond = (evidence - BEYOND) / self.scale + usual
        return np.asarray(np.where(evidence > BEYOND, beyond, np.minimum(evidence, usual)))

    def needed(self, evidence: Floats) -> Floats:
        """What a test must say for so much evidence to be left."""
        more = BEYOND + self.scale * np.maximum(evidence + np.log(self.share), 0.0)
        return np.where(evidence > BEYOND, more, evidence)

    def of(self, day: Ints) -> "Calibration":
        """Those of these days."""
        return Calibration(self.share[day], self.scale[day])


def apart(step_s: float) -> int:
    """Buckets that lie between two peaks."""
    return int(max(APART_S / step_s, APART_BUCKETS))


def peaks(at: NDArray[np.int64], evidence: Floats, gap: int) -> Floats:
    """How far each run of evidence beyond goes beyond. `at`: numbers of the buckets; runs lie more than `gap` apart."""
    if not len(at):
        return np.zeros(0)
    begins = np.append(0, np.flatnonzero(np.diff(at) > gap) + 1)
    return np.asarray(np.maximum.reduceat(evidence, begins)) - BEYOND


def calibrate(found: Floats, buckets: int, known: Tail) -> Calibration:
    """Learn from the past peaks of a series, as far beyond as they went, in so many buckets."""
    one = _learned((found, np.zeros(len(found), np.int64)), np.array([buckets]), np.array([astuple(known)]))
    return Calibration(one.share[0], one.scale[0])


def by_day(evidence: Floats, windows: Windows, gap: int, known: Floats) -> Calibration:
    """The calibration of each day from the evidence in its window, NaN where nothing was judged.

    `known`: a Tail a day, as rows of numbers.
    """
    judged = ~np.isnan(evidence)
    said, windows = evidence[judged], windows.among(judged)
    beyond = said > BEYOND
    found = (np.flatnonzero(beyond), said[beyond])
    return by_window(found, windows.among(beyond), (gap, windows.sizes), known)


def by_window(found: tuple[Ints, Floats], windows: Windows, of: tuple[int, Ints], known: Floats) -> Calibration:
    """The calibration of each window of evidence beyond: `found` are the buckets' numbers and what was said of them.

    `of`: how far peaks lie apart, and how many buckets were judged in each window.
    """
    (at, far), (gap, buckets) = found, of
    which, row = windows.flat()
    # A run that began before a window counts from where the window begins.
    begins = np.append(True, (np.diff(which) > 0) | (np.diff(at[row]) > gap))[: len(row)]
    first = np.flatnonzero(begins)
    peaks_ = np.maximum.reduceat(far[row], first) - BEYOND if len(first) else np.zeros(0)
    return _learned((peaks_, which[first]), buckets, known)


def _learned(peaks_of: tuple[Floats, Ints], buckets: Ints, known: Floats) -> Calibration:
    """From peaks and the day of each; `known`: share, scale and weight of each day."""
    (found, day), n, (share, scale, weight) = peaks_of, len(buckets), known.T
    count = np.bincount(day, minlength=n)
    near = np.bincount(day, np.minimum(found, FARTHEST * scale[day]), n)
    often = (count + PRIOR_BUCKETS * share) / (buckets + PRIOR_BUCKETS)
    return Calibration(np.maximum(often, share), np.maximum((near + weight * scale) / (count + weight), 1.0))


def pool(found: Sequence[Floats], buckets: int) -> Tail:
    """What all series together say of a test. The more alike they are, the more it weighs (empirical Bayes).

    `found`: the peaks of each series; `buckets`: of all series together.
    """
    every, theory = np.concatenate([np.zeros(0), *found]), Tail()
    far = FARTHEST * max(float(np.median(every)) / log(2.0), 1.0) if len(every) else 0.0
    total = float(np.minimum(every, far).sum()) + theory.weight * theory.scale
    scale = total / (len(every) + theory.weight)
    share = (len(every) + PRIOR_BUCKETS * theory.share) / (buckets + PRIOR_BUCKETS)
    near = [np.minimum(one, FARTHEST * scale) for one in found if len(one) >= FEW]
    weight = theory.weight
    if len(near) >= FEW:
        means, counts = np.array([one.mean() for one in near]), np.array([float(len(one)) for one in near])
        between = float(np.var(means) - (scale**2 / counts).mean())
        weight = min(max(scale**2 / between if between > 0 else MOST, LEAST), MOST)
    return Tail(share, max(scale, 1.0), weight)
