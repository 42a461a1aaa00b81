"""How good answers are against labels: precision, recall and F1 with bootstrap intervals. Chance comes as a seed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ROUNDS = 1000

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Quality:
    """Figures in [0, 1] of one frame over `labelled` posts that carry it; intervals are 95 %."""

    frame: str
    labelled: int
    given: int
    precision: float
    recall: float
    f1: float
    precision_low: float
    precision_high: float
    recall_low: float
    recall_high: float
    f1_low: float
    f1_high: float


def measure(frames: Sequence[str], said: Bools, true: Bools, seed: int = 7) -> list[Quality]:
    """Quality of each frame (column) over posts (rows); resampled with replacement ROUNDS times for the interval."""
    rng = np.random.default_rng(seed)
    rounds = rng.integers(0, len(said), (ROUNDS, len(said))) if len(said) else np.empty((0, 0), int)
    return [_measured(frame, said[:, i], true[:, i], rounds) for i, frame in enumerate(frames)]


def _measured(frame: str, said: Bools, true: Bools, rounds: NDArray[np.integer]) -> Quality:
    precision, recall, f1 = figures(said, true)
    samples = [figures(said[r], true[r]) for r in rounds] or [(0.0, 0.0, 0.0)]
    intervals = np.percentile(samples, [2.5, 97.5], axis=0).T.ravel().tolist()
    return Quality(frame, int(true.sum()), int(said.sum()), precision, recall, f1, *intervals)


def figures(said: Bools, true: Bools) -> tuple[float, float, float]:
    """(precision, recall, F1); 0 where nothing can be divided by."""
    both = int((said & true).sum())
    precision = both / max(int(said.sum()), 1)
    recall = both / max(int(true.sum()), 1)
    return precision, recall, 2 * both / max(int(said.sum()) + int(true.sum()), 1)


def macro_f1(qualities: Sequence[Quality]) -> float:
    """The mean F1 of frames that any post carries."""
    known = [q.f1 for q in qualities if q.labelled]
    return sum(known) / max(len(known), 1)


def matrix(frames: Sequence[str], carried: Sequence[Sequence[str]]) -> Bools:
    """Posts x frames: which post carries which."""
    return np.array([[f in c for f in frames] for c in carried], bool).reshape(len(carried), len(frames))


def false_alarms(said: Bools, true: Bools) -> float:
    """The share of posts that carry no frame and are given one."""
    none = ~true.any(1)
    return float(said[none].any(1).mean()) if none.any() else 0.0


def by_language(langs: Sequence[str]) -> Mapping[str, Bools]:
    """Rows of each language."""
    array = np.array(langs)
    return {lang: array == lang for lang in sorted(set(langs))}
