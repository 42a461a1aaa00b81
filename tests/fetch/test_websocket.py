"""WebSockets through the guard: what is opened, what is refused, and how an end is worded."""

import logging
import socket
import ssl
import subprocess
import threading
import time
from datetime import timedelta

import pytest
from websockets.datastructures import Headers
from websockets.http11 import Response

from schemas.errors import FramewatchError, PermanentError, Reason, TransientError
from services.fetch import Fetcher, RefusedError, websocket
from tests.fetch.servers import reply, serve
from tests.fetch.sockets import serve_sockets, until_closed

WAIT = 10


def echo(connection):
    for message in connection:
        connection.send(message)


def refuse(status, body=b"", **headers):
    fields = Headers(
        {name.replace("_", "-"): value for name, value in headers.items()} | {"Content-Length": str(len(body))}
    )
    return lambda connection, request: Response(status, "Whatever", fields, body)


def open_and_receive(server, **options):
    with Fetcher(allow_networks=server.allowed).websocket(server.url, **options) as stream:
        return stream.receive(WAIT)


def failure(server, fetcher=None, **options):
    fetcher = fetcher or Fetcher(allow_networks=server.allowed)
    with pytest.raises(FramewatchError) as caught, fetcher.websocket(server.url + "/s?key=secret", **options) as stream:
        stream.receive(WAIT)
    assert "secret" not in str(caught.value)
    return caught.value


def test_text_and_bytes_go_both_ways_and_silence_is_none():
    with serve_sockets(echo) as server, Fetcher(allow_networks=server.allowed).websocket(server.url) as stream:
        stream.send("привет")
        assert stream.receive(WAIT) == "привет"
        assert stream.receive(0) is None
        assert stream.receive(0.01) is None
        stream.send("still there")
        assert stream.receive(WAIT) == "still there"
    with serve_sockets(lambda c: c.send(b"\0\1")) as server:
        assert open_and_receive(server) == b"\0\1"


@pytest.mark.parametrize("scheme", ["ws", "WS", "http"])
def test_the_handshake_says_who_we_are_and_what_we_were_given(scheme):
    with serve_sockets(until_closed, subprotocols=["a.b"]) as server:
        fetcher = Fetcher(allow_networks=server.allowed, contact="mailto:me@e.org")
        url = f"{scheme}://name:w%40rd@127.0.0.1:{server.port}/s?x=1&y=%20#part"
        with fetcher.websocket(url, headers={"X-Key": "k\r\nX-Evil: 1"}, subprotocols=["a.b"]):
            pass
    request = server.requests[0]
    assert request.path == "/s?x=1&y=%20"
    assert request.headers["User-Agent"] == "framewatch/0.1.0 (+mailto:me@e.org)"
    assert request.headers["Authorization"] == "Basic bmFtZTp3QHJk"
    assert (request.headers["X-Key"], "X-Evil" in request.headers) == ("kX-Evil: 1", False)
    assert request.headers["Sec-WebSocket-Protocol"] == "a.b"


@pytest.mark.parametrize(
    "url", ["", "e.org", "ftp://e.org", "file:///x", "wss://", "wss://[", "wss://e.org:x/", "://e.org"]
)
def test_what_is_no_address_of_a_stream_is_refused(url):
    with pytest.raises(PermanentError) as caught, Fetcher().websocket(url):
        pass
    assert caught.value.reason is Reason.BAD_ADDRESS


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0x7f000001", "169.254.169.254"])
def test_a_private_address_is_not_contacted(host):
    with serve(reply()) as server:
        with pytest.raises(PermanentError) as caught, Fetcher().websocket(f"ws://{host}:{server.port}/"):
            pass
        assert caught.value.reason is Reason.BLOCKED_ADDRESS
        assert server.connections == 0


