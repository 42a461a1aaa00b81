"""From scores of held-out examples to probabilities and thresholds. Pure arithmetic; knows nothing of frames."""

import numpy as np
from numpy.typing import NDArray

Line = tuple[float, float]
"""slope and offset of the log odds as a function of the score."""

FLATTEST = 0.2
"""Smallest slope: a higher score never means a lower probability, however odd a handful of examples is."""

BLUR = 0.3
"""Log odds by which the score of an example may as well have been another."""
_TRIED = np.linspace(-4.0, 4.0, 161)
"""Log odds tried as thresholds; with them between 0.02 and 0.98."""


def sigmoid(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities of log odds, without overflow."""
    return 0.5 * (1 + np.tanh(0.5 * logits))


def fit_line(scores: NDArray[np.float64], labels: NDArray[np.bool_], prior: Line, strength: float) -> Line:
    """Platt's line for scores (n) of examples (`labels` True) and others, pulled towards `prior`.

    `strength` weighs the pull like that many observations. Targets are smoothed as Platt does, so that a perfect
    split of a few examples does not end in certainty.
    """
    positive, negative = labels.sum(), (~labels).sum()
    target = np.where(labels, (positive + 1) / (positive + 2), 1 / (negative + 2))
    line, start = np.array(prior, np.float64), np.array(prior, np.float64)
    design = np.column_stack([scores, np.ones_like(scores)])
    for _ in range(50):
        odds = sigmoid(design @ line)
        gradient = design.T @ (odds - target) + strength * (line - start)
        spread = np.maximum(odds * (1 - odds), 1e-6)
        step = np.linalg.solve(design.T @ (design * spread[:, None]) + strength * np.eye(2), gradient)
        line = line - np.clip(step, -1, 1)
        if np.abs(step).max() < 1e-6:
            break
    return max(float(line[0]), FLATTEST), float(line[1])


def best_threshold(probabilities: NDArray[np.float64], labels: NDArray[np.bool_]) -> float:
    """The threshold with the best F1 when every example may score BLUR log odds more or less; 0.5 without any.

    Without the blur the choice hangs on single examples, and a hair's difference in one moves it a long way.
    """
    if not labels.any():
        return 0.5
    inside = np.clip(probabilities, 1e-6, 1 - 1e-6)
    above = sigmoid(1.7 * (np.log(inside / (1 - inside)) - _TRIED[:, None]) / BLUR)
    f1 = 2 * above[:, labels].sum(axis=1) / (above.sum(axis=1) + labels.sum())
    return float(sigmoid(_TRIED[np.argmax(f1)]))


def band_below(thresholds: NDArray[np.float64], width: float) -> NDArray[np.float64]:
    """F × 2: from `width` log odds below each threshold (F) to the threshold."""
    inside = np.clip(thresholds, 1e-6, 1 - 1e-6)
    return np.column_stack([sigmoid(np.log(inside / (1 - inside)) - width), thresholds])
