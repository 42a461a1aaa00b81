"""An e-detector for rises that last: Shiryaev-Roberts on a negative-binomial mixture.

After Shin, Ramdas & Rinaldo 2024, doi:10.51387/23-NEJSDS51: the sum, over the moments at which a rise may have begun,
of the likelihood of all that came since under a rise, over its likelihood under none. Moments are taken ever sparser
the longer ago, none older than two days, and none of which the last quarter shows no rise any more, which only lowers
the sum; so what is over is soon forgotten, and the evidence depends on no threshold. Posts of many buckets vary by more
than independent ones would (moods last): how much more is measured for each length, on forecasts made before the fact.
"""

from collections import deque
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.analysis import tails

Floats = NDArray[np.float64]

LONGEST_S, LONGEST_BUCKETS = 2 * 86_400.0, 14.0
"""How long ago a rise may have begun: so long, or so many buckets where those take longer."""
SPARSER = 1.4
"""Each moment lies so many times as long ago as the one after it."""
PRIOR_WINDOWS = 10.0
"""Stretches, not overlapping, that independence weighs against what was measured."""
RISING, SHIFTED = 1.2, 0.5
"""What is over is no rise: the last quarter must be so many times the usual, or shifted by that share of the whole."""
LEAST = 1e-12
"""The least a sum of ratios is taken to be."""
UNUSUAL = 4.0
"""A stretch counts for no more than this many standard deviations: a burst of the past is not how things vary."""


class _Day(NamedTuple):
    """How far the forecasts of a day were off, by length: the sums, and how many buckets were judged."""

    at: float
    off: Floats
    size: Floats
    buckets: float


def lengths(step_s: float) -> NDArray[np.int64]:
    """How many buckets ago a rise may have begun."""
    longest = max(LONGEST_S / step_s, LONGEST_BUCKETS)
    steps = SPARSER ** np.arange(np.floor(np.log(longest) / np.log(SPARSER)) + 1)
    return np.unique(np.append(np.round(steps), np.round(longest))).astype(np.int64)


