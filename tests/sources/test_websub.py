"""WebSub: hubs are found, and what is said to them and by them is what W3C's text says."""

import hashlib
import hmac
import json
from datetime import timedelta
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.sources.rss import parse
from services.sources.rss.websub import LEASE, denied, hub_of, is_signed, request_body, verified
from tests.fetch.servers import reply, serve
from tests.sources.kits import feed_of, fetch, post
from tests.sources.kits.rss import encode

AT = "https://e.org/feed"
FOUND = {"hub": "https://hub.org/", "topic": "https://e.org/self"}
LINKS = '<atom:link rel="hub" href="https://hub.org/"/><atom:link rel="self" href="/self"/>'
ATOM = '<feed xmlns="http://www.w3.org/2005/Atom"><link rel="hub" href="https://hub.org/"/><link rel="self" href="/self"/></feed>'
JSON_FEED = {"version": "https://jsonfeed.org/version/1.1", "items": [], "feed_url": "/self"}


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ('<https://hub.org/>; rel="hub", <https://e.org/self>; rel="self"', FOUND),
        ("</self>;rel=self,<https://hub.org/>;rel=hub, <https://other.org/>; rel=hub", FOUND),
        ('<https://hub.org/>; title="a, b"; rel="hub alternate"', {"hub": "https://hub.org/", "topic": AT}),
        ("<javascript:x>; rel=hub", {}),
        ("</self>; rel=self", {}),
        ("", {}),
        ("<<>>;rel=;rel=hub,<" + "x" * 9000, {}),
    ],
)
def test_a_hub_is_found_in_link_headers(header, found):
    assert hub_of(header, AT) == found


@pytest.mark.parametrize(
    "body",
    [
        encode([post(1)], head=LINKS),
        encode([post(1)], head=LINKS.replace("atom:", "")),
        ATOM.encode(),
        json.dumps(
            JSON_FEED | {"hubs": [None, {"type": "rssCloud"}, {"type": "WebSub", "url": "https://hub.org/"}]}
        ).encode(),
    ],
)
def test_a_hub_is_found_in_the_feed(body):
    cursor = parse(body, address=AT).cursor
    assert {name: cursor[name] for name in FOUND} == FOUND


def test_a_header_goes_before_the_feed_and_is_kept_in_the_cursor():
    header = '<https://first.org/>; rel="hub", <https://e.org/t>; rel="self"'
    with serve(reply(body=encode([post(1)], head=LINKS), link=header)) as server:
        page = fetch(server, feed_of("rss", server.url + "/feed"))
    assert (page.cursor["hub"], page.cursor["topic"]) == ("https://first.org/", "https://e.org/t")
    assert "hub" not in parse(encode([post(1)]), address=AT).cursor


def test_a_request_says_what_the_hub_needs():
    body = request_body("subscribe", topic=AT + "?a=1&b=2", callback="https://me.org/x/y", secret="geheim")
    assert parse_qs(body.decode(), strict_parsing=True) == {
        "hub.mode": ["subscribe"], "hub.topic": [AT + "?a=1&b=2"], "hub.callback": ["https://me.org/x/y"],
        "hub.lease_seconds": [str(5 * 86400)], "hub.secret": ["geheim"],
    }  # fmt: skip
    assert b"secret" not in request_body("unsubscribe", topic=AT, callback="https://me.org/", secret="geheim")
    for wrong in ("", "x" * 200):
        with pytest.raises(ValueError):
            request_body("subscribe", topic=AT, callback="https://me.org/", secret=wrong)


def test_a_hubs_question_is_answered_only_when_we_asked_for_it():
    query = {"hub.mode": "subscribe", "hub.topic": AT, "hub.challenge": "c h&=", "hub.lease_seconds": "3600"}
    answer = verified(query, mode="subscribe", topic=AT)
    assert (answer.challenge, answer.lease) == ("c h&=", timedelta(hours=1))
    assert verified(query | {"hub.lease_seconds": "soon"}, mode="subscribe", topic=AT).lease == LEASE
    assert verified(query | {"hub.lease_seconds": "9" * 9}, mode="subscribe", topic=AT).lease == timedelta(days=30)
    assert verified(query | {"hub.mode": "unsubscribe"}, mode="unsubscribe", topic=AT).lease is None
    for wrong in (
        {"hub.mode": "unsubscribe"},
        {"hub.topic": AT + "/"},
        {"hub.challenge": ""},
        {"hub.challenge": "x" * 5000},
    ):
        assert verified(query | wrong, mode="subscribe", topic=AT) is None
    assert verified({}, mode="subscribe", topic=AT) is None
    assert denied({"hub.mode": "denied", "hub.topic": AT, "hub.reason": "x"}, topic=AT)
    assert not denied({"hub.mode": "denied", "hub.topic": "other"}, topic=AT)


@pytest.mark.parametrize("method", ["sha1", "sha256", "sha384", "sha512"])
def test_only_what_the_hub_signed_counts(method):
    body = b"<rss/>"
    digest = hmac.new(b"geheim", body, getattr(hashlib, method)).hexdigest()
    assert is_signed(body, f"{method}={digest}", "geheim")
    assert is_signed(body, f" {method.upper()}={digest.upper()} ", "geheim")
    for header in (f"{method}={digest[:-1]}", digest, f"md5={digest}", f"{method}=", "", f"sha1={digest}é"):
        assert not is_signed(body, header, "geheim")
    assert not is_signed(body + b" ", f"{method}={digest}", "geheim")
    assert not is_signed(body, f"{method}={hmac.new(b'', body, getattr(hashlib, method)).hexdigest()}", "")


@given(st.text(), st.binary(), st.text())
def test_anything_a_stranger_sends_is_refused(header, body, query):
    assert not is_signed(body, header, "geheim")
    assert verified({"hub.mode": query, "hub.topic": query}, mode="subscribe", topic=AT) is None
    assert hub_of(header, AT).get("hub", "http").startswith("http")
