"""Frames as heads on posts: a post is as likely to carry a frame as what was learned lies near it.

Plain arrays that travel as bytes; how they are learned is not known here, and nothing here needs the encoder.
"""

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas.errors import PermanentError, Reason
from services.classifier.wording import bins_of_all

FORMAT = 2
"""Raised whenever stored heads of the version before cannot be read any more."""

ABSENT, CARRIES, UNCERTAIN = 0, 1, 2
"""The three answers: the post does not carry the frame, carries it, or falls just short of the threshold."""

TEXTS = ("frames", "weak", "contradictory")

NEARNESS, STEEPNESS = 2.0, 2.5
"""What two posts of one meaning count for each other, and how fast that falls with the angle between them."""


@dataclass(frozen=True, slots=True, eq=False)
class Heads:
    """F learned frames over posts: vectors of d numbers and the wording they stand for. Arrays are read-only."""

    frames: tuple[str, ...]
    """Frame ids; their order is the order of all columns."""
    mean: NDArray[np.float32]
    """d: taken from every vector before its direction is looked at."""
    anchors: NDArray[np.float16]
    """n × d: directions of the posts learned from."""
    pulls: NDArray[np.float32]
    """n × F: log odds that nearness to an anchor adds."""
    words: NDArray[np.float16]
    """bins × F: log odds that a piece of wording adds."""
    rarity: NDArray[np.float32]
    """bins: how much a piece of wording weighs within its text."""
    bias: NDArray[np.float32]
    """F."""
    thresholds: NDArray[np.float32]
    """F: the probability from which a post carries the frame."""
    band: NDArray[np.float32]
    """F × 2: from the first probability to the second, which is the threshold, the answer is `uncertain`."""
    weak: tuple[str, ...] = ()
    """Frames with too few examples to be trusted yet."""
    contradictory: tuple[str, ...] = ()
    """Frames whose examples contradict each other or the posts that are said not to carry them."""

    def __post_init__(self) -> None:
        for field in fields(self):
            if isinstance(array := getattr(self, field.name), np.ndarray):
                array.flags.writeable = False

    def scores(self, vectors: NDArray[np.float32], texts: Sequence[str]) -> NDArray[np.float32]:
        """Probabilities n × F for vectors n × d and the n texts that were encoded; 0 for a text without any letter.

        Raises ValueError for another d or n, or vectors that are not finite.
        """
        with np.errstate(over="ignore"):
            probabilities: NDArray[np.float32] = (1 / (1 + np.exp(-self.log_odds(vectors, texts)))).astype(np.float32)
        return probabilities

    def log_odds(self, vectors: NDArray[np.float32], texts: Sequence[str]) -> NDArray[np.float32]:
        """Log odds n × F of what `scores` tells, -inf where that is 0. Raises as `scores` does."""
        if len(vectors) != len(texts):
            raise ValueError(f"{len(vectors)} vectors for {len(texts)} texts")
        rows, bins = bins_of_all(texts)
        near = nearness(centred(vectors, self.mean), self.anchors.astype(np.float32))
        logits: NDArray[np.float32] = near @ self.pulls + self._worded(rows, bins, len(texts)) + self.bias
        if not np.isfinite(logits).all():
            raise ValueError("vectors that are not finite cannot be scored")
        logits[np.bincount(rows, minlength=len(texts)) == 0] = -np.inf
        return logits

    def _worded(self, rows: NDArray[np.int64], bins: NDArray[np.int32], n: int) -> NDArray[np.float32]:
        """n × F: log odds that wording adds; `rows` and `bins` as of bins_of_all."""
        found = np.zeros((n, len(self.frames)), np.float32)
        if len(rows):
            rarity = self.rarity[bins]
            lengths = np.sqrt(np.bincount(rows, rarity * rarity, n)).astype(np.float32)
            values = rarity / np.maximum(lengths[rows], np.float32(1e-9))
            starts = np.flatnonzero(np.diff(rows, prepend=-1))
            found[rows[starts]] = np.add.reduceat(self.words[bins].astype(np.float32) * values[:, None], starts)
        return found

    def answers(self, probabilities: NDArray[np.float32]) -> NDArray[np.int8]:
        """ABSENT, CARRIES or UNCERTAIN, int8 n × F, for probabilities n × F."""
        low, high = self.band.T
        found = np.where(probabilities >= high, CARRIES, UNCERTAIN)
        return np.where(probabilities < low, ABSENT, found).astype(np.int8)

    def to_bytes(self) -> bytes:
        """The heads as an npz archive; equal heads give equal bytes on every machine."""
        target = io.BytesIO()
        arrays = {f.name: np.asarray(getattr(self, f.name)) for f in fields(self)}
        texts = {name: np.array(getattr(self, name), dtype=np.str_) for name in TEXTS}
        np.savez(target, allow_pickle=False, format=np.array(FORMAT), **(arrays | texts))
        return target.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> "Heads":
        """Heads from `to_bytes`. Raises PermanentError(MODEL_UNAVAILABLE) for anything else."""
        try:
            return cls(**_unpacked(data))
        except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile) as error:
            raise PermanentError(
                Reason.MODEL_UNAVAILABLE,
                f"the stored heads of this codebook cannot be read ({error}). Apply the codebook again.",
            ) from error


def centred(vectors: NDArray[np.float32], mean: NDArray[np.float32]) -> NDArray[np.float32]:
    """Directions n × d as seen from `mean`: unit rows, zero where a vector is the mean itself."""
    moved = vectors - mean
    lengths = np.linalg.norm(moved, axis=1, keepdims=True)
    unit: NDArray[np.float32] = moved / np.maximum(lengths, np.float32(1e-9))
    return unit


def nearness(points: NDArray[Any], anchors: NDArray[Any]) -> NDArray[Any]:
    """n × m: how much each of n directions counts for each of m others."""
    near: NDArray[Any] = NEARNESS * np.exp(STEEPNESS * (points @ anchors.T - 1))
    return near


def _unpacked(data: bytes) -> dict[str, Any]:
    with np.load(io.BytesIO(data), allow_pickle=False) as stored:
        values: dict[str, Any] = dict(stored)
    if (version := int(values.pop("format"))) != FORMAT:
        raise ValueError(f"format {version}, expected {FORMAT}")
    for name in TEXTS:
        values[name] = tuple(str(text) for text in values[name])
    return values
