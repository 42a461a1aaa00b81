"""Holds the false alarms of many series to one budget, by what the same tests said of their past.

A replay over all series, of evidence as it was told at the time (it depends on no threshold): first what all series
say together of each test; then every day of the last weeks is corrected by that and by the series' own past, as
detection does; and the tail of the highest that is left says how much evidence the budget asks for. It is never less
than theory asks for. Alarms are runs of bursts; what a run would have told once, counts once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, field
from math import exp, log
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv

from services.analysis import calibrating
from services.analysis.calibrating import BEYOND, Known, Tail
from services.analysis.windows import Windows

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CALM_BUCKETS = 24
"""Buckets without a burst after which the next is an alarm of its own."""
DAYS = 28
"""Days that are replayed; each is corrected by as many before it."""
LEAST_DAYS = 7
"""Days of judged buckets below which a replay says nothing."""
PEAKS, SPARED = 80, 8
"""Peaks of all series that the tail is fitted to: the highest, of which the first SPARED count only as that high."""
MARGIN = 1.3
"""Evidence asked for beyond the fit, times the square of its scale: tails are heavier than the fitted one, the more so
the flatter they are, and known from few peaks. Chosen by simulation: docs/measurements.md."""


@dataclass(frozen=True, slots=True)
class Told:
    """What the two tests said of one series: the buckets in which either went beyond, and how many were judged a day.

    `at`: numbers of the buckets, in order; `days`: of all judged days, as bucket number // buckets a day.
    """

    at: Ints
    spikes: Floats
    rises: Floats
    days: Ints
    judged: Floats


@dataclass(frozen=True, slots=True)
class Held:
    """What a replay found: what is known of the tests, and how the highest evidence is spread."""

    known: Known = field(default_factory=Known)
    series: int = 0
    days: int = 0
    """Days replayed, as the longest series has them."""
    buckets: int = 0
    """Judged in these, of all series."""
    peaks: tuple[float, ...] = ()
    """The highest evidence of each run of unusual buckets, after correction, the highest first; at most PEAKS."""

    def accept(self, alpha: float) -> float:
        """The probability a bucket to accept, at most `alpha`, for false alarms to be as rare as alpha says."""
        if len(self.peaks) < PEAKS:
            return alpha
        low, high = self.peaks[-1], self.peaks[SPARED - 1]
        # Exponential, the highest censored: bursts that were real may be among them.
        beyond = sum(min(p, high) - low for p in self.peaks)
        scale = max(beyond / (PEAKS - SPARED), 1.0)
        needed = low + scale * log(PEAKS / max(alpha * self.buckets, 1e-12)) + MARGIN * scale**2
        return min(alpha, exp(-needed))

    def told(self, alpha: float) -> int:
        """How many alarms the replayed days would have told at this accepted probability; at most PEAKS are known."""
        return sum(p > -log(alpha) for p in self.peaks)


Schedule = tuple[tuple[float, Held], ...]
"""What was held from when on, in epoch seconds, in order."""


def in_force(schedule: Schedule, at: float) -> Held:
    """What was held at a time: the newest that is not newer."""
    return next((held for since, held in reversed(schedule) if since <= at), Held())


def sparse(spikes: Floats, rises: Floats, a_day: int) -> Told:
    """Evidence bucket by bucket, NaN where not judged, as Told; the first bucket begins a day."""
    judged = np.flatnonzero(~np.isnan(spikes))
    days, counts = np.unique(judged // a_day, return_counts=True)
    at = np.flatnonzero(np.fmax(spikes, rises) > BEYOND)
    return Told(at, spikes[at], rises[at], days, counts.astype(float))


def replay(told: Sequence[Told], a_day: int, until: int) -> Held:
    """Replay the days before `until` (as bucket number // `a_day`) over all series."""
    recent = [_between(one, (until - DAYS, until), a_day) for one in told]
    buckets = sum(int(one.judged.sum()) for one in recent)
    days = max((len(one.days) for one in recent), default=0)
    if days < LEAST_DAYS:
        return Held()
    gap = calibrating.apart(86_400.0 / a_day)
    known = Known(
        calibrating.pool([_peaks(one.at, one.spikes, gap) for one in recent], buckets),
        calibrating.pool([_peaks(one.at, one.rises, gap) for one in recent], buckets),
    )
    found = np.concatenate([runs(one, (until - DAYS, until), a_day, known) for one in told])
    return Held(known, len(told), days, buckets, tuple(np.sort(found)[::-1][:PEAKS].tolist()))


def _corrected(told: Told, within: Told, a_day: int, known: Known) -> Floats:
    """What is left of the evidence of some days, as of one test; each is corrected by the days before it."""
    days, of = np.unique(within.at // a_day, return_inverse=True)
    since, until = np.searchsorted(told.days, (days - DAYS, days))
    buckets = Windows(since, until).sums(told.judged).astype(np.int64)
    left = []
    for evidence, tail in ((told.spikes, known.spikes), (told.rises, known.rises)):
        beyond = evidence > BEYOND
        past = Windows(*np.searchsorted(told.at, ((days - DAYS) * a_day, days * a_day))).among(beyond)
        found, gap = (told.at[beyond], evidence[beyond]), calibrating.apart(86_400.0 / a_day)
        corrected = calibrating.by_window(found, past, (gap, buckets), np.tile(astuple(tail), (len(days), 1)))
        left.append(corrected.of(of).correct(within.spikes if evidence is told.spikes else within.rises))
    return np.asarray(np.fmax(*left) - log(2.0))


def runs(told: Told, days: tuple[int, int], a_day: int, known: Known) -> Floats:
    """The highest evidence, as of one test, of each run of unusual buckets of a series in days from .. before.

    Each day is corrected by the days before it, as detection does.
    """
    within = _between(told, days, a_day)
    if not len(within.at):
        return np.zeros(0)
    return calibrating.peaks(within.at, _corrected(told, within, a_day, known), CALM_BUCKETS) + BEYOND


def to_json(held: Held) -> dict[str, Any]:
    """As stored."""
    return asdict(held)


def from_json(found: Mapping[str, Any]) -> Held:
    """As it was before it was stored."""
    known = Known(Tail(**found["known"]["spikes"]), Tail(**found["known"]["rises"]))
    return Held(**{**found, "known": known, "peaks": tuple(found["peaks"])})


def alarms(probabilities: Floats, alpha: float) -> int:
    """How many alarms a series would have told at this accepted probability; NaN is not judged."""
    beyond = np.flatnonzero(probabilities < alpha)
    return int((np.diff(beyond) > CALM_BUCKETS).sum()) + (len(beyond) > 0)


def at_most(seen: int) -> float:
    """The upper 95 % bound of the alarms to expect where so many were seen (Garwood 1936)."""
    return float(gammaincinv(seen + 1, 0.95))


def _between(told: Told, days: tuple[int, int], a_day: int) -> Told:
    first, last = np.searchsorted(told.at, (days[0] * a_day, days[1] * a_day))
    begin, end = np.searchsorted(told.days, days)
    at = slice(int(first), int(last))
    return Told(told.at[at], told.spikes[at], told.rises[at], told.days[begin:end], told.judged[begin:end])


def _peaks(at: Ints, evidence: Floats, gap: int) -> Floats:
    beyond = evidence > BEYOND
    return calibrating.peaks(at[beyond], evidence[beyond], gap)
