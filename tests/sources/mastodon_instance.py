"""A small server that speaks Mastodon's documented API: timelines with paging, lookups, statuses, streams."""

import json
import queue
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.fetch.servers import reply, serve
from tests.sources.kits import post
from tests.sources.kits.mastodon import ACCESS, status

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n:)\n"
NOT_FOUND = reply(404, b'{"error":"Record not found"}')
DENIED = reply(401, b'{"error":"The access token is invalid"}')
BREAK = b"break"
"""Sent to a listener: its connection ends in the middle."""
NODEINFO = reply(body=b'{"links":[{"rel":"x","href":"y"}]}')


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


class Instance:
    """One server's state. `timeline` is oldest first; `headers` go with every timeline."""

    def __init__(self) -> None:
        self.url = ""
        self.timeline: list[dict[str, Any]] = []
        self.gone: dict[str, bytes] = {}
        self.access: Any = ACCESS
        self.streaming = ""
        self.token = ""
        self.headers: dict[str, str] = {}
        self.limit = 40
        self.asked: list[str] = []
        self.authorised: list[str] = []
        self.listeners: list[queue.Queue[bytes | None]] = []
        self.listening = queue.Queue()

    def say(self, number: int, **changes: Any) -> dict[str, Any]:
        """A new status, filed and sent to whoever listens."""
        said = status(post(number), number) | changes
        self.timeline = sorted([*self.timeline, said], key=lambda s: int(s["id"]))
        self.tell("update", json.dumps(said))
        return said

    def tell(self, event: str, data: str) -> None:
        self.send(f"event: {event}\ndata: {data}\n\n".encode())

    def send(self, data: bytes | None) -> None:
        for listener in self.listeners:
            listener.put(data)

    def handle(self, request: str, stream: Any) -> None:
        target = request.split()[1]
        self.asked.append(target)
        given = next(
            (h[22:].strip() for h in request.split("\r\n") if h.lower().startswith("authorization: bearer ")), ""
        )
        self.authorised.append(given)
        path, query = urlsplit(target).path, {k: v[0] for k, v in parse_qs(urlsplit(target).query).items()}
        if path == "/api/v2/instance":
            told = {"configuration": {"timelines_access": self.access, "urls": {"streaming": self.streaming}}}
            return stream.sendall(reply(body=json.dumps(told).encode()))
        if self.token and given != self.token:
            return stream.sendall(DENIED)
        if path.startswith("/api/v1/streaming/"):
            return self._stream(stream)
        return stream.sendall(self._answer(path, query))

    def _answer(self, path: str, query: dict[str, str]) -> bytes:
        if path == "/.well-known/nodeinfo":
            return NODEINFO
        if path == "/api/v1/accounts/lookup":
            return reply(body=b'{"id":"77"}') if query["acct"] == "jane" else NOT_FOUND
        if path.startswith("/api/v1/statuses/"):
            return self.gone.get(path.rpartition("/")[2], reply(body=b'{"id":"1"}'))
        assert path.startswith(("/api/v1/timelines/", "/api/v1/accounts/77/statuses")), path
        assert "since_id" not in query
        limit, after = min(int(query["limit"]), self.limit), int(query.get("min_id", 0))
        found = [s for s in self.timeline if int(s["id"]) > after]
        page = found[:limit] if after else found[-limit:]
        return reply(body=json.dumps(page[::-1]).encode(), **self.headers)

    def _stream(self, stream: Any) -> None:
        stream.sendall(HEAD.replace(b":)\n", chunk(b":)\n")))
        mine: queue.Queue[bytes | None] = queue.Queue()
        self.listeners.append(mine)
        self.listening.put(True)
        while (data := mine.get(timeout=20)) is not None:
            if data == BREAK:
                return
            stream.sendall(chunk(data))
        stream.sendall(chunk(b""))


@contextmanager
def instance() -> Iterator[tuple[Instance, Any]]:
    """A running instance, and the server it runs on."""
    site = Instance()
    with serve(site.handle) as server:
        site.url = server.url
        try:
            yield site, server
        finally:
            site.send(None)
