"""The guard at the wire: what is refused is never contacted, and what is checked is what is contacted."""

import socket
import ssl
import subprocess
import threading
import time
from datetime import timedelta

import pytest

from schemas.errors import PermanentError, Reason, TransientError
from services.fetch import Fetcher, guard
from tests.fetch.servers import reply, serve
from tests.waiting import came


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.1", "0x7f000001", "2130706433", "017700000001", "localhost", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "0.0.0.0", "0", "[::1]", "[::]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "LOCALHOST", "127.0.0.1."],
)  # fmt: skip
def test_every_spelling_of_a_private_address_is_refused_without_contact(host):
    with serve(reply(body=b"secret")) as server, pytest.raises((PermanentError, TransientError)) as caught:
        Fetcher().get(f"http://{host}:{server.port}/")
    assert server.connections == 0
    assert caught.value.reason in (Reason.BLOCKED_ADDRESS, Reason.NAME_NOT_FOUND, Reason.BAD_ADDRESS)
    if host != "127.0.0.1.":  # some resolvers know no trailing dot
        assert caught.value.reason is Reason.BLOCKED_ADDRESS


def test_the_cloud_metadata_address_is_refused_for_posts_too():
    with pytest.raises(PermanentError) as caught:
        Fetcher().post("http://169.254.169.254/latest", b"{}", {})
    assert caught.value.reason is Reason.BLOCKED_ADDRESS
    assert "FRAMEWATCH_ALLOW_NETWORKS" in str(caught.value)


def test_an_exempt_port_opens_no_other_port():
    with serve(reply(body=b"yes")) as one, serve(reply(body=b"no")) as other:
        fetcher = Fetcher(allow_networks=one.allowed)
        assert fetcher.get(one.url).body == b"yes"
        with pytest.raises(PermanentError):
            fetcher.get(other.url)
        assert other.connections == 0


def test_a_redirect_into_a_private_network_is_refused_without_contact():
    with serve(reply(body=b"secret")) as inner:
        with serve(reply(302, location=inner.url)) as outer, pytest.raises(PermanentError) as caught:
            Fetcher(allow_networks=outer.allowed).get(outer.url)
        assert caught.value.reason is Reason.BLOCKED_ADDRESS
        assert inner.connections == 0


def test_a_name_that_changes_its_mind_wins_nothing():
    answers = [["127.0.0.2"], ["127.0.0.1"], ["127.0.0.1"]]
    with serve(reply(body=b"secret")) as server:
        fetcher = Fetcher(allow_networks=server.allowed, resolve=lambda host, port: answers.pop(0))
        with pytest.raises(PermanentError):
            fetcher.get(f"http://rebind.example:{server.port}/")
        assert (server.connections, len(answers)) == (0, 2)


def test_a_name_is_looked_up_once_and_the_checked_address_is_connected_to(monkeypatch):
    contacted = []
    connect = socket.create_connection
    monkeypatch.setattr(
        socket, "create_connection", lambda to, *a, **k: (contacted.append(to), connect(to, *a, **k))[1]
    )
    asked = []
    with serve(reply(body=b"fine")) as server:

        def resolve(host, port):
            asked.append(host)
            return ["10.0.0.1", "127.0.0.1"]

        fetcher = Fetcher(allow_networks=server.allowed, resolve=resolve)
        assert fetcher.get(f"http://news.example:{server.port}/feed").body == b"fine"
    assert asked == ["news.example"]
    assert contacted == [("127.0.0.1", server.port)]
    assert f"host: news.example:{server.port}" in server.requests[0].lower()


def test_the_next_address_is_tried_when_the_first_is_closed():
    with serve(reply(body=b"fine")) as server:
        fetcher = Fetcher(allow_networks="127.0.0.0/8", resolve=lambda host, port: ["127.0.0.3", "127.0.0.1"])
        assert fetcher.get(f"http://news.example:{server.port}/").body == b"fine"


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (socket.gaierror(socket.EAI_NONAME, "unknown"), Reason.NAME_NOT_FOUND),
        (socket.gaierror(socket.EAI_AGAIN, "later"), Reason.NAME_NOT_FOUND),
        (UnicodeError("label too long"), Reason.BAD_ADDRESS),
    ],
)
def test_a_name_without_address_is_worded(failure, reason):
    def resolve(host, port):
        raise failure

    with pytest.raises((TransientError, PermanentError)) as caught:
        Fetcher(resolve=resolve).get("http://nowhere.example/")
    assert caught.value.reason is reason


def test_a_resolver_that_hangs_costs_no_more_than_the_time_limit():
    def resolve(host, port):
        time.sleep(1)
        return []

    start = time.monotonic()
    with pytest.raises(TransientError):
        Fetcher(resolve=resolve).get("http://slow.example/", timeout=timedelta(seconds=0.1))
    assert time.monotonic() - start < 0.8
    time.sleep(1)


def test_the_system_resolver_answers_with_addresses():
    assert "127.0.0.1" in guard.resolve("127.1", 80)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=news.example"
    files = ["-keyout", folder / "key.pem", "-out", folder / "cert.pem", "-addext", "subjectAltName=DNS:news.example"]
    try:
        subprocess.run([*command.split(), *files], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("openssl is not here")
    return folder


@pytest.mark.parametrize("trusted", [True, False])
def test_tls_is_checked_against_the_name_not_the_address(certificate, trusted):
    names = []
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    server_side.sni_callback = lambda sock, name, context: names.append(name)
    ours = ssl.create_default_context(cafile=certificate / "cert.pem") if trusted else None
    with serve(reply(body=b"fine"), wrap=lambda c: server_side.wrap_socket(c, server_side=True)) as server:
        fetcher = Fetcher(allow_networks=server.allowed, ssl_context=ours, resolve=lambda host, port: ["127.0.0.1"])
        url = f"https://news.example:{server.port}/"
        if trusted:
            assert fetcher.get(url).body == b"fine"
        else:
            with pytest.raises(TransientError, match="secure connection") as caught:
                fetcher.get(url)
            assert caught.value.reason is Reason.TLS
    assert names == ["news.example"]


def test_listening_goes_on_in_tls_through_quiet_moments(certificate):
    told = threading.Event()
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")

    def talk(request, stream):
        stream.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n")
        came(told)
        stream.sendall(b"3\r\ntwo\r\n0\r\n\r\n")

    with serve(talk, wrap=lambda c: server_side.wrap_socket(c, server_side=True)) as server:
        ours = ssl.create_default_context(cafile=certificate / "cert.pem")
        fetcher = Fetcher(allow_networks=server.allowed, ssl_context=ours, resolve=lambda host, port: ["127.0.0.1"])
        url, pulse = f"https://news.example:{server.port}/", timedelta(seconds=0.05)
        with fetcher.listen(url, pulse=pulse) as (_, pieces):
            assert [next(pieces), next(pieces)] == [b"one", b""]
            told.set()
            assert b"".join(pieces) == b"two"


def test_plain_http_behind_an_https_address_is_a_tls_failure():
    with serve(reply()) as server, pytest.raises(TransientError) as caught:
        Fetcher(allow_networks=server.allowed).get(f"https://127.0.0.1:{server.port}/", timeout=timedelta(seconds=0.5))
    assert caught.value.reason in (Reason.TLS, Reason.TIMEOUT, Reason.UNREACHABLE)
