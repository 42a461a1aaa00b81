"""The detector day by day and bucket by bucket, as plainly as it can be written: what the quick one is held against.

Slow. Knows only whole series without gaps in their days; what it says of each bucket is (expected, spike, rise, p).
"""

from math import log

import numpy as np

from services.analysis import baseline, calibrating, tails
from services.analysis.sustained import LEAST, lengths
from services.analysis.varying import PRIOR_WINDOWS, RISING, SHIFTED, UNUSUAL

DAY = 86_400.0
Array = np.ndarray


def judge(starts: Array, seen: Array, heard: Array, *, counts: bool, learning_s: float) -> Array:
    """One row a bucket."""
    step = starts[1] - starts[0]
    told = np.full((len(starts), 4), np.nan)
    moods = Moods(step, counts=counts)
    for today in np.unique(starts // DAY) * DAY:
        rows = np.flatnonzero((starts >= today) & (starts < today + DAY))
        since, until = today - DAY - max(28 * DAY, 28 * step), today - DAY
        known = np.flatnonzero((starts >= since) & (starts < until) & (heard >= 0.5))
        if not len(known):
            continue
        past = (fit_counts if counts else fit_values)(starts[known], seen[known], heard[known])
        expected, tail = past(starts[rows], seen[rows], heard[rows], None)
        dispersion = moods.begin(since, until, past.dispersion)
        expected, tail = past(starts[rows], seen[rows], heard[rows], dispersion)
        enough = heard[rows] >= 0.5
        spike = np.where(enough, -np.log(np.maximum(tail, tails.FLOOR)), np.nan)
        x = seen[rows] if counts else np.clip((seen[rows] - expected) / past.spread, -baseline.FAR, baseline.FAR)
        rise = moods.follow(today, (x, expected, enough), (dispersion, past.vague))
        told[rows, 0] = expected
        if heard[known].sum() * step + DAY < learning_s:
            continue
        told[rows, 1], told[rows, 2] = spike, np.where(enough, rise, np.nan)
        kept = np.arange(min(np.searchsorted(starts, today - 29 * DAY), max(rows[0] - 28, 0)), rows[0])
        left = [corrected(told[kept, i], told[rows, i], step, t) for i, t in ((1, SPIKES), (2, RISES))]
        told[rows, 3] = np.minimum(2 * np.exp(-np.fmax(*left)), 1.0)
    return told


SPIKES, RISES = calibrating.Known().spikes, calibrating.Known().rises


def corrected(past: Array, new: Array, step: float, known: calibrating.Tail) -> Array:
    """The evidence that is left of a test, by its past."""
    said, runs, last = [e for e in past if not np.isnan(e)], [], -np.inf
    for i, e in enumerate(said):
        if e > calibrating.BEYOND:
            if i - last > calibrating.apart(step):
                runs.append(e)
            runs[-1], last = max(runs[-1], e), i
    far = [min(e - calibrating.BEYOND, calibrating.FARTHEST * known.scale) for e in runs]
    share = (len(far) + calibrating.PRIOR_BUCKETS * known.share) / (len(said) + calibrating.PRIOR_BUCKETS)
    share = max(share, known.share)
    scale = max((sum(far) + known.weight * known.scale) / (len(far) + known.weight), 1.0)
    left = [
        e if np.isnan(e) else (e - calibrating.BEYOND) / scale - log(share)
        if e > calibrating.BEYOND else min(e, -log(share))
        for e in new
    ]  # fmt: skip
    return np.array(left)


class fit_counts:  # noqa: N801 - it is used as a function
    """Level x hour x weekday of counts."""

    def __init__(self, starts: Array, seen: Array, heard: Array) -> None:
        slot = (starts // 3600).astype(int) % 168
        exposed = np.bincount(slot, heard, 168).reshape(7, 24)
        capped = seen.astype(float)
        for _ in range(3):
            found = np.bincount(slot, capped, 168).reshape(7, 24)
            level = (found.sum() + 0.5) / exposed.sum()
            hours = (found.sum(0) + 5) / (level * exposed.sum(0) + 5)
            days = (found.sum(1) + 5) / (level * (exposed @ hours) + 5)
            mean = np.maximum((level * days[:, None] * hours).ravel()[slot] * heard, 1e-9)
            spread = max(((capped - mean) ** 2 - mean).sum() / (mean**2).sum(), 0.05)
            capped = np.minimum(capped, np.maximum(np.ceil(mean + 4 * np.sqrt(mean + spread * mean**2)), 1))
        self.vague = 1 / (found.sum() + 0.5)
        self.dispersion = spread + self.vague
        self.factors = (level * regime(starts, seen, mean) * days[:, None] * hours).ravel()

    def __call__(self, starts: Array, seen: Array, heard: Array, dispersion: float | None) -> tuple[Array, Array]:
        """What is expected, and the tail of what was seen."""
        expected = self.factors[(starts // 3600).astype(int) % 168] * np.nan_to_num(heard, nan=1.0)
        return expected, tails.tail(seen, expected, np.asarray(dispersion or self.dispersion))


def regime(starts: Array, seen: Array, mean: Array) -> float:
    """How far the last five days lie off, when all do so clearly."""
    day = starts // DAY
    last = [day == day[-1] - i for i in range(5)]
    if not all(d.any() for d in last) or sum(mean[d].sum() for d in last) < 20 or starts[0] >= (day[-1] - 4) * DAY:
        return 1.0
    ratios = [seen[d].sum() / mean[d].sum() for d in last]
    return float(np.median(ratios)) if min(ratios) > 1.3 or max(ratios) < 1 / 1.3 else 1.0


class fit_values:  # noqa: N801 - it is used as a function
    """Median level plus hour of day of values."""

    dispersion, vague = np.nan, np.nan

    def __init__(self, starts: Array, seen: Array, _heard: Array) -> None:
        hour = (starts // 3600).astype(int) % 24
        self.level = np.median(seen)
        around = seen - self.level
        low, high = np.quantile(around, [0.25, 0.75])
        inner = np.clip(around, low - 3 * (high - low), high + 3 * (high - low))
        self.hours = np.array([inner[hour == h].sum() / ((hour == h).sum() + 5) for h in range(24)])
        low, high = np.quantile(around - self.hours[hour], [0.25, 0.75])
        self.spread = max((high - low) / 1.35, 1e-3 * abs(self.level), 1e-9)

    def __call__(self, starts: Array, seen: Array, _heard: Array, _dispersion: float | None) -> tuple[Array, Array]:
        """What is forecast, and the tail of what was seen."""
        forecast = self.level + self.hours[(starts // 3600).astype(int) % 24]
        return forecast, tails.value_tail((seen - forecast) / self.spread)


class Moods:
    """The e-detector, bucket by bucket and length by length."""

    def __init__(self, step: float, *, counts: bool) -> None:
        self.counts, self.lengths = counts, lengths(step).tolist()
        self.told: list[tuple[float, float, float]] = [(0.0, 0.0, 0.0)] * self.lengths[-1]
        self.days: list[tuple[float, Array, Array, float]] = []

    def begin(self, since: float, until: float, fitted: float) -> float:
        """Take in the days before; the dispersion of a bucket."""
        known = [d for d in self.days if since <= d[0] < until]
        none = np.zeros(len(self.lengths))
        self.off, self.size = (sum((d[i] for d in known), none) for i in (1, 2))
        self.judged = sum(d[3] for d in known)
        weight, measured = PRIOR_WINDOWS * self.lengths[-1], self.off[0] / max(self.size[0], 1e-9)
        return max((weight * fitted + self.judged * measured) / (weight + self.judged), 0.5 * fitted)

    def follow(self, today: float, told: tuple[Array, Array, Array], fitted: tuple[float, float]) -> Array:
        """The evidence after each bucket of a day."""
        evidence, off, size = [], np.zeros(len(self.lengths)), np.zeros(len(self.lengths))
        for x, e, ok in zip(*told, strict=True):
            self.told.append((x, e, 1.0) if ok else (0.0, 0.0, 0.0))
            total = 0.0
            for i, length in enumerate(self.lengths):
                ratio, more, basis = (self.rise if self.counts else self.shift)(length, i, fitted)
                total += ratio
                off[i], size[i] = off[i] + ok * more, size[i] + ok * basis
            evidence.append(log(max(total, LEAST)))
        self.days.append((today, off, size, float(told[2].sum())))
        return np.array(evidence)

    def rise(self, length: int, i: int, fitted: tuple[float, float]) -> tuple[float, float, float]:
        """Of the newest so many counts: the bet, how far off, and what that is measured in."""
        s, e, squares = self.sums(length)
        quarter = self.sums(max(le for le in self.lengths if le <= max(length // 4, 1)))
        alone = fitted[0] * squares / e**2 + fitted[1]
        spread = max(alone, self.weighed(i, alone))
        off = (min(s, max(e + UNUSUAL * np.sqrt(e + spread * e * e), 1.0)) - e) ** 2 - e
        size, bet = 1 / spread, 0.0
        for rise in tails.RISES:
            bet += np.exp(min(s * np.log(rise) + (s + size) * np.log((size + e) / (size + rise * e)), 300.0))
        return (0.0 if quarter[0] < RISING * quarter[1] else bet / len(tails.RISES)), off, e * e

    def shift(self, length: int, i: int, _fitted: tuple[float, float]) -> tuple[float, float, float]:
        """The same of values."""
        s, n = sum(t[0] for t in self.told[-length:]), sum(t[2] for t in self.told[-length:])
        last = self.told[-max(le for le in self.lengths if le <= max(length // 4, 1)) :]
        quarter = sum(t[0] for t in last), sum(t[2] for t in last)
        spread = n * max(1.0, self.weighed(i, 1.0))
        z = s / np.sqrt(max(spread, 1.0))
        bet = sum(np.exp(min(shift * z - shift * shift / 2, 300.0)) for shift in tails.SHIFTS) / len(tails.SHIFTS)
        over = quarter[0] * n * np.sign(s) < SHIFTED * abs(s) * quarter[1]
        return (0.0 if over else bet), min(s * s, UNUSUAL**2 * spread), n

    def sums(self, length: int) -> tuple[float, float, float]:
        """Seen, expected and expected squared of the newest so many."""
        newest = self.told[-length:]
        s, e = sum(t[0] for t in newest), max(sum(t[1] for t in newest), 1e-9)
        return s, e, sum(t[1] ** 2 for t in newest)

    def weighed(self, i: int, alone: float) -> float:
        """The measured spread of a length, independence having a say."""
        known = self.judged / self.lengths[i]
        return float((known * self.off[i] / max(self.size[i], 1e-9) + PRIOR_WINDOWS * alone) / (known + PRIOR_WINDOWS))