def test_the_name_is_looked_up_once_and_the_checked_address_is_connected_to(monkeypatch):
    contacted, asked = [], []
    connect = socket.create_connection
    monkeypatch.setattr(
        socket, "create_connection", lambda to, *a, **k: (contacted.append(to), connect(to, *a, **k))[1]
    )

    def resolve(host, port):
        asked.append(host)
        return ["10.0.0.1", "127.0.0.1"]

    with serve_sockets(lambda c: c.send("x")) as server:
        fetcher = Fetcher(allow_networks=server.allowed, resolve=resolve)
        with fetcher.websocket(f"ws://stream.example:{server.port}/") as stream:
            assert stream.receive(WAIT) == "x"
    assert (asked, contacted) == (["stream.example"], [("127.0.0.1", server.port)])
    assert server.requests[0].headers["Host"] == f"stream.example:{server.port}"


@pytest.mark.parametrize(
    ("status", "error", "reason"),
    [
        (200, TransientError, Reason.REFUSED),
        (301, RefusedError, Reason.REDIRECTED),
        (302, RefusedError, Reason.REDIRECTED),
        (400, RefusedError, Reason.REFUSED),
        (401, RefusedError, Reason.NO_ACCESS),
        (403, RefusedError, Reason.NO_ACCESS),
        (404, RefusedError, Reason.NOT_FOUND),
        (410, PermanentError, Reason.GONE),
        (429, RefusedError, Reason.RATE_LIMITED),
        (503, RefusedError, Reason.SERVER_ERROR),
    ],
)
def test_a_refused_handshake_is_worded_as_a_refused_request(status, error, reason):
    answer = refuse(status, b"sorry", Retry_After="120", Location="http://127.0.0.1:1/elsewhere")
    with serve_sockets(until_closed, answer=answer) as server:
        found = failure(server)
    assert (type(found), found.reason) == (error, reason)
    if error is RefusedError:
        assert (found.said, found.retry_after) == (b"sorry", timedelta(minutes=2))
    assert len(server.requests) == 1


def test_a_server_that_speaks_something_else_is_worded():
    for answer in (b"", b"SSH-2.0-x\r\n", reply(101, upgrade="websocket", connection="upgrade")):
        with serve(answer) as server:
            assert failure(server).reason is Reason.UNREACHABLE
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    fetcher = Fetcher(allow_networks="127.0.0.1")
    with pytest.raises(TransientError) as caught, fetcher.websocket(f"ws://127.0.0.1:{port}"):
        pass
    assert caught.value.reason is Reason.UNREACHABLE


@pytest.mark.parametrize("scheme", ["ws", "wss"])
def test_a_slow_handshake_costs_no_more_than_the_time_limit(scheme):
    stopping = threading.Event()

    def dribble(request, stream):
        while not stopping.wait(0.02):
            stream.sendall(b"H")

    start = time.monotonic()
    with serve(dribble if scheme == "ws" else lambda request, stream: stopping.wait(WAIT)) as server:
        opening = Fetcher(allow_networks=server.allowed).websocket(
            f"{scheme}://127.0.0.1:{server.port}", timeout=timedelta(seconds=0.3)
        )
        with pytest.raises(TransientError) as caught, opening:
            pass
        stopping.set()
    assert caught.value.reason is Reason.TIMEOUT
    assert time.monotonic() - start < 5


@pytest.mark.parametrize("compression", [None, "deflate"])
def test_an_oversized_message_ends_the_connection(compression):
    def talk(connection):
        connection.send("x" * 1000)
        connection.send("x" * 1001)
        until_closed(connection)

    with (
        serve_sockets(talk, compression=compression) as server,
        Fetcher(allow_networks=server.allowed).websocket(server.url, max_bytes=1000) as stream,
    ):
        assert len(stream.receive(WAIT)) == 1000
        with pytest.raises(TransientError) as caught:
            stream.receive(WAIT)
    assert caught.value.reason is Reason.TOO_LARGE


@pytest.mark.parametrize(
    ("code", "words", "reason"),
    [
        (1000, "", Reason.TRUNCATED),
        (1001, "restart", Reason.TRUNCATED),
        (1008, "too slow\0", Reason.REFUSED),
        (1011, "fault", Reason.SERVER_ERROR),
        (1013, "later", Reason.SERVER_ERROR),
        (4000, "own words", Reason.TRUNCATED),
    ],
)
def test_a_close_by_the_server_is_told_in_its_words(code, words, reason):
    with serve_sockets(lambda c: c.close(code, words)) as server:
        found = failure(server)
    assert found.reason is reason
    assert str(code) in str(found)
    assert words.rstrip("\0") in str(found)


