"""Small real servers for the tests: a thread a connection, and a handler that may misbehave on the wire."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from tests.waiting import ended

Handler = Callable[[str, socket.socket], None]


@dataclass
class Server:
    port: int
    requests: list[str] = field(default_factory=list)
    connections: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def allowed(self) -> str:
        return f"127.0.0.1:{self.port}"


def reply(status: int = 200, body: bytes = b"", *, length: int | None = None, **headers: str) -> bytes:
    """One HTTP answer; header names are given with underscores."""
    fields = {"content-length": str(len(body) if length is None else length)}
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value)
    return f"HTTP/1.1 {status} Whatever\r\n{head}\r\n".encode("latin-1") + body


@contextmanager
def serve(
    handler: Handler | bytes, *, wrap: Callable[[socket.socket], socket.socket] | None = None
) -> Iterator[Server]:
    """A server on 127.0.0.1 that answers each connection with `handler(request, connection)` or fixed bytes."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = Server(listener.getsockname()[1])
    stopping = threading.Event()
    threads: list[threading.Thread] = []

    def talk(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.settimeout(20)
            stream = wrap(connection) if wrap else connection
            with stream:
                request = _read_request(stream)
                server.requests.append(request)
                if isinstance(handler, bytes):
                    stream.sendall(handler)
                else:
                    handler(request, stream)

    def accept() -> None:
        while not stopping.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            server.connections += 1
            threads.append(threading.Thread(target=talk, args=(connection,), daemon=True))
            threads[-1].start()

    accepting = threading.Thread(target=accept, daemon=True)
    accepting.start()
    try:
        yield server
    finally:
        stopping.set()
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        ended(accepting, *threads)


def _read_request(stream: socket.socket) -> str:
    data = b""
    while b"\r\n\r\n" not in data:
        piece = stream.recv(65536)
        if not piece:
            return ""
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        (int(v) for k, _, v in (h.partition(b":") for h in head.split(b"\r\n")) if k.lower() == b"content-length"), 0
    )
    while len(body) < length:
        body += stream.recv(65536)
    return (head + b"\r\n\r\n" + body).decode("latin-1")
