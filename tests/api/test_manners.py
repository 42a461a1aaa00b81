"""How the API speaks HTTP: HEAD where GET is, Allow with all that an address takes, 415, and words that say the way out."""

import asyncio

import httpx
import pytest

from services.api import create_api
from services.api.heads import Heads
from tests.api import seeded
from tests.waiting import serving, wait

V1 = "/api/v1"


@pytest.mark.parametrize(
    ("path", "more"),
    [
        ("/healthz", {}), ("/readyz", {}), (f"{V1}/posts?limit=3", {}), (f"{V1}/alerts", {"Accept": "text/csv"}),
        (f"{V1}/frames", {"If-None-Match": "*"}), (f"{V1}/openapi.json", {}), (f"{V1}/posts/0", {}), (f"{V1}/docs", {}),
    ],
)  # fmt: skip
def test_head_tells_what_get_tells_without_the_body(client, path, more):
    got, head = client.get(path, headers=more), client.head(path, headers=more)
    assert (head.status_code, head.content) == (got.status_code, b"")
    for name in ("content-type", "etag", "cache-control"):
        assert head.headers.get(name) == got.headers.get(name), name


def test_head_of_a_stream_ends_at_once_and_nobody_is_left_listening(store):
    api = create_api(store, now=lambda: seeded.NOW, intake=lambda: None)
    with serving(lambda _: api) as address:
        for path, kind in (("events", "text/event-stream"), ("exports/posts", "application/x-ndjson")):
            told = httpx.head(f"{address}{V1}/{path}", timeout=10)
            assert (told.status_code, told.content) == (200, b"")
            assert told.headers["content-type"].startswith(kind)
        wait(lambda: api.state.listeners == 0, 10, 0.05)


def test_what_streams_on_is_stopped_after_its_head_whatever_the_server_does():
    sent = []

    async def endless(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(1000):
            await send({"type": "http.response.body", "body": b"more", "more_body": True})

    async def keep(message):
        sent.append(message)

    asyncio.run(Heads(endless)({"type": "http", "method": "HEAD"}, None, keep))
    assert [m["type"] for m in sent] == ["http.response.start", "http.response.body"]
    assert (sent[1]["body"], sent[1]["more_body"]) == (b"", False)


@pytest.mark.parametrize(
    ("path", "takes"),
    [("/posts", "GET, HEAD, POST"), ("/labels", "GET, HEAD, POST"), ("/labels/5", "DELETE"), ("/feeds/5", "DELETE, GET, HEAD"),
     ("/rules/x", "DELETE, PUT"), ("/frames", "GET, HEAD"), ("/alerts/7a/ack", "POST")],
)  # fmt: skip
@pytest.mark.parametrize("method", ["PATCH", "OPTIONS"])
def test_what_an_address_takes_is_told_whole(client, path, takes, method):
    answer = client.request(method, V1 + path)
    assert (answer.status_code, answer.headers["allow"]) == (405, takes)
    assert answer.json()["detail"] == f"what is here takes {takes}"


@pytest.mark.parametrize(
    ("method", "path"),
    [("PUT", "/rules/x"), ("POST", "/codebooks"), ("POST", "/codebooks/preview"), ("POST", "/mutes"), ("POST", "/feeds"),
     ("POST", "/labels"), ("POST", "/alerts/7a/ack")],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "application/yaml", "text/plain"])
def test_a_body_of_another_type_is_415_and_says_which(web, method, path, kind):
    answer = web.request(method, V1 + path, content=b'{"min_posts": 3}', headers={"Content-Type": kind})
    assert (answer.status_code, answer.json()["reason"]) == (415, "bad_input")
    assert "Content-Type must be application/json" in answer.json()["detail"]


@pytest.mark.parametrize(("body", "told"), [(b"{", "JSON"), (b"[]", "object"), (b"", "required"), (b'"x"', "object")])
def test_what_is_wrong_with_a_whole_body_is_said_of_the_body(web, body, told):
    answer = web.post(f"{V1}/labels", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    (fault,) = answer.json()["errors"]
    assert fault["parameter"] == "body"
    assert told in fault["told"]


def test_an_address_where_nothing_is_says_where_to_look(client):
    for path in ("/api", "/api/", V1, f"{V1}/post", "/api/v2/posts"):
        answer = client.get(path)
        assert answer.status_code == 404
        assert "/api/v1/docs" in answer.json()["detail"]
    assert client.get(f"{V1}/docs").status_code == 200
