"""Carries one httpx request over a guarded connection, and words the network's failures for an analyst.

It must not follow redirects or read bodies.
"""

import ssl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import httpcore
import httpx

from schemas.errors import PermanentError, Reason, TransientError


class GuardedTransport(httpx.BaseTransport):
    """An httpx transport over `backend`; every request gets a connection of its own."""

    def __init__(self, backend: httpcore.NetworkBackend, ssl_context: ssl.SSLContext) -> None:
        self._pool = httpcore.ConnectionPool(
            ssl_context=ssl_context, network_backend=backend, max_keepalive_connections=0
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send `request`; the body of the answer is still to be read. Raises httpcore's exceptions."""
        url = request.url
        answer = self._pool.handle_request(
            httpcore.Request(
                method=request.method,
                url=httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
                headers=request.headers.raw,
                content=request.stream,
                extensions=request.extensions,
            )
        )
        return httpx.Response(status_code=answer.status, headers=answer.headers, stream=_Stream(answer))

    def close(self) -> None:
        """Close every connection."""
        self._pool.close()


class _Stream(httpx.SyncByteStream):
    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        yield from self._answer.iter_stream()

    def close(self) -> None:
        self._answer.close()


@contextmanager
def worded(host: str) -> Iterator[None]:
    """Turn a failure to get an answer from `host` into one of our errors."""
    try:
        yield
    except httpcore.TimeoutException as error:
        raise TransientError(Reason.TIMEOUT, f"{host} did not answer in time. Usually it passes.") from error
    except httpcore.LocalProtocolError as error:
        raise PermanentError(Reason.BAD_CONFIG, "The address or a header holds characters HTTP forbids.") from error
    except (httpcore.NetworkError, httpcore.ProtocolError) as error:
        cause = error.args[0] if error.args else None
        if isinstance(cause, ssl.SSLError):
            why = getattr(cause, "verify_message", "") or cause.reason or "handshake failed"
            raise TransientError(Reason.TLS, f"{host} offers no valid secure connection ({why}).") from error
        raise TransientError(Reason.UNREACHABLE, f"{host} cannot be reached or does not speak HTTP.") from error


def wire(chunks: Iterable[bytes], host: str) -> Iterator[bytes]:
    """The bytes of a body as they arrive. Raises TransientError: TIMEOUT, or TRUNCATED when it breaks off."""
    try:
        yield from chunks
    except httpcore.TimeoutException as error:
        raise TransientError(Reason.TIMEOUT, f"{host} sends too slowly; reading was given up.") from error
    except (httpcore.NetworkError, httpcore.ProtocolError) as error:
        raise TransientError(Reason.TRUNCATED, f"The answer of {host} breaks off before its end.") from error
