"""Replay calibration: what a test said of the past, when nothing was on, corrects what it says now.

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
PRIOR_PEAKS = 10.0
PRIOR_BUCKETS = 200.0
"""Peaks and buckets of theory that the measured ones are weighed against."""
FARTHEST = 12.0
"""A single peak counts for no more than this beyond."""


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
    """Learn from past evidence of buckets in which nothing was on."""
    peaks = np.minimum(evidence[evidence > BEYOND] - BEYOND, FARTHEST)
    share = (len(peaks) + PRIOR_BUCKETS * exp(-BEYOND)) / (len(evidence) + PRIOR_BUCKETS)
    scale = (peaks.sum() + PRIOR_PEAKS) / (len(peaks) + PRIOR_PEAKS)
    return Calibration(float(max(share, exp(-BEYOND))), float(max(scale, 1.0)))
