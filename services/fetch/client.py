"""The Fetcher: one HTTP request and its redirects, or one WebSocket, inside limits of time, bytes, hops and
requests per host.

It must not retry, cache, or keep anything between requests: when to come back is decided elsewhere.
"""

import socket
import ssl
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from functools import cache

import httpx

from schemas.errors import Reason, TransientError
from services.fetch import guard
from services.fetch.addresses import read_exemptions
from services.fetch.answers import Response, check_status, shown
from services.fetch.bodies import unpack
from services.fetch.hosts import HostSlots
from services.fetch.lasting import Lasting
from services.fetch.proxy import read_proxy
from services.fetch.requests import Pairs, check_address, header_pairs, login, moved_to, response_of, user_agent
from services.fetch.transport import GuardedTransport, wire, worded
from services.fetch.websocket import MAX_MESSAGE, Opening, WebSocket, opened, web_address

MAX_BYTES = 15 * 1024 * 1024
"""Largest body of `get`, packed or unpacked."""
MAX_REDIRECTS = 5
_MAX_REPLY = 64 * 1024
# Below a worker's lease of 60 seconds: what takes longer would be done by two.
_GET_TIMEOUT, _POST_TIMEOUT = timedelta(seconds=40), timedelta(seconds=20)

_NEVER = timedelta(days=3650)


