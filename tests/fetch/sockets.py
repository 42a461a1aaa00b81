"""Real WebSocket servers for the tests: a thread a connection, on 127.0.0.1."""

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection
from websockets.sync.server import serve as serve_websockets

from tests.waiting import ended

Talk = Callable[[ServerConnection], None]


@dataclass
class SocketServer:
    port: int
    requests: list[Request] = field(default_factory=list)
    """The handshakes, in order of arrival."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def allowed(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def paths(self) -> list[str]:
        return [request.path for request in self.requests]


@contextmanager
def serve_sockets(
    talk: Talk,
    *,
    answer: Callable[[ServerConnection, Request], Response | None] | None = None,
    tls: ssl.SSLContext | None = None,
    **options,
) -> Iterator[SocketServer]:
    """A server that talks to each connection with `talk`, or refuses its handshake with `answer`."""
    found = SocketServer(0)

    def look(connection: ServerConnection, request: Request) -> Response | None:
        found.requests.append(request)
        return answer(connection, request) if answer else None

    def handle(connection: ServerConnection) -> None:
        with suppress(ConnectionClosed):
            talk(connection)

    server = serve_websockets(handle, "127.0.0.1", 0, process_request=look, ssl=tls, close_timeout=1, **options)
    found.port = server.socket.getsockname()[1]
    accepting = threading.Thread(target=server.serve_forever, daemon=True)
    accepting.start()
    try:
        yield found
    finally:
        server.shutdown()
        ended(accepting)


def until_closed(connection: ServerConnection) -> None:
    """Keep the connection open until the other side closes it."""
    for _ in connection:
        pass
