"""Answers without an end: pieces as they come, quiet told as such, no slot held, the same guard as everywhere."""

import threading
from datetime import datetime, timedelta

import pytest

from schemas.errors import PermanentError, Reason, TransientError
from services.fetch import Fetcher
from services.fetch.answers import parse_reset
from tests.fetch.servers import reply, serve
from tests.waiting import came

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
PULSE = timedelta(seconds=0.05)
NOON = datetime.fromisoformat("2026-11-22T12:00:00+00:00")


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


def test_pieces_come_as_they_are_sent_and_quiet_is_an_empty_piece():
    told = threading.Event()

    def talk(request, stream):
        stream.sendall(HEAD + chunk(b"one") + chunk(b"two"))
        came(told)
        stream.sendall(chunk(b"three") + chunk(b""))

    with serve(talk) as server, Fetcher(allow_networks=server.allowed).listen(server.url, pulse=PULSE) as heard:
        response, pieces = heard
        assert response.headers["content-type"] == "text/event-stream"
        assert [next(pieces), next(pieces), next(pieces), next(pieces)] == [b"one", b"two", b"", b""]
        told.set()
        assert [p for p in pieces if p] == [b"three"]


def test_a_read_that_runs_out_inside_a_chunk_loses_no_byte():
    told = threading.Event()

    def talk(request, stream):
        stream.sendall(HEAD + b"8\r\nhalf")
        came(told)
        stream.sendall(b"half\r\n0\r\n\r\n")

    with serve(talk) as server, Fetcher(allow_networks=server.allowed).listen(server.url, pulse=PULSE) as (_, pieces):
        first = [next(pieces), next(pieces)]
        told.set()
        assert b"".join([*first, *pieces]) == b"halfhalf"


def hear(server, **options):
    with Fetcher(allow_networks=server.allowed).listen(server.url, **options) as (_, pieces):
        return list(pieces)


def test_a_server_that_shows_no_sign_of_life_is_given_up():
    end = threading.Event()
    with serve(lambda r, s: (s.sendall(HEAD), came(end))) as server:
        with pytest.raises(TransientError) as caught:
            hear(server, pulse=PULSE, silence=PULSE)
        end.set()
    assert caught.value.reason is Reason.TIMEOUT


def test_an_answer_that_breaks_off_is_told():
    with serve(HEAD + b"5\r\nab") as server, pytest.raises(TransientError) as caught:
        hear(server)
    assert caught.value.reason is Reason.TRUNCATED


def test_listening_keeps_no_other_request_to_its_host_out():
    end = threading.Event()

    def talk(request, stream):
        if "/listen" in request:
            stream.sendall(HEAD)
            came(end)
        else:
            stream.sendall(reply(body=b"here"))

    with serve(talk) as server:
        fetcher = Fetcher(allow_networks=server.allowed, per_host=1)
        with fetcher.listen(server.url + "/listen"), fetcher.listen(server.url + "/listen"):
            assert fetcher.get(server.url + "/page").body == b"here"
            end.set()


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (reply(401), Reason.NO_ACCESS),
        (reply(302, location="http://127.0.0.1:1/"), Reason.REDIRECTED),
        (reply(503, retry_after="60"), Reason.SERVER_ERROR),
        (b"garbage\r\n\r\n", Reason.UNREACHABLE),
        (b"", Reason.UNREACHABLE),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000 + b"\r\n\r\n", Reason.UNREACHABLE),
    ],
)
def test_what_is_no_lasting_answer_is_told_with_its_reason(answer, reason):
    with serve(answer) as server, pytest.raises(TransientError) as caught:
        hear(server)
    assert caught.value.reason is reason


def test_listening_goes_through_the_same_guard():
    with serve(reply()) as server, pytest.raises(PermanentError) as caught, Fetcher().listen(server.url):
        pass
    assert caught.value.reason is Reason.BLOCKED_ADDRESS
    assert server.connections == 0


@pytest.mark.parametrize(
    ("stated", "seconds"),
    [
        ("2026-11-22T12:05:00.916474Z", 300.916474),
        ("1795349100", 300),
        ("120", 120),
        ("119.5", 119),
        ("2026-11-22T11:00:00Z", None),
        ("soon", None),
        ("", None),
        ("99999999999999999999999", None),
    ],
)
def test_when_a_rate_limit_starts_anew(stated, seconds):
    wait = parse_reset({"x-ratelimit-reset": stated}, NOON)
    assert (wait.total_seconds() if wait else None) == seconds


def test_a_429_says_when_to_come_back():
    answer = reply(429, date="Sun, 22 Nov 2026 12:00:00 GMT", x_ratelimit_reset="2026-11-22T12:05:00Z")
    with serve(answer) as server, pytest.raises(TransientError) as caught:
        Fetcher(allow_networks=server.allowed).get(server.url)
    assert (caught.value.reason, caught.value.retry_after) == (Reason.RATE_LIMITED, timedelta(minutes=5))
