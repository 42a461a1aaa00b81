"""Connections for protocols that are not HTTP: the same guard, the same words."""

import socket
from datetime import timedelta

import pytest

from schemas.errors import PermanentError, Reason, TransientError
from services.fetch import Fetcher
from tests.fetch.servers import reply, serve


def test_a_connection_carries_whatever_is_spoken():
    with (
        serve(reply(200, b"hello")) as server,
        Fetcher(allow_networks=server.allowed).connect("127.0.0.1", server.port) as stream,
    ):
        stream.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert stream.recv(12) == b"HTTP/1.1 200"


@pytest.mark.parametrize("host", ["127.0.0.1", "::ffff:127.0.0.1", "rebound.example"])
def test_an_address_inside_is_refused_before_a_byte_is_sent(host):
    with serve(reply()) as server, pytest.raises(PermanentError) as caught:
        Fetcher(resolve=lambda name, port: ["127.0.0.1"]).connect(host, server.port)
    assert caught.value.reason is Reason.BLOCKED_ADDRESS
    assert server.connections == 0


def test_a_closed_port_is_unreachable():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(TransientError) as caught:
        Fetcher(allow_networks="127.0.0.1").connect("127.0.0.1", port, timeout=timedelta(seconds=5))
    assert caught.value.reason is Reason.UNREACHABLE
