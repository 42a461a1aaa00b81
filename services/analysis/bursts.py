"""Says which buckets of a series the past cannot explain. Pure and causal: a verdict uses only earlier buckets.

Each day is judged by what was known when it began. Two tests a bucket: the upper tail, for spikes, and an e-detector,
for rises that last. Each has half of the accepted false alarms, and both are corrected by what they said in the past,
and by what is known of all series (analysis/replaying). What they say before that depends on no threshold.
Buckets may come in portions of any size; the answers are the same.
"""

from dataclasses import astuple, dataclass, fields

import numpy as np
from numpy.typing import NDArray

from services.analysis import calibrating
from services.analysis.budget import Held, Schedule
from services.analysis.days import WINDOW_DAYS, Days, Pace, days, together
from services.analysis.forecasts import Forecasts, Heard, forecasts
from services.analysis.kinds import counted
from services.analysis.onsets import Onsets
from services.analysis.sustained import Sustained
from services.analysis.tails import usual_at_most as usual_at_most

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

HORIZON_DAYS = 2 * WINDOW_DAYS + 10
"""How far back a verdict can depend on: the baseline and its own past, and the evidence that runs on."""
COVERED = 0.5
"""Share of feeds that must be heard for a bucket to be judged or learned from."""


@dataclass(frozen=True, slots=True)
class Series:
    """Counts by bucket: `starts` in epoch seconds, evenly `step_s` apart; `coverage` in [0, 1], NaN unknown."""

    starts: Floats
    step_s: float
    counts: Floats
    coverage: Floats


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What is judged of each bucket; arrays of one length. `expected` and `upper` are NaN while nothing is known."""

    expected: Floats
    dispersion: Floats
    upper: Floats
    probability: Floats
    """Of a bucket like this without a burst, after calibration; NaN while nothing is known."""
    alpha: Floats
    """A bucket less probable than this is a burst."""
    spike: Floats
    rise: Floats
    """Evidence of the two tests in nats, before calibration; NaN where nothing is judged or learned from."""
    score: Floats
    """How much like the beginning of something, in [0, 1], from the first day on; see analysis/onsets."""
    state: tuple[str, ...]
    learned_s: Floats
    """Seconds of covered history behind each verdict."""
    learned_from: Floats
    """Where that history begins, in epoch seconds; the bucket's own start while there is none."""


