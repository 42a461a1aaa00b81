"""False alarms against the budget, and what of real bursts is found how late, on simulated hourly counts.

python -m bench.alarms [--frames 500] [--seeds 1 2] [--repeats 60]

Counts with day and week cycle and negative-binomial noise (k = 2 and 5). Without bursts, over 30 days: alarms (a run of
bursts, over after a calm day; before any support rule), with the upper 95 % bound, by theory and after a replay of what
was said in the four weeks before; independent hour by hour, with autocorrelated moods, and half of the frames each.
With bursts of six hours: hit rate and median delay, beside the rules in common use as they are used (with what else they
tell in 1,000 hours) and at the threshold at which they would keep the same budget, and beside one who knows the true
mean and noise, and when to look.
"""

import argparse
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from bench._simulated import DAY, MONDAY, mood, season
from services.analysis import budget, bursts, calibrating

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
HOUR, WEEK = 3600.0, 168
BEFORE, JUDGED = 57, 30
"""Days before the judged ones, and judged."""
RATES = (0.5, 2.0, 10.0, 50.0)
LIFTS = (2, 3, 5)
LASTS, AFTER = 6, 2
"""Hours of a burst, and how long after its end it may still be found."""
WEEKS = 4 * WEEK


def starts(hours: int) -> Floats:
    return MONDAY + HOUR * np.arange(hours)


def noise(rng: np.random.Generator, frames: int) -> Floats:
    """How steady each frame is: k of its gamma-distributed intensity."""
    return rng.choice([2.0, 5.0], frames)[:, None]


def series(rng: np.random.Generator, rates: Floats, k: Floats, hours: int, moods: float) -> Floats:
    """Counts of one frame a row."""
    shape = (len(rates), hours)
    mean = rates[:, None] * season(starts(hours)) * rng.gamma(k, 1 / k, shape)
    return rng.poisson(mean * (mood(rng, shape, 0.9, moods) if moods else 1.0)).astype(float)


def judge(counts: Floats, rate: float = 1e-9, held: budget.Schedule = ()) -> bursts.Verdicts:
    detector = bursts.Detector(bursts.Asked(rate / HOUR, 7 * DAY, HOUR, counts=True, held=held))
    return detector.feed(starts(len(counts)), counts, np.ones(len(counts)))


def quiet(kind: str, frames: int, given: float, seed: int) -> tuple[budget.Held, Floats, dict[str, int]]:
    """Print false alarms without a burst in sight; what the replay found, the counts, and the alarms by threshold."""
    rng = np.random.default_rng(seed)
    moods = {"independent": (0.0,), "mixed": (0.0, 0.6)}.get(kind) or (float(kind.split()[-1]),)
    hours, part = (BEFORE + JUDGED) * 24, frames // len(moods)
    counts = np.concatenate([series(rng, rng.choice(RATES, part), noise(rng, part), hours, m) for m in moods])
    told = [budget.sparse(v.spike, v.rise, 24) for v in map(judge, counts)]
    alpha, held = given / (len(counts) * WEEK), budget.replay(told, 24, BEFORE)
    allowed, alarms = given * JUDGED * 24 / WEEK, {}
    for name, known, level in (("theory", calibrating.Known(), alpha), ("replay", held.known, held.accept(alpha))):
        later = np.concatenate([budget.runs(one, (BEFORE, BEFORE + JUDGED), 24, known) for one in told])
        n = alarms[name] = int((later > -np.log(level)).sum())
        print(f"{kind:12s} seed {seed} {name:7s} p < {level:.1e} {n:4d} alarms in {JUDGED} days, upper 95 % bound "
              f"{budget.at_most(n):6.1f}; budget {allowed:.1f}: {'within' if n <= allowed else 'OVER'}", flush=True)  # fmt: skip
    return held, counts, alarms


def together(kind: str, runs: list[dict[str, int]], allowed: float) -> None:
    """Print what the runs of one kind told a month, with one bound of all of them."""
    for name in ("theory", "replay"):
        told = [run[name] for run in runs]
        mean, most = sum(told) / len(told), budget.at_most(sum(told)) / len(told)
        print(f"{kind:12s} {len(told)} seeds {name:7s} {mean:5.1f} alarms in {JUDGED} days ({min(told)} to {max(told)}), "
              f"upper 95 % bound of the rate {most:5.1f}; budget {allowed:.1f}: "
              f"{'within' if most <= allowed else 'OVER'}", flush=True)  # fmt: skip


def hour_of_week(counts: Floats) -> Floats:
    """The same hour of the four weeks before; NaN while there are none."""
    back = [np.concatenate([np.full(WEEK * i, np.nan), counts[: -WEEK * i]]) for i in range(1, 5)]
    return np.array(back)


def sigmas(counts: Floats) -> Floats:
    past = hour_of_week(counts)
    return (counts - past.mean(0)) / np.maximum(past.std(0, ddof=1), 1e-9)


def mads(counts: Floats) -> Floats:
    past = hour_of_week(counts)
    middle = np.median(past, axis=0)
    return (counts - middle) / np.maximum(1.4826 * np.median(np.abs(past - middle), axis=0), 1e-9)


