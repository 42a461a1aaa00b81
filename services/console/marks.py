"""A post's text with the words that carried its answer marked by strength. Pure; markup is the template's."""

from collections.abc import Sequence
from dataclasses import dataclass

from schemas.wire_why import Word
from services.analysis.spans import pieces

STEPS = (1.0, 2.0)
"""Log odds from which a mark is strong, and strongest: odds times 2.7, and times 7.4."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of the text."""

    text: str
    word: Word | None
    strength: str
    """for-1 to for-3 or against-1 to against-3; "" for text that is not marked."""


def marked(text: str, words: Sequence[Word]) -> list[Piece]:
    """The whole text in order, words apart."""
    found = pieces(text, [(word.start, word.end) for word in words])
    return [Piece(piece, None, "") if n is None else Piece(piece, words[n], strength(words[n])) for piece, n in found]


def strength(word: Word) -> str:
    """The class of a mark."""
    side = "for" if word.change > 0 else "against"
    return f"{side}-{1 + sum(abs(word.change) >= step for step in STEPS)}"
