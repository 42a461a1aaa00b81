"""False alarms against the budget, and what of real bursts is found how late, on simulated hourly counts.

python -m bench.alarms [--frames 500] [--repeats 60]

Counts with day and week cycle and negative-binomial noise (k = 2 and 5). Without bursts, over 30 days: alarms (a run of
bursts, over after a calm day; before any support rule), with the upper 95 % bound, at the nominal threshold and at the
one that four replayed weeks ask for; independent hour by hour, and with autocorrelated moods. With bursts of six hours:
hit rate and median delay, beside the rules in common use, and how often these cry wolf on the same series; once at the
threshold of 500 frames, once at that of 10.
"""

import argparse
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from bench._simulated import DAY, MONDAY, mood, season
from services.analysis import budget, bursts

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
HOUR, WEEK = 3600.0, 168
LEARN, REPLAYED, JUDGED = 22 * 24, 28 * 24, 30 * 24
"""Hours before the replay, of the replay, and after it."""
RATES = (0.5, 2.0, 10.0, 50.0)
ROUNDS = 3
LASTS = 6
WEEKS = 4 * WEEK


def starts(hours: int) -> Floats:
    return MONDAY + HOUR * np.arange(hours)


def series(rng: np.random.Generator, rates: Floats, hours: int, moods: float) -> Floats:
    """Counts of one frame a row."""
    k = rng.choice([2.0, 5.0], len(rates))[:, None]
    shape = (len(rates), hours)
    mean = rates[:, None] * season(starts(hours)) * rng.gamma(k, 1 / k, shape)
    return rng.poisson(mean * (mood(rng, shape, 0.9, moods) if moods else 1.0)).astype(float)


def probabilities(counts: Floats, alpha: float) -> Floats:
    """What the detector says of each bucket; NaN where it does not judge."""
    told = bursts.Series(starts(len(counts)), HOUR, counts, np.ones(len(counts)))
    return bursts.judge(told, alpha=alpha, learning_s=7 * DAY).probability


def states(counts: Floats, alpha: float) -> Flags:
    """The buckets that are bursts."""
    return np.asarray(probabilities(counts, alpha) < alpha)


def quiet(frames: int, moods: float, given: float) -> None:
    """Print false alarms without a burst in sight: as it begins, and after four weeks were replayed."""
    rng = np.random.default_rng(5)
    counts = series(rng, rng.choice(RATES, frames), LEARN + REPLAYED + JUDGED, moods)
    alpha = given / (frames * WEEK)
    first = [probabilities(row, alpha) for row in counts]
    held, again = alpha, first
    # A stricter threshold lets the evidence of a rise grow further before it is spent: replay until it holds.
    for _ in range(ROUNDS):
        asked = budget.accepted([p[LEARN : LEARN + REPLAYED] for p in again], alpha)
        if asked > held / 2:
            break
        held = asked
        again = [probabilities(row, held) for row in counts]
    kind = f"autocorrelated, sd {moods}" if moods else "independent"
    allowed = given * JUDGED / WEEK
    for name, told, level in (("nominal", first, alpha), ("after replay", again, held)):
        n = sum(budget.alarms(p[LEARN + REPLAYED :], level) for p in told)
        print(f"{kind:24s} {name:14s} p < {level:.1e} {n:4d} alarms in {JUDGED // 24} days, upper 95 % bound "
              f"{budget.at_most(n):6.1f}; budget {allowed:.1f}: {'within' if n <= allowed else 'OVER'}", flush=True)  # fmt: skip


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


def hits(repeats: int, frames: int, given: float) -> None:
    """Print what is found of bursts of six hours, and what else the same rules tell of the same series."""
    alpha = given / (frames * WEEK)
    head = "".join(f"{f' x{lift}':>14s}" for lift in (2, 3, 5))
    print(f"{'posts/h':>8s} {'rule':18s} {'false/1,000 h':>13s} {head}   hit rate (median delay in hours)")
    for rate in RATES:
        found: dict[tuple[str, int], list[int]] = {}
        false: dict[str, int] = dict.fromkeys(RIVALS, 0)
        for lift in (2, 3, 5):
            rng = np.random.default_rng(int(rate * 100) + lift)
            counts = series(rng, np.full(repeats, rate), WEEKS + 10 * 24, 0.0)
            extra = series(rng, np.full(repeats, rate * (lift - 1)), WEEKS + 10 * 24, 0.0)
            for row, more in zip(counts, extra, strict=True):
                at = int(rng.integers(WEEKS + 24, WEEKS + 8 * 24))
                for name, rule in RIVALS.items():
                    lifted = row.copy()
                    lifted[at : at + LASTS] += more[at : at + LASTS]
                    burst = rule(lifted, alpha)
                    when = np.flatnonzero(burst[at : at + LASTS + 2])
                    found.setdefault((name, lift), []).append(int(when[0]) if len(when) else -1)
                    false[name] += int(burst[WEEKS:at].sum())
                    false[name + " hours"] = false.get(name + " hours", 0) + at - WEEKS
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
