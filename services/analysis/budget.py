"""Holds the false alarms of many series to one budget, by what the same rules said of their past.

Each series corrects itself (analysis/calibrating), from few peaks of its own. What is left over shows over all of
them: the accepted probability is lowered until the replayed past keeps the budget. It is never raised.
"""

from collections.abc import Sequence
from math import exp, log

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv

Floats = NDArray[np.float64]

CALM_BUCKETS = 24
"""Buckets without a burst after which the next is an alarm of its own."""
PEAKS = 50
"""Peaks of all series that the tail is fitted to: the highest."""


def alarms(probabilities: Floats, alpha: float) -> int:
    """How many alarms a series would have told at this accepted probability; NaN is not judged."""
    beyond = np.flatnonzero(probabilities < alpha)
    return int((np.diff(beyond) > CALM_BUCKETS).sum()) + (len(beyond) > 0)


def at_most(seen: int) -> float:
    """The upper 95 % bound of the alarms to expect where so many were seen (Garwood 1936)."""
    return float(gammaincinv(seen + 1, 0.95))


def accepted(past: Sequence[Floats], alpha: float) -> float:
    """The probability of a false alarm a bucket to accept, at most `alpha`, so that the past would have kept to it.

    `past`: the probabilities of each series, bucket by bucket, of weeks that are over; with the bursts that were told
    taken out as NaN, where they are known.
    """
    buckets = sum(int((~np.isnan(p)).sum()) for p in past)
    peaks = np.sort(np.concatenate([_peaks(p) for p in past])) if past else np.zeros(0)
    if len(peaks) <= PEAKS:
        return alpha
    top = peaks[-PEAKS - 1 :]
    scale = max(float((top[1:] - top[0]).mean()), 1.0)
    return min(alpha, exp(-(top[0] + scale * (log(PEAKS / buckets) - log(alpha)))))


def _peaks(probabilities: Floats) -> Floats:
    """The evidence, -ln(p), at the highest of each run of unusual buckets."""
    evidence = -np.log(np.maximum(np.nan_to_num(probabilities, nan=1.0), 1e-300))
    beyond = np.flatnonzero(evidence > log(20.0))
    if not len(beyond):
        return np.zeros(0)
    begins = np.append(0, np.flatnonzero(np.diff(beyond) > CALM_BUCKETS) + 1)
    return np.asarray(np.maximum.reduceat(evidence[beyond], begins))
