"""What the Fetcher says and understands: conditions, redirects, statuses, posts, politeness."""

import logging
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from schemas.errors import PermanentError, Reason, TransientError
from services.fetch import Fetcher, shown
from services.fetch.answers import parse_retry_after
from tests.fetch.servers import reply, serve

NOW = datetime(2016, 12, 11, 12, tzinfo=UTC)
ETAG = 'W/"a\xe9b,c"'


def route(pages):
    """A handler that answers by path."""
    return lambda request, stream: stream.sendall(pages[request.split()[1]])


def test_validators_travel_byte_exact_both_ways():
    dated = "Sun, 11 Dec 2016 12:00:00  GMT"
    page = reply(body=b"x", etag=ETAG, last_modified=dated, date="Sun, 11 Dec 2016 12:00:00 GMT", x_two="1")
    with serve(lambda r, s: s.sendall(reply(304) if "If-None-Match" in r else page)) as server:
        fetcher = Fetcher(allow_networks=server.allowed)
        first = fetcher.get(server.url)
        assert (first.etag, first.last_modified, first.date, first.headers["x-two"]) == (ETAG, dated, NOW, "1")
        second = fetcher.get(server.url, etag=first.etag, last_modified=first.last_modified)
        assert (second.status, second.not_modified, second.body) == (304, True, b"")
        assert (second.etag, second.last_modified) == (ETAG, dated)
        assert f"If-None-Match: {ETAG}\r\n" in server.requests[1]
        assert f"If-Modified-Since: {dated}\r\n" in server.requests[1]


def test_a_304_that_nobody_asked_for_is_no_success():
    with serve(reply(304)) as server, pytest.raises(TransientError) as caught:
        Fetcher(allow_networks=server.allowed).get(server.url)
    assert caught.value.reason is Reason.REDIRECTED


def test_we_say_who_we_are():
    with serve(reply()) as server:
        Fetcher(allow_networks=server.allowed, contact="mailto:me@e.org\r\nX-Evil: 1").get(server.url)
    assert "User-Agent: framewatch/0.1.0 (+mailto:me@e.orgX-Evil:1)\r\n" in server.requests[0]


def test_redirects_are_followed_and_a_permanent_move_is_told():
    pages = {
        "/a": reply(301, location="/b"),
        "/b": reply(308, location="/c?x=1#part"),
        "/c?x=1": reply(302, location="d"),
        "/d": reply(301, location="/e"),
        "/e": reply(body=b"here"),
    }
    with serve(route(pages)) as server:
        response = Fetcher(allow_networks=server.allowed).get(server.url + "/a")
        assert (response.body, response.url) == (b"here", server.url + "/e")
        assert response.permanent_url.startswith(server.url + "/c?x=1")
        assert Fetcher(allow_networks=server.allowed).get(server.url + "/c?x=1").permanent_url == ""


def test_endless_redirects_end():
    with serve(reply(302, location="/again")) as server, pytest.raises(TransientError) as caught:
        Fetcher(allow_networks=server.allowed).get(server.url)
    assert caught.value.reason is Reason.TOO_MANY_REDIRECTS
    assert server.connections == 6


@pytest.mark.parametrize("location", ["ftp://e.org/x", "file:///etc/passwd", "http://[::1", "javascript:x"])
def test_a_redirect_out_of_the_web_is_refused(location):
    with serve(reply(302, location=location)) as server, pytest.raises(PermanentError) as caught:
        Fetcher(allow_networks=server.allowed).get(server.url)
    assert caught.value.reason is Reason.BAD_ADDRESS


@pytest.mark.parametrize(
    "url", ["", "e.org", "ftp://e.org", "file:///etc/passwd", "http://", "http://[", "http://e.org:x/"]
)
def test_what_is_no_web_address_is_refused(url):
    with pytest.raises(PermanentError) as caught:
        Fetcher().get(url)
    assert caught.value.reason is Reason.BAD_ADDRESS


def test_a_name_and_password_in_the_address_are_sent_as_a_login():
    with serve(reply(body=b"x")) as server:
        response = Fetcher(allow_networks=server.allowed).get(server.url.replace("//", "//name:w%40rd@"))
    assert "Authorization: Basic bmFtZTp3QHJk\r\n" in server.requests[0]
    assert "rd" not in response.url


def test_keys_stay_with_the_first_origin():
    with serve(reply(body=b"x")) as other, serve(reply(302, location=other.url)) as first:
        fetcher = Fetcher(allow_networks=f"{first.allowed},{other.allowed}")
        fetcher.get(first.url.replace("//", "//name:word@"), headers={"Authorization": "Bearer k", "Accept": "x/y"})
    assert "Authorization: Bearer k" in first.requests[0]
    assert "Accept: x/y" in first.requests[0]
    assert "authorization" not in other.requests[0].lower()


@pytest.mark.parametrize(
    ("status", "error", "reason"),
    [
        (401, TransientError, Reason.NO_ACCESS),
        (403, TransientError, Reason.NO_ACCESS),
        (404, TransientError, Reason.NOT_FOUND),
        (408, TransientError, Reason.TIMEOUT),
        (410, PermanentError, Reason.GONE),
        (418, TransientError, Reason.REFUSED),
        (429, TransientError, Reason.RATE_LIMITED),
        (500, TransientError, Reason.SERVER_ERROR),
        (503, TransientError, Reason.SERVER_ERROR),
        (300, TransientError, Reason.REDIRECTED),
        (302, TransientError, Reason.REDIRECTED),
    ],
)
def test_only_gone_is_final(status, error, reason):
    with serve(reply(status, b"sorry", retry_after="120")) as server:
        with pytest.raises(error) as caught:
            Fetcher(allow_networks=server.allowed).get(server.url + "/p?key=secret")
        assert caught.value.reason is reason
        assert "secret" not in str(caught.value)
        if error is TransientError:
            assert caught.value.retry_after == timedelta(minutes=2)


