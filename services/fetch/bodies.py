"""Unpacks answers while they arrive, and stops at a cap of bytes or of blow-up. It must not touch sockets."""

import zlib
from collections.abc import Iterable, Iterator

from schemas.errors import Reason, TransientError

MAX_RATIO = 200
"""An answer may unpack to this many times its size; feeds reach about 20."""
RATIO_FROM = 1 << 20
"""Below this many unpacked bytes the ratio does not matter."""
_PIECE = 1 << 16
_GZIP_OR_ZLIB, _NO_ENVELOPE = 47, -15
_GZIP_MAGIC = b"\x1f\x8b"


class Inflater:
    """Unpacks gzip (several members too) or zlib piece by piece, with `raw` also deflate without an envelope;
    holds at most 64 KB of unpacked bytes."""

    def __init__(self, *, raw: bool = False) -> None:
        self._decoder = zlib.decompressobj(_GZIP_OR_ZLIB)
        self._raw = raw
        self._wire = 0
        self._plain = 0

    def copy(self) -> "Inflater":
        """Another one that stands where this one stands; feeding either leaves the other as it is."""
        twin = Inflater(raw=self._raw)
        twin._decoder, twin._wire, twin._plain = self._decoder.copy(), self._wire, self._plain
        return twin

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Unpacked pieces of the next `data`.

        Raises TransientError: TOO_LARGE above MAX_RATIO, TRUNCATED when `data` is damaged.
        """
        self._wire += len(data)
        while data:
            if self._decoder.eof:
                if not data.startswith(_GZIP_MAGIC[:1]):  # padding after the last member
                    return
                self._decoder = zlib.decompressobj(_GZIP_OR_ZLIB)
            piece = self._inflate(data)
            data = self._decoder.unconsumed_tail or self._decoder.unused_data
            yield from self._checked(piece)

    def finish(self) -> Iterator[bytes]:
        """What is left. Raises TransientError(TRUNCATED) when the end is missing."""
        while not self._decoder.eof and (piece := self._inflate(b"")):
            yield from self._checked(piece)
        if self._wire and not self._decoder.eof:
            raise TransientError(Reason.TRUNCATED, "The compressed answer breaks off before its end.")

    def _inflate(self, data: bytes) -> bytes:
        try:
            return self._decoder.decompress(data, _PIECE)
        except zlib.error as error:
            if self._raw and not self._plain:
                self._decoder, self._raw = zlib.decompressobj(_NO_ENVELOPE), False
                return self._inflate(data)
            raise TransientError(
                Reason.TRUNCATED, "The compressed answer is damaged and cannot be unpacked."
            ) from error

    def _checked(self, piece: bytes) -> Iterator[bytes]:
        self._plain += len(piece)
        if self._plain > max(RATIO_FROM, MAX_RATIO * self._wire):
            raise TransientError(
                Reason.TOO_LARGE,
                f"The answer unpacks to more than {MAX_RATIO} times its size, as only a trap does; reading stopped.",
            )
        if piece:
            yield piece


def unpack(wire: Iterable[bytes], encoding: str, max_bytes: int) -> Iterator[bytes]:
    """The pieces of an answer, unpacked as its Content-Encoding says.

    Raises TransientError: TOO_LARGE above `max_bytes` on the wire or unpacked, or above MAX_RATIO; TRUNCATED
    when it is damaged; REFUSED for an encoding we did not ask for.
    """
    packed = encoding.strip().lower()
    if packed not in ("", "identity", "gzip", "x-gzip", "deflate"):
        raise TransientError(Reason.REFUSED, f"The server answers in an encoding we did not ask for ({packed[:40]}).")
    inflater = None if packed in ("", "identity") else Inflater(raw=packed == "deflate")
    wire_bytes = plain_bytes = 0
    for data in wire:
        wire_bytes += len(data)
        for piece in inflater.feed(data) if inflater else (data,):
            plain_bytes += len(piece)
            if max(wire_bytes, plain_bytes) > max_bytes:
                raise TransientError(
                    Reason.TOO_LARGE, f"The answer is larger than {_megabytes(max_bytes)}; reading stopped there."
                )
            yield piece
    if inflater:
        yield from inflater.finish()


def _megabytes(count: int) -> str:
    return f"{count / 1_000_000:.0f} MB" if count >= 1_000_000 else f"{count:,} bytes"
