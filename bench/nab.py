"""The Numenta Anomaly Benchmark's own score (standard profile) of `framewatch detect`, and rows per second.

python -m bench.nab [--data DIR] [--simulated 40]

DIR holds windows.json and the series by group, `timestamp,value`. Without it only simulated series are scored: two
months of 5-minute volume, once with events of hours, once of minutes to hours. Beside ours: a trailing Gaussian of 2,000
rows, and a score by chance. One threshold for all series of a group, the one that suits it best, as the benchmark does.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from bench import _nab, _simulated
from bench._nab import Floats, Labelled
from services.analysis import bursts

WEEK = 7 * 86_400.0


def ours(series: Labelled) -> Floats:
    """The column `score` of framewatch detect."""
    detector = bursts.Detector(bursts.Asked(1.0 / WEEK, WEEK))
    return detector.feed(series.starts, series.values, np.ones(len(series.values))).score


def gaussian(series: Labelled, rows: int = 2000) -> Floats:
    """Deviations from the mean of the rows before."""
    x = series.values
    sums, squares = np.cumsum(np.append(0.0, x)), np.cumsum(np.append(0.0, x**2))
    to = np.arange(len(x))
    begin = np.maximum(to - rows, 0)
    n = np.maximum(to - begin, 1)
    mean = (sums[to] - sums[begin]) / n
    spread = np.sqrt(np.maximum((squares[to] - squares[begin]) / n - mean**2, 1e-9))
    return np.where(to < 20, 0.0, np.abs(x - mean) / spread)


def chance(series: Labelled) -> Floats:
    """Numbers drawn without looking."""
    return np.random.default_rng(len(series.values)).random(len(series.values))


def groups(data: Path | None, simulated: int) -> dict[str, list[Labelled]]:
    found: dict[str, list[Labelled]] = {}
    for series in _nab.read(data) if data else []:
        found.setdefault(series.name.split("/")[0], []).append(series)
    if found:
        found["artificial (both)"] = found.pop("artificialNoAnomaly") + found.pop("artificialWithAnomaly")
    found["volume, hours"] = [_simulated.volume(seed) for seed in range(simulated)]
    found["volume, minutes"] = [_simulated.volume(seed, brief=True) for seed in range(simulated)]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--simulated", type=int, default=40)
    options = parser.parse_args()
    told = groups(options.data, options.simulated)
    detectors: dict[str, Callable[[Labelled], Floats]] = {"ours": ours, "gaussian": gaussian, "chance": chance}
    print(f"{'group':20s} {'detector':9s} score   found   false  threshold  rows/s")
    for group, series in told.items():
        for name, detector in detectors.items():
            begin = time.process_time()
            scores = [detector(one) for one in series]
            rate = sum(map(len, scores)) / (time.process_time() - begin)
            best = _nab.best(series, scores)
            print(
                f"{group:20s} {name:9s} {best.score:5.1f}  {best.hits:3d}/{best.windows:<3d} {best.false:6d}"
                f"  {best.threshold:8.3f}  {rate:9,.0f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