@pytest.mark.parametrize(
    ("value", "date", "wait"),
    [
        ("120", None, timedelta(minutes=2)),
        (" 0 ", None, None),
        ("316800", None, timedelta(hours=24)),
        ("9" * 18, None, timedelta(hours=24)),
        ("9" * 5000, None, None),
        ("-5", None, None),
        ("soon", NOW, None),
        ("", NOW, None),
        ("٣٠", NOW, None),
        ("Sun, 11 Dec 2016 12:10:00 GMT", NOW, timedelta(minutes=10)),
        ("Sun, 11 Dec 2016 12:10:00 GMT", NOW - timedelta(hours=1), timedelta(minutes=70)),
        ("Sun, 11 Dec 2016 11:10:00 GMT", NOW, None),
        ("Sun, 11 Dec 2096 11:10:00 GMT", NOW, timedelta(hours=24)),
        ("Sun, 11 Dec 2016 12:10:00 GMT", None, None),
    ],
)
def test_retry_after_is_honoured_within_reason(value, date, wait):
    assert parse_retry_after(value, date) == wait


def test_a_post_returns_every_status_and_follows_nothing():
    pages = {"/302": reply(302, location="/x"), "/500": reply(500, b"no"), "/204": reply(204, length=0)}
    with serve(route(pages)) as server:
        fetcher = Fetcher(allow_networks=server.allowed)
        answers = [fetcher.post(f"{server.url}/{n}", b'{"a":1}', {"webhook-id": "w1"}) for n in (302, 500, 204)]
    assert [a.status for a in answers] == [302, 500, 204]
    assert (answers[0].headers["location"], answers[1].body) == ("/x", b"no")
    assert server.requests[0].endswith('\r\n\r\n{"a":1}')
    assert "webhook-id: w1\r\n" in server.requests[0]
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    "answer",
    [reply(body=b"half", length=99), reply(body=b"x" * 300_000), reply(body=b"zz", content_encoding="gzip")],
)
def test_a_taken_post_is_taken_whatever_becomes_of_the_reply(answer):
    with serve(answer) as server:
        assert Fetcher(allow_networks=server.allowed).post(server.url, b"x", {}).status == 200


def test_a_post_without_answer_fails():
    with serve(b"") as server, pytest.raises(TransientError):
        Fetcher(allow_networks=server.allowed).post(server.url, b"x", {})


def test_a_header_cannot_smuggle_a_line():
    with serve(reply()) as server:
        Fetcher(allow_networks=server.allowed).get(server.url, etag='"a"\r\nX-Evil: 1\0', headers={"X-A": "ж\nb"})
        assert "\r\nX-Evil" not in server.requests[0]
        with pytest.raises(PermanentError) as caught:
            Fetcher(allow_networks=server.allowed).get(server.url, headers={"X\nEvil": "1"})
        assert caught.value.reason is Reason.BAD_CONFIG


def test_a_closed_port_is_unreachable():
    with serve(reply()) as server:
        pass
    with pytest.raises(TransientError) as caught:
        Fetcher(allow_networks=server.allowed).get(server.url)
    assert caught.value.reason is Reason.UNREACHABLE


def test_one_host_gets_two_requests_at_a_time():
    running, most = [], []

    def slow(request, stream):
        running.append(1)
        most.append(len(running))
        time.sleep(0.1)
        running.pop()
        stream.sendall(reply(body=b"x"))

    with serve(slow) as server:
        fetcher = Fetcher(allow_networks=server.allowed)
        threads = [threading.Thread(target=fetcher.get, args=(server.url,)) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(server.requests) == 6
    assert max(most) == 2


def test_waiting_for_a_busy_host_counts_as_time():
    with serve(lambda r, s: (time.sleep(0.5), s.sendall(reply()))) as server:
        fetcher = Fetcher(allow_networks=server.allowed, per_host=1)
        first = threading.Thread(target=fetcher.get, args=(server.url,))
        first.start()
        time.sleep(0.1)
        with pytest.raises(TransientError, match="Other requests"):
            fetcher.get(server.url, timeout=timedelta(seconds=0.1))
        first.join()
        fetcher.get(server.url)


def test_a_reader_may_stop_early():
    with serve(reply(body=b"line\n" * 100_000)) as server:
        fetcher = Fetcher(allow_networks=server.allowed, per_host=1)
        for _ in range(2):
            with fetcher.stream(server.url) as (response, pieces):
                assert response.status == 200
                assert next(iter(pieces)).startswith(b"line")


def test_addresses_with_keys_are_neither_logged_nor_shown(caplog):
    with caplog.at_level(logging.INFO), serve(reply()) as server:
        Fetcher(allow_networks=server.allowed).get(server.url + "/?key=secret")
    assert "secret" not in caplog.text
    assert shown("https://me:word@e.org/a?key=secret#x") == "https://e.org/a"
    assert shown("http://[bad") == "http://[bad"


def test_unjudged_an_answer_of_any_status_comes_back_with_headers_and_body():
    with serve(reply(429, b'{"why": "cap"}', x_rate_limit_reset="1480000000")) as server:
        answer = Fetcher(allow_networks=server.allowed).get(server.url, judged=False)
    assert (answer.status, answer.body) == (429, b'{"why": "cap"}')
    assert answer.headers["x-rate-limit-reset"] == "1480000000"
