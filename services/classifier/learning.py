"""Learns heads from examples: one logistic regression a frame, calibrated on examples held out from it.

Arrays in, Heads out; no texts, no encoder, no chance: the same examples give the same heads.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schemas.errors import PermanentError, Reason
from services.classifier.calibration import Line, band_around, best_threshold, fit_line, sigmoid
from services.classifier.heads import Heads, centred

FEW = 5
"""A frame with fewer examples is reported as weak."""
ENOUGH_BACKGROUND = 20
"""Background posts from which their mean alone is the point everything is seen from."""
FOLDS = 4
SOFTNESS = 1.0
"""C of the regression: how closely it may follow the examples."""
PULL = 8.0
"""How many observations the line shared by all frames weighs against a frame's own."""
BAND = 0.25
"""Half width of the uncertain band, in log odds."""
SAME = 0.98
"""Cosine from which two examples are the same post."""


@dataclass(frozen=True, slots=True, eq=False)
class FrameExamples:
    """What a codebook says about one frame, as vectors."""

    frame: str
    description: NDArray[np.float32]
    """d: title and description; serves as one more example, never as a test."""
    examples: NDArray[np.float32]
    """n × d, n ≥ 1."""
    counterexamples: NDArray[np.float32]
    """m × d, m ≥ 0."""
    threshold: float | None = None
    """Fixed by the codebook, or None to have one chosen."""


@dataclass(frozen=True, slots=True, eq=False)
class _Task:
    """One frame's learning problem, seen from the mean."""

    description: NDArray[np.float32]
    positives: NDArray[np.float32]
    negatives: NDArray[np.float32]


def learn(frames: Sequence[FrameExamples], background: NDArray[np.float32]) -> Heads:
    """Heads for `frames`, with `background` (k × d, k ≥ 0) as posts that carry none of them.

    Raises PermanentError(BAD_CODEBOOK) when a frame has no example, or nothing to be told apart from.
    """
    mean = _mean(frames, background)
    tasks = [_task(frame, frames, background, mean) for frame in frames]
    held_out = [_held_out(task) for task in tasks]
    lines = _lines(held_out)
    weights, bias = _weights(tasks, lines)
    thresholds = _thresholds(frames, held_out, lines)
    return Heads(
        frames=tuple(frame.frame for frame in frames),
        weights=weights,
        bias=bias,
        mean=mean,
        thresholds=thresholds.astype(np.float32),
        band=band_around(thresholds, BAND).astype(np.float32),
        weak=tuple(frame.frame for frame in frames if len(frame.examples) < FEW),
    )


def _mean(frames: Sequence[FrameExamples], background: NDArray[np.float32]) -> NDArray[np.float32]:
    if len(background) >= ENOUGH_BACKGROUND:
        everything = background
    else:
        everything = np.concatenate([background, *(part for f in frames for part in (f.examples, f.counterexamples))])
    mean: NDArray[np.float32] = everything.mean(axis=0, dtype=np.float64).astype(np.float32)
    return mean


def _task(
    frame: FrameExamples,
    frames: Sequence[FrameExamples],
    background: NDArray[np.float32],
    mean: NDArray[np.float32],
) -> _Task:
    others = [other.examples for other in frames if other is not frame]
    positives = centred(frame.examples, mean)
    negatives = centred(np.concatenate([frame.counterexamples, background, *others]), mean)
    if not len(positives):
        raise PermanentError(Reason.BAD_CODEBOOK, f"the frame {frame.frame} has no example; give at least one.")
    negatives = negatives[(negatives @ positives.T).max(axis=1) < SAME]
    if not len(negatives):
        raise PermanentError(
            Reason.BAD_CODEBOOK,
            f"the frame {frame.frame} has nothing to be told apart from; "
            "add counterexamples, background posts or a second frame.",
        )
    return _Task(centred(frame.description[None], mean), positives, negatives)


def _regression(task: _Task) -> tuple[NDArray[np.float64], float]:
    """Direction (d) and offset that separate the task's positives and description from its negatives."""
    from sklearn.linear_model import LogisticRegression

    points = np.concatenate([task.description, task.positives, task.negatives]).astype(np.float64)
    labels = np.arange(len(points)) < 1 + len(task.positives)
    model = LogisticRegression(C=SOFTNESS, class_weight="balanced", max_iter=500).fit(points, labels)
    return model.coef_[0], float(model.intercept_[0])


def _held_out(task: _Task) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Scores of positives then negatives, each from a regression that did not see it, and which are positive."""
    count = len(task.positives)
    folds = max(FOLDS, count) if count < 2 * FOLDS else FOLDS
    positive, negative = np.arange(count) % folds, np.arange(len(task.negatives)) % folds
    scores = np.empty(count + len(task.negatives))
    for fold in range(folds):
        kept = task.negatives[negative != fold] if (negative != fold).any() else task.negatives
        direction, offset = _regression(_Task(task.description, task.positives[positive != fold], kept))
        scores[:count][positive == fold] = task.positives[positive == fold] @ direction + offset
        scores[count:][negative == fold] = task.negatives[negative == fold] @ direction + offset
    return scores, np.arange(len(scores)) < count


def _lines(held_out: Sequence[tuple[NDArray[np.float64], NDArray[np.bool_]]]) -> list[Line]:
    """Each frame's line from score to log odds, pulled towards the one that fits all frames together."""
    scores, labels = (np.concatenate(part) for part in zip(*held_out, strict=True))
    shared = fit_line(scores, labels, prior=(1.0, 0.0), strength=1.0)
    return [fit_line(*of_frame, prior=shared, strength=PULL) for of_frame in held_out]


def _weights(tasks: Sequence[_Task], lines: Sequence[Line]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Regressions on everything with their lines folded in: d × F and F."""
    heads = [
        (slope * direction, slope * start + offset)
        for (direction, start), (slope, offset) in zip(map(_regression, tasks), lines, strict=True)
    ]
    directions, offsets = zip(*heads, strict=True)
    return np.column_stack(directions).astype(np.float32), np.array(offsets, np.float32)


def _thresholds(
    frames: Sequence[FrameExamples],
    held_out: Sequence[tuple[NDArray[np.float64], NDArray[np.bool_]]],
    lines: Sequence[Line],
) -> NDArray[np.float64]:
    """The codebook's threshold of each frame, or the best on held-out scores, pulled towards the best for all."""
    found = [sigmoid(slope * s + offset) for (s, _), (slope, offset) in zip(held_out, lines, strict=True)]
    shared = best_threshold(np.concatenate(found), np.concatenate([labels for _, labels in held_out]))
    thresholds = []
    for frame, probabilities, (_, labels) in zip(frames, found, held_out, strict=True):
        own, count = best_threshold(probabilities, labels), int(labels.sum())
        chosen = (count * own + PULL * shared) / (count + PULL)
        thresholds.append(chosen if frame.threshold is None else frame.threshold)
    return np.array(thresholds)
