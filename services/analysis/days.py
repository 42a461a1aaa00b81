"""Which rows of a series each day may learn from, and which days can be judged together. Judges nothing itself.

Rows are columns of `at` (epoch seconds, never falling) and whether each was heard; days begin at midnight UTC.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.analysis.windows import Windows

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Ints = NDArray[np.int64]

DAY_S = 86_400.0
WINDOW_DAYS = 28
WINDOW_BUCKETS = 28
"""The baseline's window: so many days, or so many buckets where those take longer."""
GUARD_S = DAY_S
STEADY = 512
"""Buckets after which the step of a series is known for good."""
TOGETHER = 131_072
"""Rows of the past that are looked at together, so that they stay near the processor."""


@dataclass(frozen=True, slots=True)
class Days:
    """Days in order: when each begins, its rows, those in mind when it began, those of them that its baseline is of."""

    today: Floats
    rows: Windows
    kept: Windows
    known: Windows
    """Among the rows that were heard."""
    since: Floats
    step: Floats

    def __len__(self) -> int:
        return len(self.today)

    def part(self, which: slice | Flags) -> "Days":
        """Some of them."""
        rows, kept, known = (w.part(which) for w in (self.rows, self.kept, self.known))
        return Days(self.today[which], rows, kept, known, self.since[which], self.step[which])

    def of(self) -> Ints:
        """The number of the day of each row."""
        return np.repeat(np.arange(len(self)), self.rows.sizes)

    def span(self) -> slice:
        """All rows, of days that follow each other."""
        return slice(int(self.rows.begin[0]), int(self.rows.end[-1]))


class Pace:
    """How far the buckets of a series lie apart: given, or measured day by day until it is known well."""

    def __init__(self, step_s: float | None) -> None:
        """`step_s`: None when it is to be measured."""
        self._step, self._steady = step_s or 3600.0, step_s is not None

    def steps(self, at: Floats, kept: Windows, before: int) -> Floats:
        """The step as known at the beginning of each day; `before`: rows that are no longer in mind."""
        steps = np.full(len(kept), self._step)
        for i, (begin, end) in enumerate(zip(kept.begin, kept.end, strict=True)):
            if self._steady:
                break
            if end - begin > 1:
                self._step, self._steady = float(np.median(np.diff(at[begin:end]))), before + end > STEADY
            steps[i:] = self._step
        return steps


def days(at: Floats, heard: Flags, pace: Pace, *, over: int, before: int) -> Days:
    """The days from row `over` on, those before being over; `before`: rows that are no longer in mind."""
    day = np.floor(at[over:] / DAY_S)
    edges = over + np.concatenate(([0], np.flatnonzero(np.diff(day)) + 1, [len(day)]))
    rows, today = Windows(edges[:-1], edges[1:]), day[edges[:-1] - over] * DAY_S
    old = np.searchsorted(at, today - GUARD_S - WINDOW_DAYS * DAY_S)
    kept = Windows(np.minimum(old, np.maximum(rows.begin - WINDOW_BUCKETS, 0)), rows.begin)
    step = pace.steps(at, kept, before)
    since = today - GUARD_S - np.maximum(WINDOW_DAYS * DAY_S, WINDOW_BUCKETS * step)
    begin = np.maximum(np.searchsorted(at, since), kept.begin)
    known = Windows(begin, np.maximum(np.searchsorted(at, today - GUARD_S), begin))
    return Days(today, rows, kept, known.among(heard), since, step)


def together(those: Days, kinds: Flags) -> Iterator[tuple[int, int]]:
    """Parts, as (begin, end), that have one step and kind and are not too large."""
    begin, looked_at = 0, 0
    for i, size in enumerate(those.known.sizes.tolist()):
        changed = i > begin and (kinds[i] != kinds[begin] or those.step[i] != those.step[begin])
        if changed or (looked_at and looked_at + size > TOGETHER):
            yield begin, i
            begin, looked_at = i, 0
        looked_at += size
    yield begin, len(those)
