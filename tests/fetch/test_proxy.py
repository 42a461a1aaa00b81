"""The operator's proxy: told checked addresses only, left aside for the own network, worded when it refuses."""

import base64
import socket
import threading

import pytest

from schemas.errors import FramewatchError, PermanentError, Reason
from services.fetch import Fetcher
from services.fetch.proxy import read_proxy
from tests.fetch.servers import reply, serve
from tests.waiting import ended

PUBLIC = "93.184.216.34"


def tunnel_to(port, answer=b"HTTP/1.1 200 Connection established\r\n\r\n"):
    """A proxy that connects whatever it is asked for to a server of this machine."""

    def handle(request, stream):
        stream.sendall(answer)
        if not answer.startswith(b"HTTP/1.1 200"):
            return
        with socket.create_connection(("127.0.0.1", port), timeout=10) as there:
            forward = threading.Thread(target=pump, args=(stream, there), daemon=True)
            forward.start()
            pump(there, stream)
            ended(forward)

    return handle


def pump(source, target):
    try:
        while piece := source.recv(65536):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return


def fetcher(proxy, login="", resolve=lambda host, port: [PUBLIC], allowed=""):
    place = f"http://{login}127.0.0.1:{proxy.port}"
    return Fetcher(proxy=place, resolve=resolve, allow_networks=allowed)


def test_what_is_public_goes_through_the_proxy_by_its_checked_address():
    with serve(reply(body=b"news")) as site, serve(tunnel_to(site.port)) as proxy:
        answer = fetcher(proxy, "jane:s%40crt@").get("http://feed.example.org/x")
    assert answer.body == b"news"
    assert proxy.requests[0].startswith(f"CONNECT {PUBLIC}:80 HTTP/1.1\r\n")
    assert base64.b64encode(b"jane:s@crt").decode() in proxy.requests[0]
    assert "feed.example.org" not in proxy.requests[0], "the proxy resolves nothing"
    assert "Host: feed.example.org" in site.requests[0]
    assert "s%40crt" not in site.requests[0]


def test_what_the_operator_allows_inside_is_reached_directly():
    with serve(reply(body=b"inside")) as site, serve(tunnel_to(site.port)) as proxy:
        inside = fetcher(proxy, resolve=lambda host, port: ["127.0.0.1"], allowed=site.allowed)
        assert inside.get(f"http://intranet.example.org:{site.port}/").body == b"inside"
    assert proxy.connections == 0


def test_a_private_address_is_refused_before_the_proxy_hears_of_it():
    with serve(tunnel_to(1)) as proxy, pytest.raises(PermanentError) as caught:
        fetcher(proxy, resolve=lambda host, port: ["10.0.0.1"]).get("http://feed.example.org/")
    assert caught.value.reason is Reason.BLOCKED_ADDRESS
    assert proxy.connections == 0


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"HTTP/1.1 403 Forbidden\r\n\r\n", Reason.UNREACHABLE),
        (b"HTTP/1.1 407 Who are you\r\n\r\n", Reason.BAD_CONFIG),
        (b"nonsense\r\n\r\n", Reason.UNREACHABLE),
        (b"HTTP/1.1 2", Reason.UNREACHABLE),
        (b"x" * 20_000, Reason.UNREACHABLE),
    ],
)
def test_a_proxy_that_refuses_is_told_as_such(answer, reason):
    with serve(tunnel_to(1, answer)) as proxy, pytest.raises(FramewatchError) as caught:
        fetcher(proxy, "jane:secret@").get("http://feed.example.org/")
    assert caught.value.reason is reason
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("text", ["proxy", "https://p:1", "http://p", "http://p:x", "socks5://p:1080", "http://:80"])
def test_what_is_no_proxy_is_refused_when_read(text):
    with pytest.raises(PermanentError, match="FRAMEWATCH_PROXY") as caught:
        read_proxy(text)
    assert caught.value.reason is Reason.BAD_CONFIG
