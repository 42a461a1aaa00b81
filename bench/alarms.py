"""False alarms against the budget, and what of real bursts is found how late, on simulated hourly counts.

python -m bench.alarms [--frames 500] [--repeats 60]

Counts with day and week cycle and negative-binomial noise (k = 2 and 5), 4 weeks to learn and 30 days that are judged.
Without bursts: alarms as they are told (a run of bursts, over after a calm day), with the upper 95 % bound, before the
support rule and after it (5 posts); once independent hour by hour, once with autocorrelated moods. With bursts of six
hours: hit rate and median delay, beside the rules in common use and how often these cry wolf on the same series.
"""

import argparse
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from bench._simulated import DAY, MONDAY, mood, season
from services.analysis import bursts

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
HOUR, WEEK = 3600.0, 168
LEARN, JUDGED = 28 * 24, 30 * 24
RATES = (0.5, 2.0, 10.0, 50.0)
LASTS = 6
CALM = 24


def starts(hours: int) -> Floats:
    return MONDAY + HOUR * np.arange(hours)


def series(rng: np.random.Generator, rates: Floats, hours: int, moods: float) -> Floats:
    """Counts of one frame a row."""
    k = rng.choice([2.0, 5.0], len(rates))[:, None]
    shape = (len(rates), hours)
    mean = rates[:, None] * season(starts(hours)) * rng.gamma(k, 1 / k, shape)
    return rng.poisson(mean * (mood(rng, shape, 0.9, moods) if moods else 1.0)).astype(float)


def states(counts: Floats, alpha: float) -> Flags:
    """The buckets that are bursts."""
    told = bursts.Series(starts(len(counts)), HOUR, counts, np.ones(len(counts)))
    return np.array(bursts.judge(told, alpha=alpha, learning_s=7 * DAY).state) == "burst"


def onsets(burst: Flags) -> NDArray[np.int64]:
    """Where a run begins that no burst came before for a day."""
    at = np.flatnonzero(burst)
    return at[np.diff(at, prepend=-CALM - 1) > CALM]


def quiet(frames: int, moods: float, budget: float) -> None:
    """Print false alarms without a burst in sight."""
    rng = np.random.default_rng(5)
    rates = rng.choice(RATES, frames)
    counts = series(rng, rates, LEARN + JUDGED, moods)
    alarms = supported = 0
    for row in counts:
        burst = states(row, budget / (frames * WEEK))
        at = [a for a in onsets(burst) if a >= LEARN]
        alarms += len(at)
        supported += sum(row[a : a + CALM][burst[a : a + CALM]].sum() >= 5 for a in at)
    allowed = budget * JUDGED / WEEK
    kind = f"autocorrelated, sd {moods}" if moods else "independent"
    for name, n in (("told by the detector", alarms), ("after the support rule", supported)):
        bound = stats.chi2.ppf(0.95, 2 * n + 2) / 2
        verdict = "within" if n <= allowed else "OVER"
        print(f"{kind:24s} {name:24s} {n:4d} alarms in {JUDGED // 24} days, upper 95 % bound {bound:6.1f}; "
              f"budget {allowed:.1f}: {verdict}", flush=True)  # fmt: skip


def hour_of_week(counts: Floats) -> Floats:
    """The same hour of the four weeks before; NaN while there are none."""
    back = [np.concatenate([np.full(WEEK * i, np.nan), counts[: -WEEK * i]]) for i in range(1, 5)]
    return np.array(back)


def three_sigma(counts: Floats, alpha: float) -> Flags:  # noqa: ARG001
    past = hour_of_week(counts)
    return counts > past.mean(0) + 3 * np.maximum(past.std(0, ddof=1), 1e-9)


def median_mad(counts: Floats, alpha: float) -> Flags:  # noqa: ARG001
    past = hour_of_week(counts)
    middle = np.median(past, axis=0)
    return counts - middle > 3.5 * np.maximum(1.4826 * np.median(np.abs(past - middle), axis=0), 1e-9)


def poisson(counts: Floats, alpha: float) -> Flags:
    """At our own accepted probability, around the mean of the four weeks before."""
    return stats.poisson.sf(counts - 1, np.maximum(hour_of_week(counts).mean(0), 0.1)) < alpha


RIVALS: dict[str, Callable[[Floats, float], Flags]] = {
    "ours": states, "mean + 3 sd": three_sigma, "median/MAD > 3.5": median_mad, "Poisson tail": poisson,
}  # fmt: skip


def hits(repeats: int, frames: int, budget: float) -> None:
    """Print what is found of bursts of six hours, and what else the same rules tell of the same series."""
    alpha = budget / (frames * WEEK)
    head = "".join(f"{f' x{lift}':>14s}" for lift in (2, 3, 5))
    print(f"{'posts/h':>8s} {'rule':18s} {'false/1,000 h':>13s} {head}   hit rate (median delay in hours)")
    for rate in RATES:
        found: dict[tuple[str, int], list[int]] = {}
        false: dict[str, int] = dict.fromkeys(RIVALS, 0)
        for lift in (2, 3, 5):
            rng = np.random.default_rng(int(rate * 100) + lift)
            counts = series(rng, np.full(repeats, rate), LEARN + 10 * 24, 0.0)
            extra = series(rng, np.full(repeats, rate * (lift - 1)), LEARN + 10 * 24, 0.0)
            for row, more in zip(counts, extra, strict=True):
                at = int(rng.integers(LEARN + 24, LEARN + 8 * 24))
                for name, rule in RIVALS.items():
                    lifted = row.copy()
                    lifted[at : at + LASTS] += more[at : at + LASTS]
                    burst = rule(lifted, alpha)
                    when = np.flatnonzero(burst[at : at + LASTS + 2])
                    found.setdefault((name, lift), []).append(int(when[0]) if len(when) else -1)
                    false[name] += int(burst[LEARN:at].sum())
                    false[name + " hours"] = false.get(name + " hours", 0) + at - LEARN
        for name in RIVALS:
            told = "".join(f"{_hit(found[name, lift]):>14s}" for lift in (2, 3, 5))
            print(f"{rate:8g} {name:18s} {1000 * false[name] / false[name + ' hours']:13.2f} {told}", flush=True)


def _hit(delays: list[int]) -> str:
    when = [d for d in delays if d >= 0]
    return f"{len(when) / len(delays):.2f} ({np.median(when):.0f})" if when else "0.00"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=500)
    parser.add_argument("--repeats", type=int, default=60)
    parser.add_argument("--budget", type=float, default=1.0, help="false alarms a week over all frames")
    options = parser.parse_args()
    begin = time.process_time()
    for moods in (0.0, 0.4, 0.6):
        quiet(options.frames, moods, options.budget)
    hits(options.repeats, options.frames, options.budget)
    hits(options.repeats, 10, options.budget)
    print(f"{time.process_time() - begin:.0f} s of processor time")


if __name__ == "__main__":
    main()
