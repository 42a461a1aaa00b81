"""A server of one body that knows ranges and validators, as static file servers do."""

import re
import socket
from collections.abc import Callable

from tests.fetch.servers import Handler, reply


def ranged(
    body: bytes | Callable[[], bytes], *, etag: Callable[[bytes], str] | None = None, heeds: bool = True
) -> Handler:
    """`body` may be asked anew each time; with `heeds` false, If-Range is ignored, as bad servers do."""
    name = etag or (lambda data: f'"{hash(data):x}"')

    def answer(request: str, stream: socket.socket) -> None:
        data = body if isinstance(body, bytes) else body()
        tag = name(data)
        asked = re.search(r"^range: bytes=(\d+)-\r$", request, re.I | re.M)
        same = re.search(rf"^if-range: {re.escape(tag)}\r$", request, re.I | re.M)
        if re.search(rf"^if-none-match: {re.escape(tag)}\r$", request, re.I | re.M):
            stream.sendall(reply(304, etag=tag))
        elif asked and (same or not heeds):
            first = int(asked[1])
            if first >= len(data):
                stream.sendall(reply(416, content_range=f"bytes */{len(data)}"))
            else:
                span = f"bytes {first}-{len(data) - 1}/{len(data)}"
                stream.sendall(reply(206, length=len(data) - first, etag=tag, content_range=span))
                stream.sendall(memoryview(data)[first:])
        else:
            stream.sendall(reply(200, length=len(data), etag=tag))
            stream.sendall(data)

    return answer


def firsts(requests: list[str]) -> list[int | None]:
    """Where each request wanted to begin; None for those that wanted everything."""
    found = [re.search(r"^range: bytes=(\d+)-", request, re.I | re.M) for request in requests]
    return [int(match[1]) if match else None for match in found]
