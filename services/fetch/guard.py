"""Connects only where we may: resolves a name, checks every address, and connects to one that was checked.

The address that is checked is the one connected to, so a name that changes its mind (DNS rebinding) wins
nothing. All reading and writing ends at one deadline. It must not know HTTP.
"""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

import httpcore

from schemas.errors import PermanentError, Reason, TransientError
from services.fetch.addresses import Address, Exemption, may_reach, read_address
from services.fetch.proxy import Proxy, open_tunnel

Resolve = Callable[[str, int], list[str]]
"""Name and port → the addresses it stands for, as text; raises OSError or UnicodeError."""
_MAX_TRIED = 4


def resolve(host: str, port: int) -> list[str]:
    """Ask the system's resolver. It also reads forms such as `127.1` and `0x7f000001`."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class GuardedBackend(httpcore.NetworkBackend):
    """httpcore's way to sockets for one request: guarded, and finished at `deadline` (time.monotonic)."""

    def __init__(
        self,
        *,
        exemptions: tuple[Exemption, ...],
        deadline: float,
        resolve: Resolve,
        proxy: Proxy | None = None,
    ) -> None:
        self._exemptions = exemptions
        self._deadline = deadline
        self._resolve = resolve
        self._proxy = proxy
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address of `host` that may be reached and answers.

        Raises PermanentError(BLOCKED_ADDRESS) when none may be reached, TransientError(NAME_NOT_FOUND), and
        httpcore's connection errors.
        """
        failure: Exception = httpcore.ConnectError("no address")
        for address in self.allowed(host, port, timeout)[:_MAX_TRIED]:
            try:
                wait = remaining(self._deadline, timeout)
                if self._proxy and may_reach(address, port, ()):
                    return self._tunnel(self._proxy, address, port, wait)
                stream = self._sockets.connect_tcp(str(address), port, wait, local_address, socket_options)
                return DeadlineStream(stream, self._deadline)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    def _tunnel(self, proxy: Proxy, address: Address, port: int, wait: float) -> httpcore.NetworkStream:
        """A way to `address` through the proxy; what the operator named as private is reached directly."""
        stream = DeadlineStream(self._sockets.connect_tcp(proxy.host, proxy.port, wait), self._deadline)
        try:
            open_tunnel(stream, proxy, address, port)
        except BaseException:
            stream.close()
            raise
        return stream

    def allowed(self, host: str, port: int, timeout: float | None) -> list[Address]:
        """The addresses of `host` that may be reached. Raises as connect_tcp does, short of connecting."""
        found = [read_address(a) for a in self._look_up(host, port, remaining(self._deadline, timeout))]
        allowed = [a for a in found if may_reach(a, port, self._exemptions)]
        if found and not allowed:
            raise PermanentError(
                Reason.BLOCKED_ADDRESS,
                f"{host} is {found[0]}, an address inside a private network, and was not contacted. If that is "
                f"meant, name {found[0]} (or its network) in FRAMEWATCH_ALLOW_NETWORKS.",
            )
        return allowed

    def _look_up(self, host: str, port: int, wait: float) -> list[str]:
        # The system's resolver knows no time limit; a thread of its own gives it one.
        answer: list[list[str]] = []
        failure: list[Exception] = []

        def ask() -> None:
            try:
                answer.append(self._resolve(host, port))
            except (OSError, UnicodeError) as error:
                failure.append(error)

        thread = threading.Thread(target=ask, name="resolve", daemon=True)
        thread.start()
        thread.join(wait)
        if failure and isinstance(failure[0], UnicodeError):
            raise PermanentError(Reason.BAD_ADDRESS, f"{host!r} cannot be a host name.")
        if not answer:
            why = "was not found in time" if not failure else "is not known to the name service"
            raise TransientError(Reason.NAME_NOT_FOUND, f"The name {host} {why}. Check its spelling.")
        return answer[0]


class DeadlineStream(httpcore.NetworkStream):
    """A connection whose every step is cut to the time left."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read up to `max_bytes`. Raises httpcore.ReadTimeout at the deadline."""
        return self._stream.read(max_bytes, remaining(self._deadline, timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write all of `buffer`. Raises httpcore.WriteTimeout or ReadTimeout at the deadline."""
        for at in range(0, len(buffer), 65536):
            self._stream.write(buffer[at : at + 65536], remaining(self._deadline, timeout))

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """Go on in TLS, with the host's name (not its address) as SNI."""
        wait = remaining(self._deadline, timeout)
        return DeadlineStream(self._stream.start_tls(ssl_context, server_hostname, wait), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        """What the socket knows of itself."""
        return self._stream.get_extra_info(info)


def remaining(deadline: float, timeout: float | None) -> float:
    """Seconds this step may take. Raises httpcore.ReadTimeout when the deadline has passed."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("deadline")
    return left if timeout is None else min(timeout, left)
