"""Tells which texts a codebook was taught with, near copies included: they cannot say how good it is. Pure."""

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from schemas import codebook as files
from schemas.codebook import Codebook
from services.analysis.duplicates import ALIKE, LONGEST, RUN, SHORTEST, key_of, letters_of, likeness


class Texts:
    """Texts that are looked up by likeness; finds every near copy, not only most of them as bands do."""

    def __init__(self, texts: Iterable[str]) -> None:
        letters = {text: letters_of(text) for text in dict.fromkeys(texts)}
        self.keys = frozenset(key_of(of, text) for text, of in letters.items())
        self._long = [of for of in dict.fromkeys(letters.values()) if len(of) >= SHORTEST]
        self._holders: dict[str, list[int]] = {}
        for i, of in enumerate(self._long):
            for run in set(_runs(of)):
                self._holders.setdefault(run, []).append(i)

    def hold(self, text: str) -> bool:
        """Whether `text` or a near copy of it is among these."""
        letters = letters_of(text)
        if key_of(letters, text) in self.keys:
            return True
        if len(letters) < SHORTEST:
            return False
        runs = list(dict.fromkeys(_runs(letters)))
        # Two sets with a Jaccard similarity of ALIKE share one of any so many of the runs of either.
        few = runs[: len(runs) - math.ceil(ALIKE * len(runs)) + 1]
        near = {i for run in few for i in self._holders.get(run, ())}
        return any(likeness(letters, self._long[i]) >= ALIKE for i in near)


@lru_cache(maxsize=32)
def read(body: str) -> Codebook:
    """A codebook as it was applied; remembered, because versions never change."""
    return files.parse(body)


@lru_cache(maxsize=32)
def texts_of(body: str) -> Texts:
    """Every text a codebook was taught with: examples and counterexamples of all its frames, and background."""
    book = read(body)
    return Texts([*(t for f in book.frames for t in (*f.examples, *f.counterexamples)), *book.background])


@lru_cache(maxsize=20_000)
def taught(body: str, text: str) -> bool:
    """Whether the codebook with this body was taught with `text` or a near copy."""
    return texts_of(body).hold(text)


@lru_cache(maxsize=32)
def thresholds(body: str) -> Mapping[str, float | None]:
    """The thresholds a codebook fixes, by frame."""
    return {frame.id: frame.threshold for frame in read(body).frames}


def _runs(letters: str) -> Sequence[str]:
    return [letters[i : i + RUN] for i in range(min(len(letters), LONGEST) - RUN + 1)]
