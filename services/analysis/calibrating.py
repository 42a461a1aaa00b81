"""Replay calibration: what a test said of the past, corrects what it says now.

Evidence e = -ln(p) of an honest test goes beyond u with probability exp(-u), and by 1 on average. Where the past of the
same series goes beyond more often or further (autocorrelated moods do that), the tail is fitted to it (peaks over a
threshold, an exponential of the measured mean) and used instead. It never makes a test bolder than its theory.
"""

from dataclasses import dataclass
from math import exp, log

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

BEYOND = -log(0.05)
"""Evidence from which on the tail is fitted."""
PRIOR_PEAKS = 5.0
PRIOR_BUCKETS = 200.0
"""Peaks and buckets of theory that the measured ones are weighed against."""
FARTHEST = 12.0
"""A single peak counts for no more than this beyond: a burst of the past does not silence the next."""
APART = 12
"""Buckets that must lie between two peaks."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """How often a test goes beyond, and how far."""

    share: float = exp(-BEYOND)
    scale: float = 1.0

    def correct(self, evidence: Floats) -> Floats:
        """The evidence that is left of what a test says."""
        beyond = np.maximum(evidence - BEYOND, 0.0) / self.scale - log(self.share)
        return np.asarray(np.minimum(evidence, beyond))

    def needed(self, evidence: float) -> float:
        """What a test must say for so much evidence to be left."""
        return max(evidence, BEYOND + self.scale * (evidence + log(self.share)))


def calibrate(evidence: Floats) -> Calibration:
    """Learn from past evidence, in order of time. Peaks that belong together are one, as they would be one alarm."""
    beyond = np.flatnonzero(evidence > BEYOND)
    share, scale = exp(-BEYOND), 1.0
    if len(beyond):
        begins = np.append(0, np.flatnonzero(np.diff(beyond) > APART) + 1)
        peaks = np.minimum(np.maximum.reduceat(evidence[beyond], begins) - BEYOND, FARTHEST)
        share = max((len(peaks) + PRIOR_BUCKETS * share) / (len(evidence) + PRIOR_BUCKETS), share)
        scale = max(float(peaks.sum() + PRIOR_PEAKS) / (len(peaks) + PRIOR_PEAKS), 1.0)
    return Calibration(share, scale)