def test_a_connection_that_breaks_in_the_middle_is_told_after_what_came_before():
    def talk(connection):
        connection.send("one")
        connection.socket.shutdown(socket.SHUT_RDWR)

    with serve_sockets(talk) as server, Fetcher(allow_networks=server.allowed).websocket(server.url) as stream:
        assert stream.receive(WAIT) == "one"
        for attempt in (lambda: stream.receive(WAIT), lambda: stream.send("x"), lambda: stream.receive(WAIT)):
            with pytest.raises(TransientError) as caught:
                attempt()
            assert caught.value.reason is Reason.TRUNCATED


def test_text_that_is_none_ends_the_connection():
    def talk(connection):
        connection.send(b"\xff\xfe", text=True)
        until_closed(connection)

    with serve_sockets(talk) as server:
        assert failure(server).reason is Reason.TRUNCATED


def test_a_server_that_reads_nothing_holds_no_send_for_ever(monkeypatch):
    monkeypatch.setattr(websocket, "_STUCK", 0.2)
    stopping = threading.Event()

    def push(stream):
        for _ in range(200):
            stream.send("x" * 1_000_000)

    with serve_sockets(lambda c: stopping.wait(WAIT), max_queue=1, compression=None) as server:
        with pytest.raises(TransientError), Fetcher(allow_networks=server.allowed).websocket(server.url) as stream:
            push(stream)
        stopping.set()


def test_nothing_of_an_address_or_a_header_is_logged(caplog):
    caplog.set_level(logging.DEBUG)
    with serve_sockets(lambda c: c.send("x")) as server:
        fetcher = Fetcher(allow_networks=server.allowed)
        with fetcher.websocket(server.url + "/?key=secret", headers={"X-Key": "secret"}) as stream:
            assert stream.receive(WAIT) == "x"
    ours = [record for record in caplog.records if "server" not in record.name]
    assert not any("secret" in record.getMessage() for record in ours)


def test_an_open_stream_holds_no_slot_of_its_host():
    with serve_sockets(echo) as server:
        fetcher = Fetcher(allow_networks=server.allowed, per_host=1)
        with fetcher.websocket(server.url) as one, fetcher.websocket(server.url) as two:
            for stream in (one, two):
                stream.send("x")
                assert stream.receive(WAIT) == "x"


def test_leaving_says_goodbye_whatever_happened():
    codes = []

    def talk(connection):
        until_closed(connection)
        codes.append(connection.close_code)

    with serve_sockets(talk) as server:
        with Fetcher(allow_networks=server.allowed).websocket(server.url):
            pass
        with pytest.raises(ZeroDivisionError), Fetcher(allow_networks=server.allowed).websocket(server.url):
            raise ZeroDivisionError
    assert codes == [1000, 1000]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=s.example"
    files = ["-keyout", folder / "key.pem", "-out", folder / "cert.pem", "-addext", "subjectAltName=DNS:s.example"]
    try:
        subprocess.run([*command.split(), *files], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("openssl is not here")
    return folder


@pytest.mark.parametrize(("trusted", "host"), [(True, "s.example"), (False, "s.example"), (True, "other.example")])
def test_tls_is_checked_against_the_name_not_the_address(certificate, trusted, host):
    names = []
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    server_side.sni_callback = lambda sock, name, context: names.append(name)
    ours = ssl.create_default_context(cafile=certificate / "cert.pem") if trusted else None
    with serve_sockets(lambda c: c.send("safe"), tls=server_side) as server:
        fetcher = Fetcher(allow_networks=server.allowed, ssl_context=ours, resolve=lambda host, port: ["127.0.0.1"])
        url = f"wss://{host}:{server.port}/"
        if trusted and host == "s.example":
            with fetcher.websocket(url) as stream:
                assert stream.receive(WAIT) == "safe"
        else:
            with pytest.raises(TransientError, match="secure connection") as caught, fetcher.websocket(url):
                pass
            assert caught.value.reason is Reason.TLS
    assert names == [host]
