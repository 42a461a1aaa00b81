"""Real receivers for channels: HTTP and SMTP on this machine."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from email import message_from_bytes, policy
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from services.channels import mail
from services.fetch import Fetcher
from tests.channels.kits import KITS, Got, Kit
from tests.channels.kits.mail import PASSWORD
from tests.channels.kits.webhook import PATH as HOOK_PATH
from tests.waiting import came, ended


def fetcher(timeout: float = 5.0) -> Fetcher:
    """The real way out, allowed to reach this machine."""
    return Fetcher(allow_networks="127.0.0.1", read_timeout=timedelta(seconds=timeout))


@dataclass
class Receiver:
    """An HTTP server that answers what it is told to, and keeps what it got."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    answer: Callable[[Got], bytes] = lambda got: b""
    cut: int = 0
    """How many bytes more are announced than come."""
    asked: list[Got] = field(default_factory=list)
    base: str = ""

    @property
    def got(self) -> list[tuple[dict[str, str], bytes]]:
        return [(one.headers, one.body) for one in self.asked]

    @property
    def url(self) -> str:
        return self.base + HOOK_PATH


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    state = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {k.lower(): v for k, v in self.headers.items()}
            got = Got(self.command, self.path, headers, body)
            state.asked.append(got)
            self.send_response_only(state.status)
            said = state.answer(got)
            for name, value in state.headers.items():
                self.send_header(name, value)
            if said or state.cut:
                self.send_header("content-length", str(len(said) + state.cut))
            self.end_headers()
            self.wfile.write(said)
            self.close_connection = True

        do_PUT = do_POST  # noqa: N815 - the name is http.server's

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.base = f"http://127.0.0.1:{server.server_port}"
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
                    came(over)
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
    ended(*threads)


@dataclass
class Rig:
    """One kind of channel before a real receiver, as the contract sees it."""

    kit: Kit
    config: dict[str, Any]
    poster: Fetcher
    hasty: Fetcher
    """The same with little patience."""
    says: Callable[[str], None]
    """Make the receiver answer ok, later or never."""
    got: Callable[[], list[Got]]
    nobody: dict[str, Any]
    """Config under which nobody listens."""
    silent: dict[str, Any]
    """Config under which somebody takes the connection and says nothing."""
    receiver: Receiver

    @property
    def secrets(self) -> tuple[str, ...]:
        return self.kit.secrets

    def ids(self) -> list[str]:
        return [self.kit.identity(got) for got in self.got()]

    def texts(self) -> list[str]:
        return [self.kit.text(got) for got in self.got()]


ANSWERS = {"ok": (200, "250 taken"), "later": (503, "451 not now"), "never": (400, "554 not this")}


@pytest.fixture(params=sorted(KITS))
def kind(request: pytest.FixtureRequest) -> str:
    if KITS[str(request.param)].needs:
        pytest.importorskip(KITS[str(request.param)].needs)
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
    kit, here = KITS[kind], "http://127.0.0.1:{}".format
    build = partial(Rig, kit, poster=fetcher(), hasty=fetcher(0.2), nobody=kit.config(here(free_port())),
                    silent=kit.config(here(talk(silent=True))), receiver=receiver)  # fmt: skip
    if kit.transport == "http":
        return build(
            config=kit.config(receiver.base),
            says=lambda how: setattr(receiver, "status", ANSWERS[how][0]),
            got=lambda: receiver.asked,
        )
    box = serve_smtp()
    return build(
        config=kit.config(here(box.port)),
        says=lambda how: setattr(box, "on_data", ANSWERS[how][1]),
        got=lambda: [Got("DATA", "", {}, raw) for raw in box.raw],
    )
