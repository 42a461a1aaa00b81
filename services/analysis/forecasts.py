"""What the past of a day says of its buckets: a forecast, and the raw evidence of both tests. Corrects nothing."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.analysis import baseline, tails
from services.analysis.days import GUARD_S, Days
from services.analysis.sustained import Sustained
from services.analysis.sustained import Told as Stretch
from services.analysis.varying import Fitted

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Heard:
    """Buckets in order of time: their starts, what was seen, how much was heard, and whether that is enough."""

    starts: Floats
    seen: Floats
    coverage: Floats
    exposure: Floats
    """What counts are in proportion to."""
    enough: Flags

    def part(self, which: slice | Flags) -> "Heard":
        """Some of them."""
        numbers = (self.starts, self.seen, self.coverage, self.exposure)
        starts, seen, coverage, exposure = (every[which] for every in numbers)
        return Heard(starts, seen, coverage, exposure, self.enough[which])


@dataclass(frozen=True, slots=True)
class Forecasts:
    """What is found of some days. A day without a past has learned 0 seconds, and its buckets are NaN throughout."""

    learned_s: Floats
    """Of each day: seconds of covered history behind it, and where that begins."""
    since: Floats
    expected: Floats
    """Of each bucket, as all that follows."""
    dispersion: Floats
    spike: Floats
    rise: Floats
    """Evidence of the two tests in nats; NaN for what was not heard, which is evidence of nothing."""
    _past: tuple[baseline.Pasts, Ints, Flags] | None = None

    def upper(self, alpha: Floats) -> Floats:
        """The most that is usual of each bucket, at a tail of alpha."""
        found = np.full(len(self.expected), np.nan)
        if self._past is not None:
            pasts, day, told = self._past
            found[told] = pasts.upper(day, self.expected[told], alpha[told])
        return found


def forecasts(those: Days, every: Heard, sustained: Sustained, *, over: bool) -> Forecasts:
    """Judge days by their pasts; `every`: the rows that the days number; `over`: whether the last day is over too.

    `sustained` goes on from the days before, and remembers those that are over.
    """
    fitted, of = those.known.sizes > 0, those.of()
    learned, since, unknown = np.zeros(len(those)), np.full(len(those), np.nan), np.full((4, len(of)), np.nan)
    if not fitted.any():
        return Forecasts(learned, since, unknown[0], unknown[1], unknown[2], unknown[3])
    judged = those.part(fitted)
    past = every.part(every.enough)
    pasts = _fitted(judged, past, counts=sustained.counts)
    # The guard band is history too: it is only kept out of the baseline.
    learned[fitted] = judged.known.sums(past.coverage) * judged.step + GUARD_S
    since[fitted] = past.starts[judged.known.begin]
    told = fitted[of]
    day, rows = (np.cumsum(fitted) - 1)[of[told]], every.part(those.span()).part(told)
    expected = pasts.expect(day, rows.starts, rows.exposure)
    stretch = Stretch(*pasts.stretch(day, rows.seen, expected), rows.enough)
    ended = len(judged) - int(not over and bool(fitted[-1]))
    spread, rise = sustained.judge(judged, stretch, Fitted(pasts.dispersion, pasts.vague), over=ended)
    pasts = pasts.spread_by(spread)
    spike = -np.log(np.maximum(pasts.tail(day, rows.seen, expected), tails.FLOOR))
    evidence = np.where(rows.enough, (spike, rise), np.nan)
    unknown[:, told] = expected, pasts.dispersion[day], *evidence
    return Forecasts(learned, since, unknown[0], unknown[1], unknown[2], unknown[3], (pasts, day, told))


def _fitted(those: Days, past: Heard, *, counts: bool) -> baseline.Pasts:
    if counts:
        return baseline.counts(past.starts, past.seen, past.exposure, those.known)
    return baseline.values(past.starts, past.seen, those.known)
