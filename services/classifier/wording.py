"""The wording of texts: which short runs of letters occur in them, hashed into bins. Knows no meaning and no frame.

It tells what the encoder blurs (a name, a slogan, a turn of phrase), costs microseconds a text, and is small enough to
be kept beside its vector: two bytes a bin. Pure numpy.
"""

import re
import unicodedata
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

BINS = 1 << 16
RUN = 4
"""Letters of a run. Runs of 3, 4 and 5 together tell as much and are four times as many (docs/decisions/0028)."""
LONGEST = 2_000
"""Characters of a text that are looked at; what the encoder reads ends earlier."""

_BETWEEN = re.compile(r"[\W_]+")
_SPELLINGS = {0x629: 0x647, 0x649: 0x64A, 0x640: None}
"""Arabic letters that people write for each other, and the stroke that only stretches a word."""
_FACTOR = np.uint32(0x9E3779B1)


def bins_of(text: str) -> NDArray[np.int32]:
    """The distinct bins of a text's runs, sorted; none when it has no letter or digit."""
    return bins_of_all([text])[1]


def bins_of_all(texts: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """The distinct bins of many texts in one go: (row of the text, bin), sorted by row, then by bin."""
    spelled = [_spelled(text) for text in texts]
    letters = np.frombuffer("".join(spelled).encode("utf-32-le", "surrogatepass"), "<u4").astype(np.uint32)
    owner = np.repeat(np.arange(len(texts)), [len(s) for s in spelled])
    if len(letters) < RUN:
        return np.empty(0, np.int64), np.empty(0, np.int32)
    row = owner[: len(letters) - RUN + 1]
    inside = row == owner[RUN - 1 :]
    # Sorting and comparing is several times faster than np.unique here.
    keys = np.sort(row[inside] * BINS + _hashed(letters)[inside])
    distinct = keys[np.diff(keys, prepend=-1) > 0]
    return distinct // BINS, (distinct % BINS).astype(np.int32)


def flat_bins(texts: Sequence[str]) -> tuple[NDArray[np.uint16], NDArray[np.int64]]:
    """The bins of all texts behind one another, and how many each text has: the form in which heads take them."""
    rows, bins = bins_of_all(texts)
    return bins.astype(np.uint16), np.bincount(rows, minlength=len(texts))


def packed(texts: Sequence[str]) -> list[bytes]:
    """The bins of each text as they are stored: 16-bit numbers, little-endian, ascending."""
    bins, counts = flat_bins(texts)
    ends = np.cumsum(counts)[:-1]
    return [part.astype("<u2").tobytes() for part in np.split(bins, ends)] if len(texts) else []


def rarity_of(texts: Sequence[NDArray[np.int32]]) -> NDArray[np.float32]:
    """BINS: how much it says that a bin occurs, more for those in few of `texts`."""
    counts = np.zeros(BINS)
    for bins in texts:
        counts[bins] += 1
    rarity: NDArray[np.float32] = (np.log((len(texts) + 1) / (counts + 1)) + 1).astype(np.float32)
    return rarity


def weighed(texts: Sequence[NDArray[np.int32]], rarity: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """Each text's bins as a unit vector over them."""
    found = []
    for bins in texts:
        values = rarity[bins]
        found.append(values / max(float(np.sqrt(values @ values)), 1e-9))
    return found


def _spelled(text: str) -> str:
    """The letters that are looked at, words apart by one space and between spaces; "" when there is none."""
    words = _BETWEEN.sub(" ", _plain(text[:LONGEST])).strip()
    return f" {words} " if words else ""


def _plain(text: str) -> str:
    """Without case, accents and vowel signs, in one spelling."""
    if text.isascii():
        return text.lower()
    letters = (c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return "".join(letters).translate(_SPELLINGS)


def _hashed(letters: NDArray[np.uint32]) -> NDArray[np.int32]:
    count = len(letters) - RUN + 1
    found = np.full(count, RUN, np.uint32)
    for i in range(RUN):
        found = (found ^ letters[i : i + count]) * _FACTOR
        found ^= found >> np.uint32(15)
    return (found % np.uint32(BINS)).astype(np.int32)
