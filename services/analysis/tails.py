"""Tail probabilities of negative binomial counts and of values around a forecast.

Knows no series and no time. Dispersion d is meant so: variance = mean + d * mean^2.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, stdtr, stdtrit

Floats = NDArray[np.float64]

RISES = (1.5, 2.0, 3.0, 5.0)
"""How many times the usual a sustained rise is taken to be: the mixture of the e-detector."""
SHIFTS = (2.0, -2.0, 4.0, -4.0, 6.0, -6.0)
"""The same for values that are no counts, in standard deviations of their sum."""
FREEDOM = 4.0
"""Degrees of freedom of Student's t that values around their forecast are held to: tails heavier than Gauss's."""
FLOOR = 1e-300


def tail(counts: Floats, expected: Floats, dispersion: Floats) -> Floats:
    """P(X >= count) for negative binomial X; for counts between whole numbers, what lies between."""
    size = 1.0 / dispersion
    chance = expected / (expected + size)
    return np.asarray(np.where(counts <= 0, 1.0, betainc(np.maximum(counts, FLOOR), size, chance)))


def value_tail(deviations: Floats) -> Floats:
    """P of a value at least so many deviations away from its forecast, on either side."""
    return np.asarray(np.maximum(2.0 * stdtr(FREEDOM, -np.abs(deviations)), FLOOR))


def value_bound(alpha: Floats) -> Floats:
    """How many deviations a value may lie away until its tail is smaller than alpha."""
    return np.asarray(-stdtrit(FREEDOM, alpha / 2.0))


def usual_at_most(expected: Floats, dispersion: Floats, alpha: float | Floats) -> Floats:
    """The largest count whose upper tail is no smaller than `alpha`, by bisection; NaN where nothing is expected."""
    low, high = np.zeros(len(expected)), np.ceil(20 * np.nan_to_num(expected) + 400.0)
    while np.any(high - low > 1):
        middle = np.floor((low + high) / 2)
        small = tail(middle, expected, dispersion) < alpha
        high, low = np.where(small, middle, high), np.where(small, low, middle)
    return np.asarray(np.where(np.isnan(expected), np.nan, low))
