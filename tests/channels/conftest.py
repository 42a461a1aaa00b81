"""Real receivers for channels: HTTP and SMTP on this machine."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from services.channels import mail
from services.fetch import Fetcher

SECRET = "whsec_" + "c2VjcmV0LW9mLXR3ZW50eS1mb3VyLWJ5dGVz"
PASSWORD = "open-sesame-4711"
HOOK_PATH = "/hooks/T0K3N-in-the-path"


def fetcher(timeout: float = 5.0) -> Fetcher:
    """The real way out, allowed to reach this machine."""
    return Fetcher(allow_networks="127.0.0.1", read_timeout=timedelta(seconds=timeout))


@dataclass
class Receiver:
    """An HTTP server that answers what it is told to, and keeps what it got."""

    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    state = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            state.got.append(({k.lower(): v for k, v in self.headers.items()}, body))
            time.sleep(state.delay)
            self.send_response_only(state.status)
            for name, value in state.headers.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{server.server_port}{HOOK_PATH}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield state
    server.shutdown()
    thread.join()
    server.server_close()


@dataclass
class Postbox:
    """The handler of a real SMTP server: answers what it is told to, and keeps what it took."""

    on_rcpt: Callable[[str], str] = lambda address: "250 fine"
    on_data: str = "250 taken"
    delay: float = 0.0
    got: list[Any] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    envelopes: list[tuple[str, list[str]]] = field(default_factory=list)
    logins: list[tuple[bytes, bytes]] = field(default_factory=list)
    port: int = 0

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        reply = self.on_rcpt(address)
        if reply.startswith("250"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.raw.append(envelope.original_content)
        self.got.append(message_from_bytes(envelope.original_content, policy=policy.default))
        self.envelopes.append((envelope.mail_from, list(envelope.rcpt_tos)))
        return self.on_data

    def authenticate(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        self.logins.append((data.login, data.password))
        return AuthResult(success=data.password == PASSWORD.encode(), handled=False)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def serve_smtp() -> Iterator[Callable[..., Postbox]]:
    """Start an SMTP server; keyword arguments are aiosmtpd's."""
    running: list[Controller] = []

    def start(**options: Any) -> Postbox:
        box = Postbox(port=free_port())
        login = {"authenticator": box.authenticate, "auth_require_tls": False}
        controller = Controller(box, hostname="127.0.0.1", port=box.port, **(login | options))
        controller.start()
        running.append(controller)
        return box

    yield start
    for controller in running:
        controller.stop(no_assert=True)


@pytest.fixture
def talk() -> Iterator[Callable[..., int]]:
    """A line that says `lines`, one for each it hears, then hangs up (or falls silent); gives the port."""
    sockets: list[socket.socket] = []
    threads: list[threading.Thread] = []
    over = threading.Event()

    def start(*lines: str, silent: bool = False) -> int:
        listening = socket.create_server(("127.0.0.1", 0))
        sockets.append(listening)

        def run() -> None:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            # A client that has heard enough may hang up first.
            with suppress(OSError), connection, connection.makefile("rb") as heard:
                for number, text in enumerate(lines):
                    if number:
                        heard.readline()
                    connection.sendall(text.encode() + b"\r\n")
                if silent:
                    over.wait(10)
                elif lines:
                    heard.readline()

        threads.append(threading.Thread(target=run))
        threads[-1].start()
        return int(listening.getsockname()[1])

    yield start
    over.set()
    for listening in sockets:
        listening.shutdown(socket.SHUT_RDWR)  # wakes a thread that still waits for somebody
        listening.close()
    for thread in threads:
        thread.join(10)


@dataclass
class Rig:
    """One kind of channel before a real receiver, as the contract sees it."""

    config: dict[str, Any]
    secrets: tuple[str, ...]
    poster: Fetcher
    says: Callable[[str], None]
    """Make the receiver answer ok, later or never."""
    ids: Callable[[], list[str]]
    texts: Callable[[], list[str]]
    nobody: dict[str, Any]
    """Config under which nobody listens."""
    silent: dict[str, Any]
    """Config under which somebody takes the connection and says nothing."""


def _webhook(receiver: Receiver, talk: Callable[..., int]) -> Rig:
    config = {"url": receiver.url, "secret": SECRET}
    at = "http://127.0.0.1:{}" + HOOK_PATH
    return Rig(
        config=config,
        secrets=(SECRET, SECRET.removeprefix("whsec_"), HOOK_PATH),
        poster=fetcher(0.5),
        says=lambda how: setattr(receiver, "status", {"ok": 200, "later": 503, "never": 400}[how]),
        ids=lambda: [headers["webhook-id"] for headers, _ in receiver.got],
        texts=lambda: [json.dumps(json.loads(body), ensure_ascii=False) for _, body in receiver.got],
        nobody=config | {"url": at.format(free_port())},
        silent=config | {"url": at.format(talk(silent=True))},
    )


def _mail(box: Postbox, talk: Callable[..., int]) -> Rig:
    config = {
        "to": "team@example.org", "sender": "framewatch <watch@example.org>", "host": "127.0.0.1",
        "port": box.port, "security": "none", "username": "watch", "password": PASSWORD,
    }  # fmt: skip
    answers = {"ok": "250 taken", "later": "451 not now", "never": "554 not this"}
    return Rig(
        config=config,
        secrets=(PASSWORD,),
        poster=fetcher(),
        says=lambda how: setattr(box, "on_data", answers[how]),
        ids=lambda: [mail["Message-ID"] for mail in box.got],
        texts=lambda: [mail.get_body(("plain",)).get_content() for mail in box.got],
        nobody=config | {"port": free_port()},
        silent=config | {"port": talk(silent=True)},
    )


RIGS = {"mail": _mail, "webhook": _webhook}


@pytest.fixture(params=sorted(RIGS))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def rig(
    kind: str,
    receiver: Receiver,
    serve_smtp: Callable[..., Postbox],
    talk: Callable[..., int],
    monkeypatch: pytest.MonkeyPatch,
) -> Rig:
    monkeypatch.setattr(mail, "TIMEOUT", 0.5)
    return _mail(serve_smtp(), talk) if kind == "mail" else _webhook(receiver, talk)
