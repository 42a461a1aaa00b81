"""Places where an unpacker of gzip stood, kept in memory, so that the next page need not unpack from the beginning.

A shortcut and no more: whoever finds nothing here unpacks from the beginning. Must not hold files or connections.
"""

import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, field

from services.fetch import Inflater

MOST = 64
"""Restarts kept; each holds an unpacker and its window, about 45 KB."""
_RECENT = 4


@dataclass(frozen=True, slots=True)
class Restart:
    """An unpacker that has taken `packed` bytes and given `plain` ones; never fed itself, only its copies are."""

    packed: int = 0
    plain: int = 0
    inflater: Inflater = field(default_factory=Inflater)


class Restarts:
    """The latest restarts of the streams this process reads; thread-safe."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._kept: OrderedDict[tuple[Hashable, int], Restart] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, stream: Hashable, offset: int) -> Restart | None:
        """The last restart of `stream` at or before the plain byte `offset`."""
        with self._lock:
            found = [r for (name, plain), r in self._kept.items() if name == stream and plain <= offset]
            best = max(found, key=lambda r: r.plain, default=None)
            if best:
                self._kept.move_to_end((stream, best.plain))
            return best

    def keep(self, stream: Hashable, restart: Restart) -> None:
        """Remember `restart` of `stream`, in place of the one used longest ago if there are too many."""
        with self._lock:
            self._kept[stream, restart.plain] = restart
            self._kept.move_to_end((stream, restart.plain))
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)


class Unpacking:
    """Unpacked chunks of a gzip stream; remembers, as it goes, where it may be taken up again."""

    def __init__(self, chunks: Iterable[bytes], begin: Restart | None = None) -> None:
        """`chunks` begin where `begin` stands, or at the beginning of the stream."""
        self._chunks = iter(chunks)
        self._at = begin or Restart()
        self._recent: deque[Restart] = deque([self._at], maxlen=_RECENT)

    def __iter__(self) -> Iterator[bytes]:
        """The chunks. Raises what Inflater raises."""
        inflater = self._at.inflater.copy()
        packed, plain = self._at.packed, self._at.plain
        for chunk in self._chunks:
            for piece in inflater.feed(chunk):
                plain += len(piece)
                yield piece
            packed += len(chunk)
            self._recent.append(Restart(packed, plain, inflater.copy()))
        yield from inflater.finish()

    def before(self, offset: int) -> Restart | None:
        """The last place passed at or before the plain byte `offset`, if it is still remembered."""
        return next((r for r in reversed(self._recent) if 0 < r.plain <= offset), None)


class PackedFile:
    """A gzip file as plain chunks that can be moved near an offset, by the places that `restarts` knows."""

    def __init__(self, identity: Hashable, restarts: Restarts, chunks: Callable[[int], Iterator[bytes]]) -> None:
        """`identity` names the file and its present content; `chunks` gives its packed bytes from an offset on."""
        self._identity = identity
        self._restarts = restarts
        self._chunks = chunks
        self._unpacking = Unpacking(chunks(0))
        self._pieces = iter(self._unpacking)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return next(self._pieces)

    def seek(self, offset: int) -> int:
        """Go on at the last known place at or before the plain byte `offset`; where that is."""
        begin = self._restarts.find(self._identity, offset) or Restart()
        self._unpacking = Unpacking(self._chunks(begin.packed), begin)
        self._pieces = iter(self._unpacking)
        return begin.plain

    def keep(self, offset: int) -> None:
        """Remember the place from which the plain byte `offset` is reached soonest."""
        if restart := self._unpacking.before(offset):
            self._restarts.keep(self._identity, restart)
