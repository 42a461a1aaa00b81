"""Numbers of a range in an order as good as chance, and the same whoever asks: a sample without looking at everything.

Pure, and without a seed: two who draw must draw alike. It must not know what the numbers stand for.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

PIECE = 2_048
"""Numbers looked at for one piece; a quarter of them or more are in the range."""
_BEGIN, _ODD, _ODDER = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
"""The constants of splitmix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014)."""


def scattered(first: int, last: int) -> Iterator[NDArray[np.int64]]:
    """Every number from `first` to `last` (0 or more, below 2**61) once, scattered, in pieces of at most PIECE.

    A range that grows, or whose beginning goes, keeps the order of what stays, but for the few times in its life when
    its length or its place passes a power of two.
    """
    bits = max(last - first + 1, 1).bit_length()
    floor = first >> bits << bits
    # A range shorter than 2**bits that begins in one block of that length ends in it or in the next.
    for begin in range(0, 2 << bits, PIECE):
        numbers = _mixed(np.arange(begin, min(begin + PIECE, 2 << bits), dtype=np.uint64), bits + 1) + floor
        yield numbers[(numbers >= first) & (numbers <= last)]


def _mixed(numbers: NDArray[np.uint64], bits: int) -> NDArray[np.int64]:
    """Numbers of so many bits, each for another one: every step can be undone, so no two become one."""
    mask, half = np.uint64((1 << bits) - 1), np.uint64(bits // 2 + 1)
    mixed = (numbers + _BEGIN) & mask
    for odd in (_ODD, _ODDER):
        mixed ^= mixed >> half
        mixed = (mixed * odd) & mask
    return (mixed ^ (mixed >> half)).astype(np.int64)
