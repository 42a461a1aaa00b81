"""Why heads answered as they did: the score of a kernel machine is a sum over the texts it was learned from.

Every part of that sum is told exactly (but for the rounding of stored heads to 16 bits): how near the post lies to
each text of the codebook, in meaning and in wording, and by how much that moved the log odds. Pure arithmetic; needs
neither the encoder nor the database.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from schemas.errors import PermanentError, Reason
from services.analysis.naming import many
from services.classifier.codebook import Taught
from services.classifier.heads import NEARNESS, STEEPNESS, Heads, centred, nearness
from services.classifier.learning import WORDING
from services.classifier.wording import bins_of_all

Kind = Literal["description", "example", "counterexample", "other frame", "background"]


@dataclass(frozen=True, slots=True)
class Neighbour:
    """One text of the codebook, as near as the heads see it to the post."""

    taught: Taught
    kind: Kind
    meaning: float
    """Cosine of the centred vectors, -1 to 1."""
    wording: float
    """Cosine of the letter runs, 0 to 1."""
    push: float
    """Log odds that this text adds to those of a post that has nothing to do with it."""


@dataclass(frozen=True, slots=True)
class Sum:
    """A frame's log odds taken apart: they are `start` and all pushes together."""

    start: float
    """Log odds of a post that has nothing to do with any text of the codebook (a right angle to each)."""
    by_kind: dict[Kind, float]
    neighbours: tuple[Neighbour, ...]
    """Every text that says something of the frame, the nearest first: meaning and wording together, as heads weigh."""


def sums(heads: Heads, taught: Sequence[Taught], vector: NDArray[np.float32], text: str) -> dict[str, Sum]:
    """The log odds of each frame taken apart, for a vector (d) and the cleaned text that it was made of.

    `taught` is what `taught_by` gives for the heads' codebook. Raises PermanentError(MODEL_UNAVAILABLE) when it cannot
    be what they were learned from.
    """
    if len(taught) != len(heads.anchors):
        raise PermanentError(
            Reason.MODEL_UNAVAILABLE,
            f"the stored heads know {many(len(heads.anchors), 'text')} and their codebook has {len(taught)}: "
            "they do not belong together. Apply the codebook again.",
        )
    anchors = heads.anchors.astype(np.float32)
    point = centred(vector[None, :], heads.mean)
    meaning, wording = (point @ anchors.T)[0], _wording(heads, taught, text)
    near = nearness(point, anchors)[0] + WORDING * wording
    unrelated = NEARNESS * np.exp(-STEEPNESS)
    starts = heads.bias + unrelated * heads.pulls.sum(axis=0)
    pushes = heads.pulls * (near - unrelated)[:, None]
    order = np.argsort(-near, kind="stable").tolist()
    return {
        frame: _summed(frame, float(starts[f]), [
            (taught[i], float(meaning[i]), float(wording[i]), float(pushes[i, f])) for i in order
        ])
        for f, frame in enumerate(heads.frames)
    }  # fmt: skip


def kind_of(taught: Taught, frame: str) -> Kind | None:
    """What a text is for a frame; None when the codebook says nothing of the two."""
    if taught.describes:
        return "description" if taught.describes == frame else "other frame"
    if frame in taught.carries:
        return "example"
    if frame in taught.against:
        return "counterexample"
    if taught.carries:
        return "other frame"
    return "background" if taught.background else None


def _summed(frame: str, start: float, told: Sequence[tuple[Taught, float, float, float]]) -> Sum:
    found: list[Neighbour] = []
    by_kind: dict[Kind, float] = dict.fromkeys(
        ("description", "example", "counterexample", "other frame", "background"), 0.0
    )
    for taught, meaning, wording, push in told:
        kind = kind_of(taught, frame)
        if kind is not None:
            by_kind[kind] += push
            found.append(Neighbour(taught, kind, meaning, wording, push))
    return Sum(start, by_kind, tuple(found))


def _wording(heads: Heads, taught: Sequence[Taught], text: str) -> NDArray[Any]:
    """Cosine of wording between the text and each taught one."""
    rows, bins = bins_of_all([text, *(t.clean for t in taught)])
    values, count = heads.rarity[bins], len(taught) + 1
    ours = np.zeros_like(heads.rarity)
    ours[bins[rows == 0]] = values[rows == 0]
    lengths = np.sqrt(np.bincount(rows, values * values, count))
    found: NDArray[Any] = np.bincount(rows, values * ours[bins], count) / np.maximum(lengths * lengths[0], 1e-9)
    return found[1:].astype(np.float32)
