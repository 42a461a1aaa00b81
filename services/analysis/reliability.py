"""Whether probabilities mean what they say: how often posts carry a frame, bin by bin of what they were given."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BINS = 10


@dataclass(frozen=True, slots=True)
class Bin:
    """Judgements (post and frame) whose probability is at least `low` and below `high`."""

    low: float
    high: float
    count: int
    said: float
    """Their mean probability."""
    true: float
    """The share of them that is so."""


def reliability(probabilities: NDArray[np.floating], true: NDArray[np.bool_]) -> list[Bin]:
    """The bins of equal width that any judgement falls into; both arrays of one shape, whatever it is."""
    said, so = probabilities.ravel(), true.ravel()
    places = np.minimum((said * BINS).astype(int), BINS - 1)
    return [
        Bin(i / BINS, (i + 1) / BINS, int(here.sum()), float(said[here].mean()), float(so[here].mean()))
        for i in range(BINS)
        if (here := places == i).any()
    ]


def calibration_error(bins: list[Bin]) -> float:
    """The expected calibration error: the mean of |said - true|, each bin by its count; 0 without judgements."""
    return sum(b.count * abs(b.said - b.true) for b in bins) / max(sum(b.count for b in bins), 1)