class Fetcher:
    """Gets and posts over HTTP on behalf of `contact`; thread-safe, keeps no connections and no cookies.

    `allow_networks` names the private addresses it may reach (FRAMEWATCH_ALLOW_NETWORKS); PermanentError
    (BAD_CONFIG) when that cannot be read. All else goes through `proxy` (FRAMEWATCH_PROXY) when one is named. At most
    `per_host` requests go to one host at a time.
    """

    def __init__(
        self,
        *,
        allow_networks: str = "",
        contact: str = "",
        connect_timeout: timedelta = timedelta(seconds=10),
        read_timeout: timedelta = timedelta(seconds=20),
        per_host: int = 2,
        resolve: guard.Resolve = guard.resolve,
        ssl_context: ssl.SSLContext | None = None,
        proxy: str = "",
    ) -> None:
        self._exemptions = read_exemptions(allow_networks)
        self._proxy = read_proxy(proxy)
        self._agent = user_agent(contact)
        connect, read = connect_timeout.total_seconds(), read_timeout.total_seconds()
        self._step = {"connect": connect, "read": read, "write": read, "pool": connect}
        self._slots = HostSlots(per_host)
        self._resolve = resolve
        self._ssl = ssl_context or _trusted()

    def get(
        self,
        url: str,
        *,
        etag: str = "",
        last_modified: str = "",
        headers: Mapping[str, str] | None = None,
        max_bytes: int = MAX_BYTES,
        timeout: timedelta = _GET_TIMEOUT,
        judged: bool = True,
    ) -> Response:
        """The answer to a GET, complete. Parameters and errors are those of `stream`."""
        opened = self.stream(
            url, etag=etag, last_modified=last_modified, headers=headers,
            max_bytes=max_bytes, timeout=timeout, judged=judged,
        )  # fmt: skip
        with opened as (response, pieces):
            body = bytearray()
            for piece in pieces:
                body += piece
            return replace(response, body=bytes(body))

    @contextmanager
    def stream(
        self,
        url: str,
        *,
        etag: str = "",
        last_modified: str = "",
        headers: Mapping[str, str] | None = None,
        max_bytes: int = MAX_BYTES,
        timeout: timedelta = _GET_TIMEOUT,
        judged: bool = True,
    ) -> Iterator[tuple[Response, Iterator[bytes]]]:
        """The answer to a GET without its body, and the unpacked pieces of the body as they arrive.

        `etag` and `last_modified` make the request conditional (a 304 is then `not_modified`); `headers` go to
        the first origin only; `max_bytes` bounds the body, packed and unpacked; `timeout` bounds everything,
        redirects and reading included. Unless `judged`, an answer of any status comes back, for callers whose
        platform says more in headers and body than its status does; they call check_status themselves.

        Raises PermanentError: BAD_ADDRESS, BLOCKED_ADDRESS, GONE. Raises TransientError: what check_status
        raises, NAME_NOT_FOUND, UNREACHABLE, TLS, TIMEOUT, TRUNCATED, TOO_LARGE, TOO_MANY_REDIRECTS.
        """
        deadline = time.monotonic() + timeout.total_seconds()
        conditions = header_pairs({"If-None-Match": etag, "If-Modified-Since": last_modified})
        start = target = check_address(url)
        permanent, for_good = "", True
        for _ in range(MAX_REDIRECTS + 1):
            own = headers if _origin(target) == _origin(start) else None
            request = self._request("GET", target, [*header_pairs(own or {}), *conditions])
            with self._answer(request, deadline) as answer:
                moved = moved_to(answer, target)
                if moved is None:
                    response = response_of(answer, target, permanent_url=permanent)
                    if response.status == 304 and conditions:
                        response = _not_modified(response, etag, last_modified)
                    if judged:
                        check_status(response)
                    encoding = response.headers.get("content-encoding", "")
                    yield response, unpack(wire(answer.iter_raw(), target.host), encoding, max_bytes)
                    return
                for_good = for_good and answer.status_code in (301, 308)
            permanent, target = str(moved) if for_good else permanent, moved
        raise TransientError(
            Reason.TOO_MANY_REDIRECTS, f"{shown(url)} redirects more than {MAX_REDIRECTS} times, the last time to "
            f"{shown(str(target))}."
        )  # fmt: skip

    @contextmanager
    def listen(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        pulse: timedelta = timedelta(seconds=1),
        silence: timedelta = timedelta(seconds=60),
    ) -> Iterator[tuple[Response, Iterator[bytes]]]:
        """The answer to a GET that has no end, and the pieces of its body as they come, without a time limit.

        A piece is b"" whenever nothing came for `pulse`. Redirects are not followed. A slot of the host is held
        only until the head is there, so that listening keeps no other request out.

        Raises as `stream` does, and TransientError(TIMEOUT) when nothing at all came for `silence`.
        """
        target = check_address(url)
        pairs = [*header_pairs(headers or {}), (b"Accept-Encoding", b"identity")]
        request = self._request("GET", target, pairs)
        deadline = time.monotonic() + _POST_TIMEOUT.total_seconds()
        never = deadline + _NEVER.total_seconds()
        backend = guard.GuardedBackend(
            exemptions=self._exemptions, deadline=never, resolve=self._resolve, proxy=self._proxy
        )
        with self._slots.hold(target.host, deadline):
            connection = Lasting(backend, request, self._ssl, deadline)
        with closing(connection):
            response = response_of(connection.answer, target)
            check_status(response)
            yield response, connection.pieces(pulse=pulse.total_seconds(), silence=silence.total_seconds())

    def post(
        self, url: str, content: bytes, headers: Mapping[str, str], *, timeout: timedelta = _POST_TIMEOUT
    ) -> Response:
        """The answer to a POST, whatever its status: redirects are not followed, nothing is judged.

        At most 64 KB of the answer's body are read, and trouble while reading them is ignored: what counts is
        the status. Raises PermanentError (BAD_ADDRESS, BLOCKED_ADDRESS, BAD_CONFIG) or TransientError
        (NAME_NOT_FOUND, UNREACHABLE, TLS, TIMEOUT) when no status came back.
        """
        return self._hand_in("POST", url, content, headers, timeout)

    def put(
        self, url: str, content: bytes, headers: Mapping[str, str], *, timeout: timedelta = _POST_TIMEOUT
    ) -> Response:
        """The answer to a PUT; everything else is as with `post`."""
        return self._hand_in("PUT", url, content, headers, timeout)

    def _hand_in(
        self, method: str, url: str, content: bytes, headers: Mapping[str, str], timeout: timedelta
    ) -> Response:
        deadline = time.monotonic() + timeout.total_seconds()
        target = check_address(url)
        pairs = [*header_pairs(headers), (b"Accept-Encoding", b"identity")]
        request = self._request(method, target, pairs, content)
        with self._answer(request, deadline) as answer:
            body = bytearray()
            with suppress(TransientError):
                for piece in unpack(wire(answer.iter_raw(), target.host), "", _MAX_REPLY):
                    body += piece
            return replace(response_of(answer, target), body=bytes(body))

    @contextmanager
    def websocket(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        subprotocols: Sequence[str] = (),
        max_bytes: int = MAX_MESSAGE,
        timeout: timedelta = _POST_TIMEOUT,
    ) -> Iterator[WebSocket]:
        """An open WebSocket to a ws(s) or http(s) `url`; redirects are refused.

        `subprotocols` are offered to the server; `max_bytes` bounds a received message, unpacked; `timeout` bounds
        connecting and the handshake. Pings find out in 40 seconds when the other side is gone.

        Raises PermanentError: BAD_ADDRESS, BLOCKED_ADDRESS, GONE. Raises TransientError: RefusedError (for the reasons
        that check_status raises), NAME_NOT_FOUND, UNREACHABLE, TLS, TIMEOUT.
        """
        deadline = time.monotonic() + timeout.total_seconds()
        target = web_address(url)
        backend = guard.GuardedBackend(
            exemptions=self._exemptions, deadline=deadline, resolve=self._resolve, proxy=self._proxy
        )
        opening = Opening(backend, self._ssl, self._agent, deadline, subprotocols, max_bytes)
        with ExitStack() as stack:
            with self._slots.hold(target.host, deadline):  # for the handshake only: the stream itself may last for days
                connection = stack.enter_context(opened(target, headers or {}, opening))
            yield WebSocket(connection, target.host)

    def connect(self, host: str, port: int, *, timeout: timedelta = _POST_TIMEOUT) -> socket.socket:
        """A connection for a protocol that is not HTTP, to an address we may reach; the caller closes it.

        Raises PermanentError: BAD_ADDRESS, BLOCKED_ADDRESS; TransientError: NAME_NOT_FOUND, UNREACHABLE, TIMEOUT.
        """
        wait = timeout.total_seconds()
        backend = guard.GuardedBackend(
            exemptions=self._exemptions, deadline=time.monotonic() + wait, resolve=self._resolve, proxy=self._proxy
        )
        with worded(host):
            opened: socket.socket = backend.connect_tcp(host, port, wait).get_extra_info("socket")
        return opened

    def check(self, host: str, port: int, *, timeout: timedelta = timedelta(seconds=5)) -> None:
        """Look `host` up and connect to nothing: would a request get there?

        Raises PermanentError: BAD_ADDRESS, BLOCKED_ADDRESS; TransientError: NAME_NOT_FOUND.
        """
        deadline = time.monotonic() + timeout.total_seconds()
        backend = guard.GuardedBackend(
            exemptions=self._exemptions, deadline=deadline, resolve=self._resolve, proxy=self._proxy
        )
        backend.allowed(host, port, None)

    def _request(self, method: str, target: httpx.URL, pairs: Pairs, content: bytes | None = None) -> httpx.Request:
        headers = httpx.Headers({"User-Agent": self._agent, "Accept": "*/*", "Accept-Encoding": "gzip, deflate"})
        headers.update([*login(target), *pairs, (b"Connection", b"close")])
        return httpx.Request(method, target, headers=headers, content=content, extensions={"timeout": self._step})

    @contextmanager
    def _answer(self, request: httpx.Request, deadline: float) -> Iterator[httpx.Response]:
        host = request.url.host
        backend = guard.GuardedBackend(
            exemptions=self._exemptions, deadline=deadline, resolve=self._resolve, proxy=self._proxy
        )
        with self._slots.hold(host, deadline), GuardedTransport(backend, self._ssl) as transport:
            with worded(host):
                answer = transport.handle_request(request)
            with closing(answer):
                yield answer


@cache
def _trusted() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=False)


def _not_modified(response: Response, etag: str, last_modified: str) -> Response:
    etag, last_modified = response.etag or etag, response.last_modified or last_modified
    return replace(response, not_modified=True, etag=etag, last_modified=last_modified)


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port
