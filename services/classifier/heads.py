"""Frames as heads on posts: a post is as likely to carry a frame as what was learned lies near it.

Plain arrays that travel as bytes; how they are learned is not known here, and nothing here needs the encoder.
"""

import io
import zipfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas.errors import PermanentError, Reason
from services.classifier.cores import blas_threads, usable_cores
from services.classifier.wording import BINS, flat_bins

FORMAT = 3
"""Raised whenever stored heads of the version before cannot be read any more."""

ABSENT, CARRIES, UNCERTAIN = 0, 1, 2
"""The three answers: the post does not carry the frame, carries it, or falls just short of the threshold."""

TEXTS = ("frames", "weak", "contradictory")

LOT = 4_096
"""Posts that one thread takes at a time."""
BLOCK = 512
"""Posts that are multiplied at once, always: the same shape gives a post the same score in any company."""

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
        return probabilities_of(self.log_odds(vectors, texts))

    def stored_scores(
        self, vectors: NDArray[Any], bins: NDArray[np.uint16], counts: NDArray[np.int64]
    ) -> NDArray[np.float32]:  # fmt: skip
        """What `scores` gives, from what is stored of texts: vectors n × d, their bins in a row, and how many each has.

        A post scores the same to the last bit either way, whatever is scored beside it. Raises as `scores` does.
        """
        return probabilities_of(self._odds(vectors, bins, counts))

    def log_odds(self, vectors: NDArray[np.float32], texts: Sequence[str]) -> NDArray[np.float32]:
        """Log odds n × F of what `scores` tells, -inf where that is 0. Raises as `scores` does."""
        return self._odds(vectors, *flat_bins(texts))

    def _odds(
        self, vectors: NDArray[Any], bins: NDArray[np.uint16], counts: NDArray[np.int64]
    ) -> NDArray[np.float32]:  # fmt: skip
        if len(vectors) != len(counts):
            raise ValueError(f"{len(vectors)} vectors for {len(counts)} texts")
        ends = np.concatenate([[0], np.cumsum(counts)])
        tables = self._tables()

        def some(start: int) -> NDArray[np.float32]:
            stop = min(start + LOT, len(vectors))
            own = ends[start : stop + 1]
            found = self._worded(bins[own[0] : own[-1]], own - own[0], tables)
            found += self._near(vectors[start:stop], tables)
            return found

        logits = np.concatenate([np.empty((0, len(self.frames)), np.float32), *in_lots(some, len(vectors))])
        if not np.isfinite(logits).all():
            raise ValueError("vectors that are not finite cannot be scored")
        logits[counts == 0] = -np.inf
        return logits

    def _tables(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """d × n anchors, and bins × (F + 1): what a bin adds to each frame, and to the squared length of its text."""
        anchors = np.ascontiguousarray(self.anchors.astype(np.float32).T)
        words = self.words.astype(np.float32) * self.rarity[:, None]
        return anchors, np.column_stack([words, self.rarity * self.rarity])

    def _near(self, vectors: NDArray[Any], tables: tuple[NDArray[np.float32], ...]) -> NDArray[np.float32]:
        """n × F: log odds that meaning adds, and the bias."""
        found = np.empty((len(vectors), len(self.frames)), np.float32)
        block = np.empty((BLOCK, vectors.shape[1]), np.float32)
        for start in range(0, len(vectors), BLOCK):
            part = vectors[start : start + BLOCK]
            block[: len(part)] = part
            block[len(part) :] = self.mean
            near = nearness_of(centred(block, self.mean) @ tables[0])
            found[start : start + BLOCK] = (near @ self.pulls + self.bias)[: len(part)]
        return found

    def _worded(
        self, bins: NDArray[np.uint16], ends: NDArray[np.int64], tables: tuple[NDArray[np.float32], ...]
    ) -> NDArray[np.float32]:  # fmt: skip
        """n × F: log odds that wording adds; one sparse product."""
        from scipy.sparse import csr_matrix

        shape = (len(ends) - 1, BINS)
        texts = csr_matrix((np.ones(len(bins), np.float32), bins.astype(np.int32), ends), shape)
        found: NDArray[np.float32] = texts @ tables[1]
        found[:, :-1] /= np.sqrt(np.maximum(found[:, -1:], np.float32(1e-9)))
        return found[:, :-1]

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


def thresholds_of(data: bytes) -> dict[str, float]:
    """By frame, the probability from which a post carries it, of heads from `to_bytes`; the rest is left unread.

    Raises PermanentError(MODEL_UNAVAILABLE) for anything else.
    """
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as stored:
            pairs = zip(stored["frames"], stored["thresholds"], strict=True)
            return {str(frame): float(threshold) for frame, threshold in pairs}
    except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise PermanentError(Reason.MODEL_UNAVAILABLE, f"these heads cannot be read ({error})") from error


def centred(vectors: NDArray[np.float32], mean: NDArray[np.float32]) -> NDArray[np.float32]:
    """Directions n × d as seen from `mean`: unit rows, zero where a vector is the mean itself."""
    moved = vectors - mean
    lengths = np.linalg.norm(moved, axis=1, keepdims=True)
    unit: NDArray[np.float32] = moved / np.maximum(lengths, np.float32(1e-9))
    return unit


def nearness(points: NDArray[Any], anchors: NDArray[Any]) -> NDArray[Any]:
    """n × m: how much each of n directions counts for each of m others."""
    return nearness_of(points @ anchors.T)


def in_lots(work: Callable[[int], NDArray[Any]], count: int) -> list[NDArray[Any]]:
    """What `work` makes of each lot, given where it starts, in order; by several threads, one core each."""
    starts = range(0, count, LOT)
    # Several threads inside each small product would mostly wait for each other.
    with blas_threads(1):
        if len(starts) == 1:
            return [work(0)]
        with ThreadPoolExecutor(usable_cores(), "heads") as threads:
            return list(threads.map(work, starts))


def nearness_of(cosines: NDArray[Any]) -> NDArray[Any]:
    """How much two directions of these cosines count for each other; the array given is used up."""
    cosines -= 1
    cosines *= STEEPNESS
    np.exp(cosines, out=cosines)
    cosines *= NEARNESS
    return cosines


def probabilities_of(log_odds: NDArray[np.float32]) -> NDArray[np.float32]:
    """Probabilities of log odds, 0 where they are -inf."""
    with np.errstate(over="ignore"):
        found: NDArray[np.float32] = (1 / (1 + np.exp(-log_odds))).astype(np.float32)
    return found


def _unpacked(data: bytes) -> dict[str, Any]:
    with np.load(io.BytesIO(data), allow_pickle=False) as stored:
        values: dict[str, Any] = dict(stored)
    if (version := int(values.pop("format"))) != FORMAT:
        raise ValueError(f"format {version}, expected {FORMAT}")
    for name in TEXTS:
        values[name] = tuple(str(text) for text in values[name])
    return values
