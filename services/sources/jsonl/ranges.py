"""Asks a server for the rest of a body only (RFC 9110, 13.1.5 and 14), and tells whether that is what came.

Must not fetch. A server that knows no ranges, or has another body by now, sends all of it, which is read as ever.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from services.fetch import Response
from services.sources.jsonl.restarts import Restart, Restarts, Unpacking
from services.sources.jsonl.streams import Resumed, read_position, tell_gzip

_MAX_ETAG = 1000


@dataclass(frozen=True, slots=True)
class Rest:
    """What is still wanted of a body: the packed or plain bytes from `first` on, of exactly `version`."""

    version: str
    first: int
    begin: Restart | None = None
    """Where the unpacker of a gzip body stands at `first`."""

    @property
    def headers(self) -> dict[str, str]:
        """The request's headers."""
        return {"Range": f"bytes={self.first}-", "If-Range": self.version}

    def is_in(self, response: Response) -> bool:
        """Whether `response` brings just that."""
        begins = response.headers.get("content-range", "").strip().lower().startswith(f"bytes {self.first}-")
        return response.status == 206 and begins and response.etag == self.version


def rest_of(address: str, cursor: Mapping[str, Any], restarts: Restarts) -> Rest | None:
    """What to ask for when `cursor` stands inside the body at `address`; None when only all of it will do."""
    version, offset = cursor.get("version"), read_position(cursor).offset
    if not isinstance(version, str) or not version or not offset:
        return None
    if cursor.get("packed") is not True:
        return Rest(version, offset)
    begin = restarts.find((address, version), offset)
    return Rest(version, begin.packed, begin) if begin else None


def version_of(response: Response) -> str:
    """The strong ETag by which the rest of this body can be asked for; "" when there is none."""
    exact = response.etag.startswith('"') and len(response.etag) <= _MAX_ETAG
    return response.etag if exact and not response.headers.get("content-encoding") else ""


def resumed(cursor: Mapping[str, Any], pieces: Iterator[bytes], rest: Rest | None) -> tuple[Resumed, Unpacking | None]:
    """The unpacked stream in `pieces`, which are `rest` or else the whole body; and what unpacks it, if anything."""
    position = read_position(cursor)
    if rest and not rest.begin:
        return Resumed.continued(pieces, position, rest.first), None
    if rest and rest.begin:
        unpacking = Unpacking(pieces, rest.begin)
        return Resumed.continued(unpacking, position, rest.begin.plain), unpacking
    packed, whole = tell_gzip(pieces)
    if not packed:
        return Resumed(whole, position), None
    unpacking = Unpacking(whole)
    return Resumed(unpacking, position), unpacking
