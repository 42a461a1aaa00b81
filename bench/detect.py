"""Rows a second of `framewatch detect`, file to file, by the step of the series.

python -m bench.detect [--rows 100000] [--repeats 3]

Simulated counts with day and week cycle. Processor time of the whole process, less that of one that reads three rows,
so that neither the start of Python nor the load of the machine counts; the best of the repeats.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from bench._simulated import DAY, MONDAY, season

STEPS = {"5 minutes": 300.0, "an hour": 3600.0, "a day": DAY}


def write(path: Path, step: float, rows: int, *, total: bool) -> None:
    rng = np.random.default_rng(1)
    starts = MONDAY + step * np.arange(rows)
    counts = rng.poisson(20 * season(starts) * rng.gamma(4, 0.25, rows))
    with path.open("w", encoding="utf-8") as out:
        out.write("timestamp,count,total\n" if total else "timestamp,count\n")
        for at, count in zip(starts.tolist(), counts.tolist(), strict=True):
            of = f",{count + 500}" if total else ""
            out.write(f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%S},{count}{of}\n")


def seconds(path: Path) -> tuple[float, int]:
    """Processor seconds of one run, and the most memory of any run so far in MB."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "services.cli", "detect", "--input", str(path), "--output", f"{path}.out"]
    subprocess.run(command, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, after.ru_maxrss // 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        short, path = Path(folder) / "short.csv", Path(folder) / "in.csv"
        write(short, 3600.0, 3, total=False)
        start = min(seconds(short)[0] for _ in range(options.repeats))
        print(f"a start takes {start:.2f} s")
        for name, step in STEPS.items():
            rows = min(options.rows, 60_000) if step == DAY else options.rows
            for total in (False, True):
                write(path, step, rows, total=total)
                taken = [seconds(path) for _ in range(options.repeats)]
                best = min(t for t, _ in taken) - start
                print(f"{name:10s} {'with a total' if total else '':12s} {rows:9,d} rows {rows / best:9,.0f} rows/s"
                      f"  at most {taken[-1][1]} MB", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
