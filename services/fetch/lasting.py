"""One answer without an end (server-sent events): its head, then its bytes as they come, and a word for quiet.

httpx and httpcore close a connection whose read runs out of time; here a quiet moment is no failure. It must not
follow redirects, unpack, or understand what it carries.
"""

import ssl
import time
from collections.abc import Iterator

import h11
import httpcore
import httpx

from schemas.errors import Reason, TransientError
from services.analysis.naming import many
from services.fetch.guard import GuardedBackend, remaining
from services.fetch.transport import wire, worded

_PIECE = 1 << 16
_MAX_HEAD = 64 * 1024


class Lasting:
    """A connection of its own for one GET; `answer` is its head. Close it when done."""

    def __init__(
        self, backend: GuardedBackend, request: httpx.Request, ssl_context: ssl.SSLContext, deadline: float
    ) -> None:
        """Connect, ask, and read the head of the answer by `deadline` (monotonic); raises as `worded` does."""
        self._host = request.url.host
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MAX_HEAD)
        self._step: float = request.extensions["timeout"]["read"]
        with worded(self._host):
            self._stream = _connect(backend, request, ssl_context)
            try:
                self.answer = self._ask(request, deadline)
            except BaseException:
                self.close()
                raise

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()

    def pieces(self, *, pulse: float, silence: float) -> Iterator[bytes]:
        """The body as it comes; b"" whenever nothing came for `pulse` seconds.

        Raises TransientError: TIMEOUT when nothing at all came for `silence` seconds, TRUNCATED when it breaks off.
        """
        return wire(self._pieces(pulse, silence), self._host)

    def _pieces(self, pulse: float, silence: float) -> Iterator[bytes]:
        heard = time.monotonic()
        while True:
            try:
                event = self._next(pulse)
            except httpcore.ReadTimeout:
                if time.monotonic() - heard > silence:
                    raise self._silent(silence) from None
                yield b""
                continue
            if not isinstance(event, h11.Data):
                return
            heard = time.monotonic()
            yield bytes(event.data)

    def _ask(self, request: httpx.Request, deadline: float) -> httpx.Response:
        pairs = [(name.lower(), value) for name, value in request.headers.raw]
        question = h11.Request(method=request.method, target=request.url.raw_path, headers=pairs)
        for part in (question, h11.EndOfMessage()):
            self._stream.write(self._http.send(part) or b"", self._step)
        while True:
            event = self._next(remaining(deadline, self._step))
            if isinstance(event, h11.Response):
                return httpx.Response(event.status_code, headers=list(event.headers))
            if not isinstance(event, h11.InformationalResponse):
                raise httpcore.RemoteProtocolError("no answer")

    def _next(self, timeout: float) -> object:
        try:
            while (event := self._http.next_event()) is h11.NEED_DATA:
                self._http.receive_data(self._stream.read(_PIECE, timeout))
        except h11.RemoteProtocolError as error:
            raise httpcore.RemoteProtocolError(str(error)) from error
        return event

    def _silent(self, silence: float) -> TransientError:
        return TransientError(
            Reason.TIMEOUT, f"{self._host} has sent nothing for {many(silence, 'second')}, not even a sign of life."
        )


def _connect(backend: GuardedBackend, request: httpx.Request, ssl_context: ssl.SSLContext) -> httpcore.NetworkStream:
    url, wait = request.url, request.extensions["timeout"]["connect"]
    secure = url.scheme == "https"
    stream = backend.connect_tcp(url.host, url.port or (443 if secure else 80), wait)
    if not secure:
        return stream
    try:
        return stream.start_tls(ssl_context, url.host, wait)
    except BaseException:
        stream.close()
        raise
