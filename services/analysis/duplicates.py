"""Tells near copies of one text: their keys, and the bands by which an earlier near copy is found at once.

Pure. It must not look at who wrote a text: which voices count once is decided from keys and authors elsewhere.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from services.analysis.text import without_wrapping

SHORTEST = 30
"""Letters, about six words: below, only equal texts are copies, for a few letters make another text of it."""
LONGEST = 4_000
"""Letters of a text that are compared; articles that begin alike for so long are copies."""
ALIKE = 0.8
"""Jaccard similarity of runs of five letters from which two texts are near copies."""
RUN = 5
BANDS, ROWS = 4, 4
"""Bands of minima; texts that are alike share one with a probability of 1 − (1 − ALIKE⁴)⁴ = 0.88 or more."""
_AT_ONCE = 8_000
"""Letters hashed together: their products stay in the processor's cache."""
_KEYCAP = re.compile("[0-9#*]\ufe0f?\u20e3")
_LOW = 0xFFFF_FFFF_FFFF_FFFF


def letters_of(text: str) -> str:
    """What near copies are compared by: letters and digits only, without links, handles, `RT @name:`, letter case,
    punctuation, emoji, accents written as separate marks, and white space; "" when nothing else is there."""
    letters = _letters(_KEYCAP.sub("", without_wrapping(text, handle=" ")))
    if letters.isascii():
        return letters.lower()
    return _letters(unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", letters).casefold()))


def unit_key(text: str) -> bytes:
    """A 16-byte key, equal for texts of the same letters (see letters_of).

    A text without letters (a lone link or emoji) gets the key of the raw text.
    """
    return key_of(letters_of(text), text)


def key_of(letters: str, text: str) -> bytes:
    """unit_key of a text whose letters are known."""
    kind, what = (b"text", letters) if letters else (b"raw", text)
    return hashlib.blake2b(what.encode("utf-8", "replace"), digest_size=16, person=kind).digest()


def bands(letters: Sequence[str]) -> list[tuple[int, ...]]:
    """The BANDS keys (signed 64 bits) of each text given by its letters, () for a short one.

    MinHash (Broder 1997) with banding: near copies share a band, others hardly ever. The numbers are stored, so that
    they must stay what they are.
    """
    long = [i for i, text in enumerate(letters) if len(text) >= SHORTEST]
    found: list[tuple[int, ...]] = [()] * len(letters)
    for places in _lots(letters, long):
        rows = _bands([letters[i][:LONGEST] for i in places]).tolist()
        for place, row in zip(places, rows, strict=True):
            found[place] = tuple(row)
    return found


def likeness(one: str, other: str) -> float:
    """Jaccard similarity of the runs of five letters of two texts given by their letters, 0 to 1."""
    if one == other:
        return 1.0
    a, b = _runs(one), _runs(other)
    common = len(a & b)
    return common / max(len(a) + len(b) - common, 1)


def _runs(letters: str) -> set[str]:
    return {letters[i : i + RUN] for i in range(min(len(letters), LONGEST) - RUN + 1)}


def _letters(text: str) -> str:
    # Letters and digits only; marks go too, so that vowel points and variation selectors make no new unit.
    return "".join(filter(str.isalnum, text))


def _numbers(count: int) -> NDArray[np.uint64]:
    """Odd 64-bit numbers without a pattern (SplitMix64), the same for ever."""
    found, state = [], 0
    for _ in range(count):
        state = (state + 0x9E37_79B9_7F4A_7C15) & _LOW
        z = ((state ^ (state >> 30)) * 0xBF58_476D_1CE4_E5B9) & _LOW
        z = ((z ^ (z >> 27)) * 0x94D0_49BB_1331_11EB) & _LOW
        found.append((z ^ (z >> 31)) | 1)
    return np.array(found, np.uint64)


_NUMBERS = _numbers(RUN + 1 + 2 * BANDS * ROWS + ROWS + 1)
_OF_LETTERS, _OF_RUN, _OF_BAND = _NUMBERS[:RUN], _NUMBERS[RUN], _NUMBERS[-ROWS - 1 :]
_TIMES, _PLUS = _NUMBERS[RUN + 1 : -ROWS - 1].reshape(2, BANDS * ROWS, 1)


def _lots(letters: Sequence[str], places: Sequence[int]) -> Iterator[list[int]]:
    lot: list[int] = []
    held = 0
    for place in places:
        lot.append(place)
        held += min(len(letters[place]), LONGEST)
        if held >= _AT_ONCE:
            yield lot
            lot, held = [], 0
    if lot:
        yield lot


def _bands(texts: Sequence[str]) -> NDArray[np.int64]:
    """A row of bands a text; no text may be shorter than a run."""
    points = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), "<u4").astype(np.uint64)
    runs = sum((points[k : len(points) - RUN + 1 + k] * _OF_LETTERS[k] for k in range(RUN)), np.uint64(0))
    runs = (runs ^ (runs >> np.uint64(29))) * _OF_RUN
    runs ^= runs >> np.uint64(32)
    lengths = np.array([len(text) for text in texts])
    inside = np.ones(len(runs), bool)
    for end in np.cumsum(lengths)[:-1]:
        inside[end - RUN + 1 : end] = False  # a run that begins in one text and ends in the next
    first = np.concatenate([[0], np.cumsum(lengths - RUN + 1)[:-1]])
    minima = np.minimum.reduceat(runs[inside] * _TIMES + _PLUS, first, axis=1) >> np.uint64(32)
    mixed = np.repeat(np.arange(1, BANDS + 1, dtype=np.uint64)[:, None], len(texts), axis=1)
    for row in range(ROWS):
        mixed = (mixed * _OF_BAND[row]) ^ minima[row::ROWS]
        mixed ^= mixed >> np.uint64(31)
    signed: NDArray[np.int64] = (mixed * _OF_BAND[ROWS]).view(np.int64).T
    return signed
