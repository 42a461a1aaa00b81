"""Tail probabilities and likelihood ratios of negative binomial counts and of values around a forecast.

Knows no series and no time. Dispersion d is meant so: variance = mean + d * mean^2.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, stdtr, stdtrit

Floats = NDArray[np.float64]

RISES = np.array([1.5, 2.0, 3.0, 5.0])
"""How many times the usual a sustained rise is taken to be: the mixture of the e-detector."""
SHIFTS = np.array([1.0, -1.0, 2.5, -2.5])
"""The same for values that are no counts, in deviations."""
FREEDOM = 4.0
"""Degrees of freedom of Student's t that values around their forecast are held to: tails heavier than Gauss's."""
FLOOR = 1e-300


def tail(counts: Floats, expected: Floats, dispersion: Floats) -> Floats:
    """P(X >= count) for negative binomial X; for counts between whole numbers, what lies between."""
    size = 1.0 / dispersion
    chance = expected / (expected + size)
    return np.asarray(np.where(counts <= 0, 1.0, betainc(np.maximum(counts, FLOOR), size, chance)))


def rise_ratios(counts: Floats, expected: Floats, dispersion: float) -> Floats:
    """Likelihood of each count under each of RISES over its likelihood under the usual: one row a count."""
    size = 1.0 / dispersion
    shrunk = np.log((size + expected)[:, None] / (size + RISES * expected[:, None]))
    return np.asarray(np.exp(np.minimum(counts[:, None] * np.log(RISES) + (counts + size)[:, None] * shrunk, 100.0)))


def value_tail(deviations: Floats) -> Floats:
    """P of a value at least so many deviations away from its forecast, on either side."""
    return np.asarray(np.maximum(2.0 * stdtr(FREEDOM, -np.abs(deviations)), FLOOR))


def value_bound(alpha: Floats) -> Floats:
    """How many deviations a value may lie away until its tail is smaller than alpha."""
    return np.asarray(-stdtrit(FREEDOM, alpha / 2.0))


def shift_ratios(deviations: Floats) -> Floats:
    """Likelihood of each deviation under each of SHIFTS over that under none (Gauss, deviations capped at 5)."""
    capped = np.clip(deviations, -5.0, 5.0)[:, None]
    return np.asarray(np.exp(capped * SHIFTS - SHIFTS**2 / 2.0))


def usual_at_most(expected: Floats, dispersion: Floats, alpha: float | Floats) -> Floats:
    """The largest count whose upper tail is no smaller than `alpha`, by bisection; NaN where nothing is expected."""
    low, high = np.zeros(len(expected)), np.ceil(20 * np.nan_to_num(expected) + 400.0)
    while np.any(high - low > 1):
        middle = np.floor((low + high) / 2)
        small = tail(middle, expected, dispersion) < alpha
        high, low = np.where(small, middle, high), np.where(small, low, middle)
    return np.asarray(np.where(np.isnan(expected), np.nan, low))
