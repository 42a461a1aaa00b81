"""Server-sent events out of the bytes of a stream. Pure; must not read or understand them.

Lines end with LF or CRLF; a bare CR, which the standard also allows, is written by nobody.
"""

from collections.abc import Iterator

MAX_EVENT = 1 << 20
"""Bytes of the largest event kept."""
_LINE = 32  # what keeping a line costs beside its bytes


class Events:
    """Takes bytes in pieces of any size and gives (name, data) of every event that is complete."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._lines: list[bytes] = []
        self._size = 0
        self._skipped = 0

    def feed(self, piece: bytes) -> Iterator[tuple[str, str]]:
        """The events that `piece` completes."""
        self._rest += piece
        if b"\n" in piece:
            *lines, rest = bytes(self._rest).split(b"\n")
            self._rest = bytearray(rest)
            for line in lines:
                yield from self._take(line.removesuffix(b"\r"))
        if len(self._rest) > MAX_EVENT:
            self._size = MAX_EVENT + 1
            del self._rest[1:]

    def skipped(self) -> int:
        """Events that were larger than MAX_EVENT, since this was last asked."""
        count, self._skipped = self._skipped, 0
        return count

    def _take(self, line: bytes) -> Iterator[tuple[str, str]]:
        if line:
            self._size += len(line) + _LINE
            if self._size <= MAX_EVENT:
                self._lines.append(line)
            else:
                self._lines.clear()
            return
        if self._size > MAX_EVENT:
            self._skipped += 1
        elif found := _read(self._lines):
            yield found
        self._lines, self._size = [], 0


def _read(lines: list[bytes]) -> tuple[str, str] | None:
    name, data = "message", []
    for line in lines:
        field, _, value = line.decode("utf-8", "replace").partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            name = value
        elif field == "data":
            data.append(value)
    return (name, "\n".join(data)) if data else None
