"""An e-detector for rises that last: Shiryaev-Roberts on a negative-binomial mixture.

After Shin, Ramdas & Rinaldo 2024, doi:10.51387/23-NEJSDS51: the sum, over the moments at which a rise may have begun,
of the likelihood of all that came since under a rise, over its likelihood under none. Moments are taken ever sparser
the longer ago, none older than two days, and none of which the last quarter shows no rise any more, which only lowers
the sum; so what is over is soon forgotten, and the evidence depends on no threshold. Posts of many buckets vary by more
than independent ones would (moods last): how much more is measured for each length, on forecasts made before the fact.
Days are worked on together; each knows only the days before it.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.analysis.days import GUARD_S, Days
from services.analysis.varying import Fitted, Rises, Shifts, Varied
from services.analysis.windows import Windows

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

LONGEST_S, LONGEST_BUCKETS = 2 * 86_400.0, 14.0
"""How long ago a rise may have begun: so long, or so many buckets where those take longer."""
SPARSER = 1.4
"""Each moment lies so many times as long ago as the one after it."""
LEAST = 1e-12
"""The least a sum of ratios is taken to be."""


class Told(NamedTuple):
    """What there is of each bucket: seen (or deviations from a forecast), expected (or 0), whether heard."""

    seen: Floats
    expected: Floats
    heard: Flags


class _Past(NamedTuple):
    """What is remembered: the last buckets, and how far the forecasts of each day were off, by length."""

    buckets: Floats
    at: Floats
    off: Floats
    size: Floats
    judged: Floats


def lengths(step_s: float) -> Ints:
    """How many buckets ago a rise may have begun."""
    longest = max(LONGEST_S / step_s, LONGEST_BUCKETS)
    steps = SPARSER ** np.arange(np.floor(np.log(longest) / np.log(SPARSER)) + 1)
    return np.unique(np.append(np.round(steps), np.round(longest))).astype(np.int64)


class Sustained:
    """The running evidence of one series."""

    def __init__(self, step_s: float, *, counts: bool) -> None:
        """`counts`: whether it is fed counts and their expectation; else deviations from a forecast, and 0."""
        self.step_s, self.counts = step_s, counts
        self._lengths = lengths(step_s)
        none = np.zeros((0, len(self._lengths)))
        self._past = _Past(np.zeros((3, int(self._lengths[-1]))), np.zeros(0), none, none, np.zeros(0))

    def judge(self, days: Days, told: Told, fitted: Fitted, *, over: int) -> tuple[Floats, Floats]:
        """The dispersion of single buckets of each day, and the evidence after each bucket, in nats.

        The first `over` days are over and are remembered; those after them will come again, with more rows.
        """
        past, heard = self._past, told.heard
        new = np.where(heard, told.seen, 0.0), np.where(heard, told.expected, 0.0), heard.astype(float)
        buckets = np.concatenate((past.buckets, new), axis=1)
        rows, of = _closed(days.rows), days.of()
        moved = self._moved(buckets, rows, of)
        at = np.concatenate((past.at, days.today))
        size = np.concatenate((past.size, rows.sums((moved.basis * heard).T)))
        judged = np.concatenate((past.judged, rows.sums(new[2])))
        before = Windows(np.searchsorted(at, days.since), np.searchsorted(at, days.today - GUARD_S))
        varied = Varied(self._lengths, fitted, before.sums(size), before.sums(judged))
        off = self._off((moved, of, heard), rows, before, varied)
        known = before.sums(off)
        evidence = self._evidence((moved, of, heard), varied, known)
        first, last = (int(before.begin[-1]), len(past.at) + over) if over else (0, len(past.at))
        end = int(rows.end[over - 1]) if over else 0
        self._past = _Past(
            buckets[:, end : end + past.buckets.shape[1]],
            *(every[first:last] for every in (at, off, size, judged)),
        )
        return varied.dispersion(np.arange(len(days)), known[:, 0]), evidence

    def _moved(self, buckets: Floats, rows: Windows, of: Ints) -> Rises | Shifts:
        s, e, n = (self._sums(every, rows, of) for every in buckets)
        if not self.counts:
            return Shifts(s, n)
        e = np.maximum(e, 1e-9)
        return Rises(s, e, self._sums(buckets[1] ** 2, rows, of) / (e * e))

    def _sums(self, every: Floats, rows: Windows, of: Ints) -> Floats:
        """The sum of each length up to each new bucket, one row a length.

        Added up from before the beginning of its day, so that it does not hang on which days stand beside it.
        """
        longest = int(self._lengths[-1])
        width = longest + int(rows.sizes.max())
        at = np.minimum(rows.begin[:, None] + np.arange(width), len(every) - 1)
        total = np.concatenate((np.zeros((len(rows), 1)), np.cumsum(every[at], axis=1)), axis=1).ravel()
        end = of * (width + 1) + longest + 1 + np.arange(len(of)) - rows.begin[of]
        return np.asarray(total[end] - total[end - self._lengths[:, None]])

    def _off(self, told: tuple[Rises | Shifts, Ints, Flags], rows: Windows, before: Windows, varied: Varied) -> Floats:
        """How far the forecasts were off, by day and length.

        How much of a stretch counts hangs on the days before it; most are ordinary whatever those say, and only the
        others are looked at day by day.
        """
        moved, of, heard = told
        odd = moved.beyond(varied.least(moved, of)) & heard
        ordinary = np.where(odd | ~heard, 0.0, moved.off(np.inf))
        off = np.concatenate((self._past.off, rows.sums(ordinary.T)))
        row, length = np.nonzero(odd.T)
        for a, b in pairwise((*np.flatnonzero(np.diff(of[row], prepend=-1)), len(row))):
            day, cells = of[row[a]], (length[a:b], row[a:b])
            known = off[before.begin[day] : before.end[day]].sum(0)
            spread = varied.spread(moved.at(cells), (length[a:b], day), (known[0], known[length[a:b]]))
            more = np.bincount(length[a:b], moved.at(cells).off(spread), len(self._lengths))
            off[len(self._past.at) + day] += more
        return off

    def _evidence(self, told: tuple[Rises | Shifts, Ints, Flags], varied: Varied, known: Floats) -> Floats:
        """The sum of the bets on each length that has not ended by now."""
        moved, of, heard = told
        quarter = np.searchsorted(self._lengths, np.maximum(self._lengths // 4, 1), side="right") - 1
        length, row = np.nonzero(moved.lasts(quarter) & heard)
        stretches = moved.at((length, row))
        won = stretches.bets(varied.spread(stretches, (length, of[row]), (known[of[row], 0], known[of[row], length])))
        # Length by length: in whatever order numpy would sum, it would hang on how many buckets there are.
        return np.asarray(np.log(np.maximum(np.bincount(row, won, len(of)), LEAST)))


def _closed(rows: Windows) -> Windows:
    """The same rows without what lies between the days: of days without a past nothing is told."""
    ends = np.cumsum(rows.sizes)
    return Windows(ends - rows.sizes, ends)
