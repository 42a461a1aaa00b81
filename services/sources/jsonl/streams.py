"""Byte streams that can be taken up again: unpacked, and resumed at an offset if they still begin as they did.

Must not know what the bytes mean.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from itertools import chain
from typing import Any

from services.fetch import Inflater

HEAD = 1024
"""By so many first bytes a stream is recognised."""


@dataclass(frozen=True, slots=True)
class Position:
    """How far a stream was read (in unpacked bytes), and how it began."""

    offset: int = 0
    head: str = ""
    head_bytes: int = 0


class Resumed:
    """The rest of `chunks` after `position`; from the beginning when the stream is another one by now.

    `head` are the first bytes of all, `start` is the offset of the first byte given out; `lost` tells, once it is
    read, that the stream has become shorter than `start`.
    """

    def __init__(self, chunks: Iterable[bytes], position: Position, seek: Callable[[int], int] | None = None) -> None:
        """`seek` moves `chunks` to an offset or somewhat before, where that is cheaper than reading up to it, and
        tells to which."""
        self._chunks = iter(chunks)
        self._seek = seek
        self._position = position
        self.head = self._take(HEAD)
        known = position.head_bytes
        same = 0 < known <= len(self.head) and _digest(self.head[:known]) == position.head
        self.start = position.offset if same else 0
        self.lost = False

    def __iter__(self) -> Iterator[bytes]:
        """The chunks from `start` on."""
        left, chunks = self.start, chain((self.head,), self._chunks)
        if self._seek and left > len(self.head):
            left, chunks = left - self._seek(left), chain(self._chunks)
        for chunk in chunks:
            if left < len(chunk):
                yield chunk[left:] if left else chunk
            left = max(left - len(chunk), 0)
        self.lost = left > 0

    def at(self, offset: int) -> Position:
        """The position `offset` bytes from the beginning."""
        if self.start and self._position.head_bytes >= min(HEAD, offset):
            return Position(offset, self._position.head, self._position.head_bytes)
        head = self.head[: min(HEAD, offset)]
        return Position(offset, _digest(head) if head else "", len(head))

    @classmethod
    def continued(cls, chunks: Iterable[bytes], position: Position, at: int) -> "Resumed":
        """The rest of a stream that its server vouches for: `chunks` begin at byte `at` of it, not at its beginning."""
        stream = cls((), position)
        stream.start, stream._chunks, stream._seek = position.offset, iter(chunks), lambda _: at
        return stream

    def _take(self, count: int) -> bytes:
        taken = bytearray()
        for chunk in self._chunks:
            taken += chunk
            if len(taken) >= count:
                break
        return bytes(taken)


def read_position(cursor: Mapping[str, Any]) -> Position:
    """The position a cursor stands for; the beginning when it holds none."""
    offset, head, head_bytes = (cursor.get(name) for name in ("offset", "head", "head_bytes"))
    if isinstance(offset, int) and isinstance(head, str) and isinstance(head_bytes, int) and offset > 0:
        return Position(offset, head, head_bytes)
    return Position()


def is_gzip(first: bytes) -> bool:
    """Whether a stream that begins with `first` is gzip (RFC 1952, 2.3.1)."""
    return first.startswith(b"\x1f\x8b")


def tell_gzip(chunks: Iterable[bytes]) -> tuple[bool, Iterator[bytes]]:
    """Whether `chunks` are gzip, and the same chunks from the first on."""
    stream = iter(chunks)
    first = b""
    while len(first) < 2 and (chunk := next(stream, None)) is not None:
        first += chunk
    return is_gzip(first), chain((first,), stream)


def unzipped(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """`chunks`, unpacked when they are gzip. Raises TransientError: TOO_LARGE, TRUNCATED."""
    packed, stream = tell_gzip(chunks)
    if not packed:
        yield from stream
        return
    inflater = Inflater()
    for chunk in stream:
        yield from inflater.feed(chunk)
    yield from inflater.finish()


def _digest(data: bytes) -> str:
    return blake2b(data, digest_size=8).hexdigest()
