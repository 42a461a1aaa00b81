"""Frames as linear heads on vectors: probabilities by one matrix product, answers by a threshold each.

Plain arrays that travel as bytes; how they are learned is not known here, and nothing here needs the encoder.
"""

import io
import zipfile
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas.errors import PermanentError, Reason

FORMAT = 1
"""Raised whenever stored heads of the version before cannot be read any more."""

ABSENT, CARRIES, UNCERTAIN = 0, 1, 2
"""The three answers: the post does not carry the frame, carries it, or lies too close to the threshold."""


@dataclass(frozen=True, slots=True, eq=False)
class Heads:
    """F learned frames over vectors of d numbers. Arrays are float32 and read-only."""

    frames: tuple[str, ...]
    """Frame ids; their order is the order of all columns."""
    weights: NDArray[np.float32]
    """d × F."""
    bias: NDArray[np.float32]
    """F."""
    mean: NDArray[np.float32]
    """d: taken from every vector before its direction is looked at."""
    thresholds: NDArray[np.float32]
    """F: the probability from which a post carries the frame."""
    band: NDArray[np.float32]
    """F × 2: between these probabilities, around the threshold, the answer is `uncertain`."""
    weak: tuple[str, ...] = ()
    """Frames with too few examples to be trusted yet."""

    def __post_init__(self) -> None:
        for array in (self.weights, self.bias, self.mean, self.thresholds, self.band):
            array.flags.writeable = False

    def scores(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Probabilities n × F for vectors n × d. Raises ValueError for another d or vectors that are not finite."""
        logits = centred(vectors, self.mean) @ self.weights + self.bias
        if not np.isfinite(logits).all():
            raise ValueError("vectors that are not finite cannot be scored")
        with np.errstate(over="ignore"):
            probabilities: NDArray[np.float32] = 1 / (1 + np.exp(-logits))
        return probabilities

    def answers(self, probabilities: NDArray[np.float32]) -> NDArray[np.int8]:
        """ABSENT, CARRIES or UNCERTAIN, int8 n × F, for probabilities n × F."""
        low, high = self.band.T
        found = np.where(probabilities >= high, CARRIES, UNCERTAIN)
        return np.where(probabilities < low, ABSENT, found).astype(np.int8)

    def to_bytes(self) -> bytes:
        """The heads as an npz archive; equal heads give equal bytes on every machine."""
        target = io.BytesIO()
        arrays = {f.name: np.asarray(getattr(self, f.name)) for f in fields(self)}
        texts = {name: np.array(getattr(self, name), dtype=np.str_) for name in ("frames", "weak")}
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


def _unpacked(data: bytes) -> dict[str, Any]:
    with np.load(io.BytesIO(data), allow_pickle=False) as stored:
        values: dict[str, Any] = dict(stored)
    if (version := int(values.pop("format"))) != FORMAT:
        raise ValueError(f"format {version}, expected {FORMAT}")
    for name in ("frames", "weak"):
        values[name] = tuple(str(text) for text in values[name])
    return values
