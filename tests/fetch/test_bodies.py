"""Bodies on the wire: packed, broken, endless, slow."""

import gzip
import os
import subprocess
import sys
import time
import zlib
from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import Reason, TransientError
from services.fetch import Fetcher, Inflater
from services.fetch.bodies import unpack
from tests.fetch.servers import reply, serve

TEXT = b"".join(b"post number %d\n" % i for i in range(40_000))
RAW = zlib.compressobj(wbits=-15)
SOON = timedelta(seconds=0.4)


def fetch(answer, **options):
    with serve(answer) as server:
        return Fetcher(allow_networks=server.allowed).get(server.url, **options)


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("", TEXT),
        ("identity", TEXT),
        ("gzip", gzip.compress(TEXT)),
        ("X-GZip", gzip.compress(TEXT[:1000]) + gzip.compress(TEXT[1000:]) + b"\0" * 100),
        ("deflate", zlib.compress(TEXT)),
        ("deflate", RAW.compress(TEXT) + RAW.flush()),
    ],
)
def test_packed_answers_are_unpacked(encoding, packed):
    assert fetch(reply(body=packed, content_encoding=encoding)).body == TEXT


def test_a_chunked_answer_is_read():
    chunks = b"5\r\nhello\r\n6;x=y\r\n world\r\n0\r\n\r\n"
    assert fetch(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks).body == b"hello world"


@pytest.mark.parametrize(
    "answer",
    [
        reply(body=b"half", length=8),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello",
        reply(body=gzip.compress(TEXT)[:-20], content_encoding="gzip"),
        reply(body=b"not packed at all", content_encoding="gzip"),
        reply(body=b"\xff\xff\xff", content_encoding="deflate"),
        reply(body=gzip.compress(TEXT)[:60] + b"garbage" * 99, content_encoding="gzip"),
    ],
)
def test_a_broken_answer_is_truncated_never_half_taken(answer):
    with pytest.raises(TransientError) as caught:
        fetch(answer)
    assert caught.value.reason is Reason.TRUNCATED


@pytest.mark.parametrize("answer", [b"", b"\x16\x03\x01 garbage\r\n\r\n", b"HTTP/1.1 OK\r\n\r\n", b"x" * 200_000])
def test_what_is_not_http_is_unreachable(answer):
    with pytest.raises(TransientError) as caught:
        fetch(answer)
    assert caught.value.reason is Reason.UNREACHABLE


def test_an_encoding_nobody_asked_for_is_refused():
    with pytest.raises(TransientError) as caught:
        fetch(reply(body=b"x", content_encoding="br"))
    assert caught.value.reason is Reason.REFUSED


@pytest.mark.parametrize(
    "answer",
    [
        reply(body=b"x" * 200_001),
        reply(body=gzip.compress(os.urandom(1000) * 201), content_encoding="gzip"),
        b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 300_000,
    ],
)
def test_reading_stops_at_the_cap_packed_or_not(answer):
    with pytest.raises(TransientError, match="larger than") as caught:
        fetch(answer, max_bytes=200_000)
    assert caught.value.reason is Reason.TOO_LARGE


BOMB = """
import gzip, resource, sys, zlib
from services.fetch import Fetcher
from schemas.errors import TransientError
from tests.fetch.servers import serve

def bomb(request, stream):
    stream.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Encoding: gzip\\r\\n\\r\\n")
    packer = zlib.compressobj(9, wbits=31)
    block = bytes(1 << 20) if sys.argv[1] == "zeros" else (bytes(range(256)) * 4 + b"%d") * 1023
    for _ in range(1000):
        stream.sendall(packer.compress(block))
    stream.sendall(packer.flush())

with serve(bomb) as server:
    fetcher = Fetcher(allow_networks=server.allowed)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        fetcher.get(server.url)
    except TransientError as error:
        print(error.reason, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.parametrize("filling", ["zeros", "mixed"])
def test_a_gzip_bomb_of_a_gigabyte_costs_no_memory(filling):
    ran = subprocess.run([sys.executable, "-c", BOMB, filling], capture_output=True, text=True, check=True, timeout=60)
    reason, megabytes = ran.stdout.split()
    assert reason == Reason.TOO_LARGE
    assert int(megabytes) < 64


def drip(before, piece, after=b""):
    def handler(request, stream):
        stream.sendall(before)
        for _ in range(20):
            stream.sendall(piece)
            time.sleep(0.05)
        stream.sendall(after)

    return handler


@pytest.mark.parametrize(
    "handler",
    [
        drip(b"HTTP/1.1 200 OK\r\n\r\n", b"x"),
        drip(b"HTTP/1.1 200 OK\r\n", b"x-a: b\r\n"),
        drip(b"", b"H"),
        drip(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(TEXT)[:100], b""),
    ],
)
def test_a_server_that_drips_is_given_up_at_the_time_limit(handler):
    start = time.monotonic()
    with serve(handler) as server:
        with pytest.raises(TransientError) as caught:
            Fetcher(allow_networks=server.allowed).get(server.url, timeout=SOON)
        assert caught.value.reason is Reason.TIMEOUT
        assert time.monotonic() - start < 2


def test_silence_is_given_up_at_the_read_limit():
    with serve(lambda request, stream: time.sleep(1)) as server:
        start = time.monotonic()
        with pytest.raises(TransientError) as caught:
            Fetcher(allow_networks=server.allowed, read_timeout=timedelta(seconds=0.2)).get(server.url)
        assert caught.value.reason is Reason.TIMEOUT
        assert time.monotonic() - start < 0.9


@given(st.binary(max_size=3000), st.integers(1, 500))
def test_unpacking_undoes_packing_however_it_is_cut(data, step):
    packed = gzip.compress(data)
    pieces = [packed[i : i + step] for i in range(0, len(packed), step)]
    assert b"".join(unpack(pieces, "gzip", 10_000)) == data


@given(st.binary(max_size=200))
def test_any_bytes_unpack_or_fail_as_expected(data):
    inflater = Inflater(raw=True)
    with suppress(TransientError):
        list(inflater.feed(data))
        list(inflater.finish())


def test_blow_up_is_stopped_below_the_cap_of_bytes():
    with pytest.raises(TransientError, match="times its size") as caught:
        fetch(reply(body=gzip.compress(bytes(5 << 20)), content_encoding="gzip"))
    assert caught.value.reason is Reason.TOO_LARGE
    assert len(fetch(reply(body=gzip.compress(bytes(1 << 20)), content_encoding="gzip")).body) == 1 << 20