def judge(series: Series, *, alpha: float, learning_s: float, held: Schedule = ()) -> Verdicts:
    """Judge every bucket of a series; `alpha` is the accepted probability of a false alarm a bucket.

    `held`: what replays over all series found, and from when on it holds.

    States: `insufficient coverage` (too little heard), `learning` (less than `learning_s` seconds of history),
    `burst` or `ok`.
    """
    asked = Asked(alpha / series.step_s, learning_s, series.step_s, counts=True, bounds=True, held=held)
    return Detector(asked).feed(series.starts, series.counts, series.coverage)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of a detector."""

    rate: float
    """False alarms a second accepted in this series."""
    learning_s: float
    step_s: float | None = None
    """None: measured."""
    counts: bool | None = None
    """Whether the series counts something; None: found out."""
    bounds: bool = False
    """Whether to tell `upper`, which takes longer than all the rest."""
    held: Schedule = ()
    """What replays over all series found, and from when on."""


class Detector:
    """Judges a series as it comes, in flat memory: some weeks of buckets.

    Days are judged together as far as they come together; what is said of one does not hang on that.
    """

    def __init__(self, asked: Asked) -> None:
        """A detector that has heard nothing yet."""
        self.asked, self._pace = asked, Pace(asked.step_s)
        self._rows = np.zeros((7, 0))
        """What stays in mind, place in time, start, seen, coverage, exposure, evidence of each test."""
        self._over = self._before = 0
        """How many of these are of days that are over; how many are no longer in mind."""
        self._sustained = Sustained(asked.step_s or 3600.0, counts=True)
        self._onsets = Onsets(counts=asked.counts)

    def feed(self, starts: Floats, seen: Floats, coverage: Floats, total: Floats | None = None) -> Verdicts:
        """Judge the next buckets, in order of time.

        `total`: how many there were of any kind. With it, counts are judged by their share: what all of them do
        together is no burst. All portions of a series have it, or none.
        """
        heard = np.nan_to_num(coverage) >= COVERED
        if total is not None:
            heard &= np.nan_to_num(total) > 0
        exposure = np.nan_to_num(coverage, nan=1.0) if total is None else total * coverage
        coverage = np.where(heard, coverage, np.fmin(coverage, 0.0))
        scores = self._onsets.follow(starts, seen, heard, total)
        if not len(starts):
            return _joined([], scores)
        # Where a clock was set back, the hour that comes twice is of the later day.
        at = np.maximum.accumulate(np.append(self._rows[0, -1:], starts))[-len(starts) :]
        unknown = np.full(len(at), np.nan)
        self._rows = np.concatenate((self._rows, (at, starts, seen, coverage, exposure, unknown, unknown)), axis=1)
        every = Heard(self._rows[1], self._rows[2], self._rows[3], self._rows[4], self._rows[3] >= COVERED)
        those = days(self._rows[0], every.enough, self._pace, over=self._over, before=self._before)
        kinds = self._kinds(those, every)
        parts = []
        for begin, end in together(those, kinds):
            some = those.part(slice(begin, end))
            self._go_on(some, counts=bool(kinds[begin]))
            parts.append(self._judge(some, forecasts(some, every, self._sustained, over=end < len(those))))
        gone, over = int(those.kept.begin[-1]), int(those.rows.begin[-1])
        self._rows, self._over, self._before = self._rows[:, gone:], over - gone, self._before + gone
        return _joined(parts, scores)

    def _kinds(self, those: Days, every: Heard) -> Flags:
        """Whether each day's past is of counts; a day without a past goes with those before it."""
        if self.asked.counts is not None:
            return np.full(len(those), self.asked.counts)
        told = those.known.sizes > 0
        counts = np.full(len(those), self._sustained.counts)
        counts[told] = counted(every.seen[every.enough], those.known.part(told))
        latest = np.maximum.accumulate(np.where(told, np.arange(len(those)), -1))
        return np.where(latest < 0, self._sustained.counts, counts[latest])

    def _go_on(self, those: Days, *, counts: bool) -> None:
        """What was measured in other units is forgotten."""
        step = float(those.step[0])
        if (step, counts) != (self._sustained.step_s, self._sustained.counts) and np.any(those.known.sizes):
            self._sustained = Sustained(step, counts=counts)

    def _judge(self, those: Days, found: Forecasts) -> Verdicts:
        """Judge days of one step and kind by what is forecast of them."""
        span, of, gap = those.span(), those.of(), calibrating.apart(float(those.step[0]))
        # A baseline of few days errs by itself; that says nothing of later ones.
        enough = (found.learned_s >= self.asked.learning_s)[of]
        kept = self._rows[5:, span] = np.where(enough, (found.spike, found.rise), np.nan)
        alpha, known = self._held(those)
        spikes, rises = (calibrating.by_day(self._rows[5 + i], those.kept, gap, known[i]).of(of) for i in (0, 1))
        evidence = np.fmax(spikes.correct(found.spike), rises.correct(found.rise))
        probability, alpha = np.minimum(2.0 * np.exp(-evidence), 1.0), alpha[of]
        state = np.where(probability < alpha, "burst", "ok")
        state = np.where(enough, state, "learning")
        state = np.where(self._rows[3, span] >= COVERED, state, "insufficient coverage")
        upper = np.full(len(of), np.nan)
        if self.asked.bounds:
            upper = found.upper(np.exp(-spikes.needed(-np.log(alpha / 2))))
        since = np.where(np.isnan(found.since[of]), self._rows[1, span], found.since[of])
        return Verdicts(
            found.expected, found.dispersion, upper, probability, alpha, kept[0], kept[1], np.zeros(len(of)),
            tuple(state.tolist()), found.learned_s[of], since,
        )  # fmt: skip

    def _held(self, those: Days) -> tuple[Floats, Floats]:
        """Of each day: the probability a bucket that is accepted, and a Tail of each test, as numbers."""
        # An alarm every other bucket is no alarm.
        asked = min(self.asked.rate * float(those.step[0]), 0.5)
        latest = np.searchsorted([since for since, _ in self.asked.held], those.today, side="right")
        accepted, known = np.empty(len(those)), np.empty((2, len(those), 3))
        for number in np.unique(latest):
            held = self.asked.held[number - 1][1] if number else Held()
            accepted[latest == number] = held.accept(asked)
            known[:, latest == number] = np.array((astuple(held.known.spikes), astuple(held.known.rises)))[:, None]
        return accepted, known


def _joined(parts: list[Verdicts], scores: Floats) -> Verdicts:
    """One of all, of the newest buckets: as many as have a score."""
    names = [f.name for f in fields(Verdicts) if f.name not in ("state", "score")]
    new = slice(sum(len(p.state) for p in parts) - len(scores), None)
    arrays = {n: np.concatenate([getattr(p, n) for p in parts])[new] if parts else np.zeros(0) for n in names}
    return Verdicts(**arrays, score=scores, state=tuple([s for p in parts for s in p.state][new]))
