"""A WebSocket over a guarded connection: text out, messages in, bounded in size and in silence.

It must not reconnect, follow redirects, or know what the messages say.
"""

import logging
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass

import httpx
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from schemas.errors import PermanentError, Reason, TransientError
from services.analysis.text import clean_line
from services.fetch.answers import check_status, shown
from services.fetch.guard import GuardedBackend, remaining
from services.fetch.requests import check_address, header_pairs, login, response_of
from services.fetch.transport import worded

MAX_MESSAGE = 1 << 20
"""Largest message that is received, unpacked."""
PING_EVERY = 20.0
"""Seconds between our pings, and until one that nobody answers ends the connection."""
_LOG = logging.getLogger(__name__)
_LOG.setLevel(logging.WARNING)  # below that, the library writes headers and queries, and with them keys
_PLAIN = {"ws": "http", "wss": "https"}
_GOODBYE = 2.0
_STUCK = 20.0
_QUEUE = 64
_MAX_WORDS = 120
_POLICY, _TOO_BIG, _INTERNAL, _BAD_GATEWAY = 1008, 1009, 1011, 1014


class RefusedError(TransientError):
    """The server answered the handshake with an HTTP status of its own; `said` is what it wrote beside it."""

    def __init__(self, error: TransientError, said: bytes) -> None:
        super().__init__(error.reason, str(error), error.retry_after)
        self.said = said


class WebSocket:
    """An open connection; for one thread that receives, and any that send."""

    def __init__(self, connection: ClientConnection, host: str) -> None:
        self._connection = connection
        self._host = host

    def send(self, text: str) -> None:
        """Send one text message. Raises TransientError when the connection has ended."""
        try:
            self._connection.send(text)
        except (WebSocketException, OSError) as error:
            raise _ended(error, self._host) from error

    def receive(self, timeout_s: float) -> str | bytes | None:
        """The next message (text or binary), None when none came within `timeout_s` seconds.

        Raises TransientError when the connection has ended: TOO_LARGE for a message above the limit, TIMEOUT when
        a ping stayed unanswered, REFUSED or SERVER_ERROR when the server said so, else TRUNCATED.
        """
        try:
            return self._connection.recv(timeout=timeout_s)
        except TimeoutError:
            return None
        except (WebSocketException, OSError) as error:
            raise _ended(error, self._host) from error


@dataclass(frozen=True, slots=True)
class Opening:
    """How a connection is opened."""

    backend: GuardedBackend
    ssl_context: ssl.SSLContext
    agent: str
    deadline: float
    """When the handshake must be over (time.monotonic)."""
    subprotocols: Sequence[str] = ()
    max_bytes: int = MAX_MESSAGE


def web_address(url: str) -> httpx.URL:
    """The http(s) address behind a ws(s) or http(s) one. Raises PermanentError(BAD_ADDRESS)."""
    scheme, separator, rest = url.strip().partition("://")
    try:
        return check_address(_PLAIN.get(scheme.lower(), scheme) + separator + rest)
    except PermanentError as error:
        raise PermanentError(
            Reason.BAD_ADDRESS, f"{shown(url)!r} is no address of a stream: it needs wss:// (or ws://) and a host."
        ) from error


@contextmanager
def opened(target: httpx.URL, headers: Mapping[str, str], opening: Opening) -> Iterator[ClientConnection]:
    """A connection to `target` whose handshake is done; it is closed at the end.

    Raises PermanentError: BLOCKED_ADDRESS, BAD_ADDRESS, GONE. Raises TransientError: RefusedError (what check_status
    raises), NAME_NOT_FOUND, UNREACHABLE, TLS, TIMEOUT.
    """
    secure = target.scheme == "https"
    port = target.port or (443 if secure else 80)
    pairs = [*login(target), *header_pairs(headers)]
    with ExitStack() as stack:
        with worded(target.host):
            stream = opening.backend.connect_tcp(target.raw_host.decode("ascii"), port, remaining(opening.deadline, 10))
            stack.callback(stream.close)
            left = remaining(opening.deadline, None)
        with _handshake(target):
            connection = stack.enter_context(
                connect(
                    str(target.copy_with(scheme="wss" if secure else "ws", userinfo=b"", fragment=None)),
                    sock=stream.get_extra_info("socket"),
                    ssl=opening.ssl_context if secure else None,
                    subprotocols=[Subprotocol(name) for name in opening.subprotocols] or None,
                    additional_headers=[(name.decode("latin-1"), value.decode("latin-1")) for name, value in pairs],
                    user_agent_header=opening.agent,
                    proxy=None,
                    open_timeout=left,
                    close_timeout=_GOODBYE,
                    ping_interval=PING_EVERY,
                    ping_timeout=PING_EVERY,
                    max_size=opening.max_bytes,
                    max_queue=_QUEUE,
                    logger=_LOG,
                )
            )
        with suppress(OSError):  # already closed, as the first receive will tell
            connection.socket.settimeout(_STUCK)  # else a server that reads nothing would hold a send for ever
        try:
            yield connection
        finally:
            connection.close()


@contextmanager
def _handshake(target: httpx.URL) -> Iterator[None]:
    host = target.host
    try:
        yield
    except TimeoutError as error:
        raise TransientError(Reason.TIMEOUT, f"{host} did not answer in time. Usually it passes.") from error
    except ssl.SSLError as error:
        why = getattr(error, "verify_message", "") or error.reason or "handshake failed"
        raise TransientError(Reason.TLS, f"{host} offers no valid secure connection ({why}).") from error
    except (WebSocketException, OSError, EOFError, ValueError) as error:
        if answer := _refusal(error):
            raise _refused(answer, target) from error
        raise TransientError(Reason.UNREACHABLE, f"{host} does not speak WebSocket at this address.") from error


def _refusal(error: BaseException | None) -> InvalidStatus | None:
    # A redirect is a refusal too; the library then raises another error, because of it.
    while error is not None and not isinstance(error, InvalidStatus):
        error = error.__cause__ or error.__context__
    return error


def _refused(refusal: InvalidStatus, target: httpx.URL) -> PermanentError | TransientError:
    answer = refusal.response
    response = response_of(httpx.Response(answer.status_code, headers=[*answer.headers.raw_items()]), target)
    try:
        check_status(response)
    except PermanentError as error:
        return error
    except TransientError as error:
        return RefusedError(error, bytes(answer.body))
    place = shown(str(target))
    return TransientError(Reason.REFUSED, f"{place} is a web page, not a stream. Check the address.")


def _ended(error: Exception, host: str) -> TransientError:
    sent, received = (error.sent, error.rcvd) if isinstance(error, ConnectionClosed) else (None, None)
    if sent and isinstance(error, ConnectionClosed) and not error.rcvd_then_sent:
        if sent.code == _TOO_BIG:
            return TransientError(Reason.TOO_LARGE, f"{host} sent a message above the size limit; it was cut off.")
        if sent.code == _INTERNAL:
            return TransientError(Reason.TIMEOUT, f"{host} has fallen silent and answers no ping.")
    if received is None:
        return TransientError(Reason.TRUNCATED, f"The connection to {host} broke off.")
    said = f"{host} closed the connection (code {received.code}"
    said += f": {clean_line(received.reason, limit_bytes=_MAX_WORDS)})." if received.reason else ")."
    if received.code == _POLICY:
        return TransientError(Reason.REFUSED, said)
    faulty = _INTERNAL <= received.code <= _BAD_GATEWAY
    return TransientError(Reason.SERVER_ERROR if faulty else Reason.TRUNCATED, said)