class Sustained:
    """The running evidence of one series."""

    def __init__(self, step_s: float, *, counts: bool) -> None:
        """`counts`: whether it is fed counts and their expectation; else deviations from a forecast, and 0."""
        self.step_s, self.counts = step_s, counts
        self._lengths = lengths(step_s)[:, None]
        longest = int(self._lengths[-1, 0])
        quarters = np.maximum(self._lengths[:, 0] // 4, 1)
        self._last = np.searchsorted(self._lengths[:, 0], quarters, side="right") - 1
        self._kept = np.zeros((3, longest))
        self._today: tuple[_Day, Floats] | None = None
        self._days: deque[_Day] = deque()
        self._off = np.zeros(len(self._lengths))
        self._size = np.zeros(len(self._lengths))
        self._buckets = 0.0

    def begin(self, since: float, until: float) -> None:
        """At the beginning of a day: take in the forecasts of the days from `since` up to `until`."""
        if self._today:
            self._days.append(self._today[0])
            self._kept = np.concatenate((self._kept, self._today[1]), axis=1)[:, -self._kept.shape[1] :]
            self._today = None
        while self._days and self._days[0].at < since:
            self._days.popleft()
        known = [d for d in self._days if d.at < until]
        self._off = np.sum([d.off for d in known], axis=0) if known else 0.0 * self._off
        self._size = np.sum([d.size for d in known], axis=0) if known else 0.0 * self._size
        self._buckets = sum(d.buckets for d in known)

    def dispersion(self, fitted: float) -> float:
        """Of single buckets: what the fit says, weighed against what the forecasts were off by."""
        weight = PRIOR_WINDOWS * self._lengths[-1, 0]
        measured = self._off[0] / max(self._size[0], 1e-9)
        return float(max((weight * fitted + self._buckets * measured) / (weight + self._buckets), 0.5 * fitted))

    def follow(self, day: float, told: tuple[Floats, Floats, NDArray[np.bool_]], fitted: tuple[float, float]) -> Floats:
        """The evidence after each bucket, in nats; `day`: when the day of these buckets began.

        `told`: seen, expected, and whether heard; `fitted`: the dispersion of a bucket, and of the level itself.
        """
        new = np.array((np.where(told[2], told[0], 0.0), np.where(told[2], told[1], 0.0), told[2]), float)
        # From the beginning of the day each time, so that portions of a day do not differ from the whole by rounding.
        today = np.concatenate((self._today[1], new), axis=1) if self._today else new
        seen, expected, heard = np.concatenate((self._kept, today), axis=1)
        judge = self._rises if self.counts else self._shifts
        evidence, off, size = judge(seen, expected if self.counts else heard, today[2], fitted)
        self._today = _Day(day, off.sum(1), size.sum(1), float(today[2].sum())), today
        return evidence[-len(told[0]) :]

    def _rises(
        self, seen: Floats, expected: Floats, heard: Floats, fitted: tuple[float, float]
    ) -> tuple[Floats, Floats, Floats]:
        """The evidence of a rise in counts; how far the forecasts were off, and what that is measured in."""
        s, e = self._sums(seen), np.maximum(self._sums(expected), 1e-9)
        # Overdispersion of a stretch whose buckets are independent.
        alone = fitted[0] * self._sums(expected**2) / e**2 + fitted[1]
        spread = np.maximum(alone, self._weighed(alone))
        far = e + UNUSUAL * np.sqrt(e + spread * e * e)
        off = ((np.minimum(s, np.maximum(far, 1.0)) - e) ** 2 - e) * heard
        size = 1.0 / spread
        ratios = np.zeros_like(e)
        for rise in tails.RISES:
            ratios += np.exp(np.minimum(s * np.log(rise) + (s + size) * np.log((size + e) / (size + rise * e)), 300.0))
        ratios[s[self._last] < RISING * e[self._last]] = 0.0
        return _log_sum(ratios / len(tails.RISES)), off, e * e * heard

    def _shifts(
        self, seen: Floats, heard_before: Floats, heard: Floats, fitted: tuple[float, float]  # noqa: ARG002
    ) -> tuple[Floats, Floats, Floats]:  # fmt: skip
        """The same of a shift in values, up or down."""
        s, n = self._sums(seen), self._sums(heard_before)
        spread = n * np.maximum(1.0, self._weighed(np.ones_like(n)))
        off = np.minimum(s * s, UNUSUAL**2 * spread) * heard
        z = s / np.sqrt(np.maximum(spread, 1.0))
        ratios = np.zeros_like(z)
        for shift in tails.SHIFTS:
            ratios += np.exp(np.minimum(shift * z - shift * shift / 2.0, 300.0))
        ratios[s[self._last] * n * np.sign(s) < SHIFTED * np.abs(s) * n[self._last]] = 0.0
        return _log_sum(ratios / len(tails.SHIFTS)), off, n * heard

    def _weighed(self, alone: Floats) -> Floats:
        """The measured spread of each length, independence having a say."""
        known = (self._buckets / self._lengths[:, 0])[:, None]
        measured = (self._off / np.maximum(self._size, 1e-9))[:, None]
        return np.asarray((known * measured + PRIOR_WINDOWS * alone) / (known + PRIOR_WINDOWS))

    def _sums(self, every: Floats) -> Floats:
        """The sum of each length up to each new bucket; one row a length."""
        total = np.concatenate(([0.0], np.cumsum(every)))
        end = np.arange(self._kept.shape[1], len(every)) + 1
        return np.asarray(total[end] - total[end - self._lengths])


def _log_sum(ratios: Floats) -> Floats:
    """Of each column. Row by row: the order in which numpy sums hangs on how many columns there are."""
    total = np.zeros(ratios.shape[1])
    for row in ratios:
        total += row
    return np.asarray(np.log(np.maximum(total, LEAST)))
