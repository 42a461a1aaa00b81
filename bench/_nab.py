"""The score of the Numenta Anomaly Benchmark, standard profile (Lavin & Ahmad 2015, arXiv:1510.03336), and its input.

Each labelled window is worth up to 1 for its earliest detection (a sigmoid falls from its left edge to 0 at its right)
and -1 when missed; a detection outside costs up to 0.11, less just behind a window. One threshold serves all series,
the one that scores best. 0 is a detector that says nothing, 100 one that hits every window at once.
"""

import csv
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
FALSE_POSITIVE = 0.11
PROBATION = 0.15
PROBATION_ROWS = 5000
"""Rows that count for the length of the probation: 15 % of at most so many."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A series with its windows as (first row, last row), in order."""

    name: str
    starts: Floats
    values: Floats
    windows: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Scored:
    """The best normalised score of a group of series, its threshold, and what is detected there."""

    score: float
    threshold: float
    hits: int
    windows: int
    false: int


def read(folder: Path) -> list[Labelled]:
    """Every labelled series below a folder that holds `windows.json`."""
    windows = json.loads((folder / "windows.json").read_text())
    return [_series(folder, name, told) for name, told in sorted(windows.items())]


def best(series: list[Labelled], scores: list[Floats], thresholds: int = 1500) -> Scored:
    """Score a group at the one threshold that suits it best."""
    levels = np.unique(np.concatenate([s[_probation(len(s)) :] for s in scores]))
    levels = levels if len(levels) < thresholds else np.unique(np.quantile(levels, _finer(thresholds)))
    total, hits = np.zeros(len(levels)), np.zeros(len(levels), int)
    false = np.zeros(len(levels), int)
    for one, score in zip(series, scores, strict=True):
        gained, hit = _windows(one, score, levels)
        lost, wrong = _outside(one, score, levels)
        total, hits, false = total + gained + lost, hits + hit, false + wrong
    count = sum(len(s.windows) for s in series)
    i = int(np.argmax(total))
    if total[i] < -count:
        return Scored(0.0, np.inf, 0, count, 0)
    return Scored(100 * (total[i] + count) / (2 * count), float(levels[i]), int(hits[i]), count, int(false[i]))


def sigmoid(position: Floats) -> Floats:
    """The benchmark's weight of a detection: 1 far before the right edge of a window, 0 at it, -1 far behind."""
    inside = np.minimum(position, 3.0)
    return np.where(position > 3.0, -1.0, 2.0 / (1.0 + np.exp(5.0 * inside)) - 1.0)


def _windows(one: Labelled, score: Floats, levels: Floats) -> tuple[Floats, NDArray[np.int64]]:
    gained, hits = np.zeros(len(levels)), np.zeros(len(levels), np.int64)
    for left, right in one.windows:
        rows = np.arange(max(left, _probation(len(score))), right + 1)
        weight = sigmoid(-(right - rows + 1.0) / (right - left + 1.0)) / sigmoid(np.array([-1.0]))[0]
        # The earliest row at or above a level is where the running maximum first reaches it.
        first = np.searchsorted(np.maximum.accumulate(score[rows]), levels) if len(rows) else levels * 0
        hit = first < len(rows)
        gained += np.where(hit, np.append(weight, 0.0)[np.minimum(first, len(rows)).astype(int)], -1.0)
        hits += hit
    return gained, hits


def _outside(one: Labelled, score: Floats, levels: Floats) -> tuple[Floats, NDArray[np.int64]]:
    rows = np.arange(len(score))
    weight, outside = np.full(len(score), -1.0), rows >= _probation(len(score))
    for left, right in one.windows:
        width = max(right - left, 1)
        weight = np.where(rows > right, sigmoid(np.maximum(rows - right, 0) / width), weight)
        outside &= (rows < left) | (rows > right)
    order = np.argsort(-score[outside], kind="stable")
    cost = np.append(0.0, np.cumsum(weight[outside][order] * FALSE_POSITIVE))
    count = np.searchsorted(-score[outside][order], -levels, side="right")
    return cost[count], count


def _probation(rows: int) -> int:
    return int(PROBATION * min(rows, PROBATION_ROWS))


def _finer(count: int) -> Floats:
    """Quantiles, denser towards the top, where thresholds lie."""
    return np.sort(
        np.unique(np.concatenate([np.linspace(0, 1, count // 3), 1 - np.geomspace(1e-6, 1, 2 * count // 3)]))
    )


def _series(folder: Path, name: str, told: list[list[str]]) -> Labelled:
    with (folder / name).open(encoding="utf-8", newline="") as text:
        rows = list(csv.reader(text))[1:]
    starts = np.array([_at(row[0]) for row in rows])
    edges = [(_at(left), _at(right)) for left, right in told]
    windows = tuple(
        (int(np.searchsorted(starts, a)), int(np.searchsorted(starts, b, side="right")) - 1) for a, b in edges
    )
    return Labelled(name, starts, np.array([float(row[1]) for row in rows]), windows)


def _at(written: str) -> float:
    return datetime.fromisoformat(written).replace(tzinfo=UTC).timestamp()