def poisson(counts: Floats) -> Floats:
    return -stats.poisson.logsf(counts - 1, np.maximum(hour_of_week(counts).mean(0), 0.1))


RIVALS: dict[str, tuple[Callable[[Floats], Floats], float | None]] = {
    "mean + 3 sd": (sigmas, 3.0), "median/MAD > 3.5": (mads, 3.5), "Poisson tail": (poisson, None),
}  # fmt: skip
"""What each measures, and the threshold in use; None: our own accepted probability."""


def levels(counts: Floats, given: float) -> dict[str, float]:
    """The thresholds at which the rivals would have told as many alarms of quiet counts as the budget allows."""
    found = {}
    for name, (rule, _) in RIVALS.items():
        peaks: list[float] = []
        for row in counts:
            said = np.nan_to_num(rule(row)[BEFORE * 24 :], posinf=1e9)
            at = np.flatnonzero(said > 2.0)
            peaks += (calibrating.peaks(at, said[at], budget.CALM_BUCKETS) + calibrating.BEYOND).tolist()
        found[name] = float(np.sort(peaks)[::-1][int(given * JUDGED * 24 / WEEK)])
    return found


def hits(repeats: int, limits: tuple[budget.Held, float, dict[str, float]]) -> None:
    """Print what is found of bursts of six hours, and what else the same rules tell of the same series."""
    held, alpha, same = limits
    print(
        f"{'posts/h':>8s} {'rule':24s} {'false/1,000 h':>13s} {'x2':>13s} {'x3':>13s} {'x5':>13s}   (median delay, h)"
    )
    for rate in RATES:
        found: dict[str, dict[int, list[int]]] = {}
        false: dict[str, list[float]] = {}
        for lift in LIFTS:
            rng = np.random.default_rng(int(rate * 100) + lift)
            k, hours = noise(rng, repeats), WEEKS + 10 * 24
            counts = series(rng, np.full(repeats, rate), k, hours, 0.0)
            extra = series(rng, np.full(repeats, rate * (lift - 1)), k, hours, 0.0)
            for row, more, steady in zip(counts, extra, k[:, 0], strict=True):
                at = int(rng.integers(WEEKS + 24, WEEKS + 8 * 24))
                row[at : at + LASTS] += more[at : at + LASTS]
                for name, burst in _told(row, (rate, steady, at), held, alpha, same).items():
                    when = np.flatnonzero(burst[at : at + LASTS + AFTER])
                    found.setdefault(name, {}).setdefault(lift, []).append(int(when[0]) if len(when) else -1)
                    false.setdefault(name, []).append(1000 * float(burst[WEEKS:at].mean()))
        for name, delays in found.items():
            told = " ".join(f"{_hit(delays[lift]):>13s}" for lift in LIFTS)
            print(f"{rate:8g} {name:24s} {np.mean(false[name]):13.2f} {told}", flush=True)


def _told(
    row: Floats, true: tuple[float, float, int], held: budget.Held, alpha: float, same: dict[str, float]
) -> dict[str, Flags]:
    """The hours that each rule calls a burst."""
    verdicts = judge(row, alpha, ((0.0, held),))
    told = {"ours": np.array([state == "burst" for state in verdicts.state])}
    for name, (rule, used) in RIVALS.items():
        said = rule(row)
        told[name] = said > (-np.log(alpha) if used is None else used)
        told[name + ", same budget"] = said > same[name]
    rate, k, at = true
    mean = rate * season(starts(len(row)))[at : at + LASTS]
    size = k * mean.sum() ** 2 / (mean**2).sum()
    known = stats.nbinom.sf(row[at : at + LASTS].sum() - 1, size, size / (size + mean.sum())) < alpha
    told["knows mean, noise, hours"] = np.zeros(len(row), bool)
    told["knows mean, noise, hours"][at + LASTS - 1] = known
    return told


def _hit(delays: list[int]) -> str:
    when = [d for d in delays if d >= 0]
    return f"{len(when) / len(delays):.2f} ({np.median(when):.0f})" if when else "0.00"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=500)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--repeats", type=int, default=60)
    parser.add_argument("--budget", type=float, default=1.0, help="false alarms a week over all frames")
    parser.add_argument("--kinds", nargs="+", default=["independent", "moods 0.4", "moods 0.6", "mixed"])
    options = parser.parse_args()
    begin = time.process_time()
    for kind in options.kinds:
        runs = []
        for seed in options.seeds:
            held, counts, alarms = quiet(kind, options.frames, options.budget, seed)
            runs.append(alarms)
            if kind == "independent" and seed == options.seeds[0]:
                alpha = held.accept(options.budget / (len(counts) * WEEK))
                limits = held, options.budget / (len(counts) * WEEK), levels(counts, options.budget)
                print(f"the replayed independent frames ask for p < {alpha:.1e}")
        together(kind, runs, options.budget * JUDGED * 24 / WEEK)
    if "independent" in options.kinds and options.repeats:
        hits(options.repeats, limits)
    print(f"{time.process_time() - begin:.0f} s of processor time")


if __name__ == "__main__":
    main()
