"""How a post stands to what it tells: it promotes, disputes or reports it, or that is unclear. Linear, pure numpy.

It reads the stored vector and the text, never the frame: how a text is said generalises to frames never seen, and
what was tried of the relation between post and frame told nothing more (docs/decisions/0032). Needs no encoder.
"""

import io
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas.errors import PermanentError, Reason
from schemas.stance import REPORTS, STANCES, UNCLEAR, Stance
from services.classifier.cues import cues
from services.classifier.heads import centred
from services.classifier.wording import bins_of_all

FORMAT = 1
"""Raised whenever what was learned before is read or used in another way."""

_ALL_QUOTED = re.compile(r'\s*(?:«[^«»]{20,}»|“[^“”]{20,}”|"[^"]{20,}")[\s.!?…]*')
"""A text that is one quotation from end to end."""


@dataclass(frozen=True, slots=True, eq=False)
class StanceReader:
    """What was learned from posts of known stance: log odds of promotes, disputes and reports. Arrays are read-only."""

    mean: NDArray[np.float32]
    """d: taken from every vector before its direction is looked at."""
    directions: NDArray[np.float32]
    """d × 3: log odds that meaning adds."""
    words: NDArray[np.float16]
    """bins × 3: log odds that a piece of wording adds."""
    rarity: NDArray[np.float32]
    """bins: how much a piece of wording weighs within its text."""
    signs: NDArray[np.float32]
    """COUNT × 3: log odds that each cue adds."""
    bias: NDArray[np.float32]
    """3."""
    least: NDArray[np.float32]
    """The probability from which an answer is given; below it, the stance is unclear."""

    def __post_init__(self) -> None:
        for field in fields(self):
            getattr(self, field.name).flags.writeable = False

    def probabilities(self, vectors: NDArray[np.float32], texts: Sequence[str]) -> NDArray[np.float64]:
        """n × 3 in the order of STANCES, rows sum to 1, for vectors n × d and the n texts they were made of.

        Raises ValueError for another d or n, or vectors that are not finite.
        """
        if len(vectors) != len(texts):
            raise ValueError(f"{len(vectors)} vectors for {len(texts)} texts")
        odds = (
            centred(vectors, self.mean) @ self.directions + self._worded(texts) + cues(texts) @ self.signs + self.bias
        )
        if not np.isfinite(odds).all():
            raise ValueError("vectors that are not finite have no stance")
        return softmax(odds)

    def stances(self, vectors: NDArray[np.float32], texts: Sequence[str]) -> list[Stance]:
        """The stance of each text; unclear below `least`, and for a text without any letter. Raises as above."""
        told = self.probabilities(vectors, texts)
        readable = np.bincount(bins_of_all(texts)[0], minlength=len(texts)) > 0
        return [
            UNCLEAR if not known else REPORTS if _ALL_QUOTED.fullmatch(text) else self._answer(row)
            for row, text, known in zip(told, texts, readable, strict=True)
        ]

    def _answer(self, row: NDArray[np.float64]) -> Stance:
        return STANCES[int(row.argmax())] if row.max() >= self.least else UNCLEAR

    def _worded(self, texts: Sequence[str]) -> NDArray[np.float64]:
        rows, bins = bins_of_all(texts)
        rarity = self.rarity[bins].astype(np.float64)
        lengths = np.sqrt(np.bincount(rows, rarity * rarity, len(texts)))
        values = rarity / np.maximum(lengths[rows], 1e-9)
        pieces = self.words[bins].astype(np.float64) * values[:, None]
        return np.column_stack([np.bincount(rows, piece, len(texts)) for piece in pieces.T])

    def to_bytes(self) -> bytes:
        """The reader as an npz archive; equal ones give equal bytes."""
        target = io.BytesIO()
        np.savez(
            target, allow_pickle=False, format=np.array(FORMAT), **{f.name: getattr(self, f.name) for f in fields(self)}
        )
        return target.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> "StanceReader":
        """What `to_bytes` gave. Raises PermanentError(MODEL_UNAVAILABLE) for anything else."""
        try:
            return cls(**_unpacked(data))
        except (ValueError, KeyError, TypeError, OSError, EOFError, zipfile.BadZipFile) as error:
            raise PermanentError(
                Reason.MODEL_UNAVAILABLE, f"what was learned of stance cannot be read ({error}); restart the workers."
            ) from error


def _unpacked(data: bytes) -> dict[str, NDArray[Any]]:
    with np.load(io.BytesIO(data), allow_pickle=False) as stored:
        values: dict[str, NDArray[Any]] = dict(stored)
    if (version := int(values.pop("format"))) != FORMAT:
        raise ValueError(f"format {version}, expected {FORMAT}")
    return values


def softmax(odds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities of rows of log odds, without overflow."""
    raised = np.exp(odds - odds.max(axis=1, keepdims=True)) if len(odds) else odds
    found: NDArray[np.float64] = raised / raised.sum(axis=1, keepdims=True)
    return found
