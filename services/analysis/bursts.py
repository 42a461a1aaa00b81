"""Says which buckets of a series the past cannot explain. Pure and causal: a verdict uses only earlier buckets.

Each day is judged by what was known when it began. Two tests a bucket: the upper tail, for spikes, and an e-detector,
for rises that last. Each has half of the accepted false alarms, and both are corrected by what they said in the past,
and by what is known of all series (analysis/replaying). What they say before that depends on no threshold.
Buckets may come in portions of any size; the answers are the same.
"""

from dataclasses import dataclass, fields, replace
from itertools import pairwise
from math import log

import numpy as np
from numpy.typing import NDArray

from services.analysis import baseline, calibrating, tails
from services.analysis.budget import Schedule, in_force
from services.analysis.calibrating import Calibration, Tail
from services.analysis.onsets import Onsets
from services.analysis.sustained import Sustained
from services.analysis.tails import usual_at_most as usual_at_most

Floats = NDArray[np.float64]

WINDOW_DAYS = 28
WINDOW_BUCKETS = 28
"""The baseline's window: so many days, or so many buckets where those take longer."""
GUARD_S = 86_400
HORIZON_DAYS = 2 * WINDOW_DAYS + 10
"""How far back a verdict can depend on: the baseline and its own past, and the evidence that runs on."""
STEADY = 512
"""Buckets after which the step of a series is known for good."""
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
    """Judges a series as it comes, in flat memory: some weeks of buckets."""

    def __init__(self, asked: Asked) -> None:
        """A detector that has heard nothing yet."""
        self.asked, step_s = asked, asked.step_s
        self._kept = np.zeros((5, 0))
        """What stays in mind, a column a bucket: start, seen, coverage, and the evidence of the two tests."""
        self._new: list[Floats] = []
        self._today = -np.inf
        self._past: baseline.Past | None = None
        self._past_from = np.nan
        self._step, self._steady = step_s or 3600.0, step_s is not None
        self._spikes = self._rises = Calibration()
        self._alpha = min(asked.rate * self._step, 0.5)
        self._sustained = Sustained(self._step, counts=True)
        self._onsets = Onsets(counts=asked.counts)

    def feed(self, starts: Floats, seen: Floats, coverage: Floats) -> Verdicts:
        """Judge the next buckets, in order of time."""
        day = np.floor(starts / 86_400)
        cuts = [0, *(np.flatnonzero(np.diff(day)) + 1).tolist(), len(starts)]
        parts = []
        for begin, end in pairwise(cuts):
            if begin < end:
                if day[begin] != self._today:
                    self._today = float(day[begin])
                    self._learn(self._today * 86_400)
                parts.append(self._judge(starts[begin:end], seen[begin:end], coverage[begin:end]))
        scores = self._onsets.follow(starts, seen, np.nan_to_num(coverage) >= COVERED)
        return _joined(parts, scores)

    def _learn(self, today: float) -> None:
        """Fit the baseline and the calibration to what is known at the beginning of a day."""
        self._forget(today)
        self._past = None
        held = in_force(self.asked.held, today)
        starts, seen, coverage, spikes, rises = self._kept
        if not len(starts):
            return
        if not self._steady and len(starts) > 1:
            self._step, self._steady = float(np.median(np.diff(starts))), len(starts) > STEADY
        # An alarm every other bucket is no alarm.
        self._alpha = held.accept(min(self.asked.rate * self._step, 0.5))
        window = max(WINDOW_DAYS * 86_400, WINDOW_BUCKETS * self._step)
        since, until = today - GUARD_S - window, today - GUARD_S
        known = (starts >= since) & (starts < until) & (coverage >= COVERED)
        if known.any():
            self._fit(starts[known], seen[known], coverage[known], (since, until))
        self._spikes = self._calibrated(spikes, held.known.spikes)
        self._rises = self._calibrated(rises, held.known.rises)

    def _fit(self, starts: Floats, seen: Floats, coverage: Floats, window: tuple[float, float]) -> None:
        past = baseline.fit(starts, seen, coverage, known=self.asked.counts)
        counts = isinstance(past, baseline.Counts)
        if (self._step, counts) != (self._sustained.step_s, self._sustained.counts):
            self._sustained = Sustained(self._step, counts=counts)
        self._sustained.begin(*window)
        if isinstance(past, baseline.Counts):
            past = replace(past, dispersion=self._sustained.dispersion(past.dispersion))
        self._past, self._past_from = past, float(starts[0])

    def _calibrated(self, evidence: Floats, known: Tail) -> Calibration:
        judged = evidence[~np.isnan(evidence)]
        at = np.flatnonzero(judged > calibrating.BEYOND)
        found = calibrating.peaks(at, judged[at], calibrating.apart(self._step))
        return calibrating.calibrate(found, len(judged), known)

    def _forget(self, today: float) -> None:
        self._kept = np.concatenate((self._kept, *self._new), axis=1)
        self._new = []
        old = int((self._kept[0] < today - GUARD_S - WINDOW_DAYS * 86_400).sum())
        self._kept = self._kept[:, min(old, max(self._kept.shape[1] - WINDOW_BUCKETS, 0)) :]

    def _judge(self, starts: Floats, seen: Floats, coverage: Floats) -> Verdicts:
        heard = np.nan_to_num(coverage) >= COVERED
        n, alpha, past = len(starts), self._alpha, self._past
        spikes, rises, expected = np.full(n, np.nan), np.full(n, np.nan), np.full(n, np.nan)
        upper, learned = np.full(n, np.nan), 0.0
        if past is not None:
            expected = past.expect(starts, np.nan_to_num(coverage, nan=1.0))
            spikes, rises = self._evidence(past, seen, expected, heard)
            # The guard band is history too: it is only kept out of the baseline.
            learned = past.buckets * self._step + GUARD_S
            if self.asked.bounds:
                upper = past.upper(expected, np.full(n, np.exp(-self._spikes.needed(-log(alpha / 2)))))
        evidence = np.fmax(self._spikes.correct(spikes), self._rises.correct(rises))
        probability = np.minimum(2.0 * np.exp(-evidence), 1.0)
        state = np.where(probability < alpha, "burst", "ok")
        state = np.where(learned < self.asked.learning_s, "learning", state)
        state = np.where(heard, state, "insufficient coverage")
        # A baseline of few days errs by itself; that says nothing of later ones.
        known = learned >= self.asked.learning_s
        kept = (spikes, rises) if known else (np.full(n, np.nan), np.full(n, np.nan))
        self._new.append(np.array((starts, seen, coverage, *kept)))
        since = starts.copy() if past is None else np.full(n, self._past_from)
        spread = np.full(n, np.nan if past is None else past.dispersion)
        return Verdicts(
            expected, spread, upper, probability, np.full(n, alpha), *kept, np.zeros(n), tuple(state.tolist()),
            np.full(n, learned), since,
        )  # fmt: skip

    def _evidence(
        self, past: baseline.Past, seen: Floats, expected: Floats, heard: NDArray[np.bool_]
    ) -> tuple[Floats, Floats]:
        """What each of the two tests says of each bucket, in nats. What was not heard is evidence of nothing."""
        spikes = -np.log(np.maximum(past.tail(seen, expected), tails.FLOOR))
        told = (*past.stretch(seen, expected), heard)
        rises = self._sustained.follow(self._today * 86_400, told, (past.dispersion, past.vague))
        return np.where(heard, spikes, np.nan), np.where(heard, rises, np.nan)


def _joined(parts: list[Verdicts], scores: Floats) -> Verdicts:
    names = [f.name for f in fields(Verdicts) if f.name not in ("state", "score")]
    arrays = {n: np.concatenate([getattr(p, n) for p in parts]) if parts else np.zeros(0) for n in names}
    return Verdicts(**arrays, score=scores, state=tuple(s for p in parts for s in p.state))
