"""Posts sent over HTTP: stored once, accounted for, refused with the remedy."""

import json

import pytest
from starlette.testclient import TestClient

from services.serve import create_app
from services.settings import Settings
from services.store import feeds
from services.store.pool import Store
from tests.api import seeded
from tests.api.conftest import HERE

PATH = "/api/v1/posts?feed=desk"
LINES = "\n".join(json.dumps({"id": n, "text": f"Post {n}", "author": "Jane"}) for n in (1, 2))
AS_LINES = {"content-type": "application/x-ndjson"}


@pytest.fixture
def desk(database_url):
    store = Store(database_url, size=1)
    with store.transaction() as tx:
        feeds.add_feed(tx, source="push", address="desk", title="", now=seeded.NOW, interval_s=60, mode="push")
    with TestClient(create_app(Settings(database_url=database_url, author_key="k" * 16)), base_url=HERE) as client:
        yield client, store
    store.close()


def rows(store, query):
    with store.transaction() as tx:
        return tx.execute(query).fetchall()


def test_what_is_sent_is_stored_and_queued_once(desk):
    client, store = desk
    first = client.post(PATH, content=LINES, headers=AS_LINES)
    assert first.status_code == 200, first.text
    assert (first.json()["new"], first.json()["known"]) == (2, 0)
    again = client.post(PATH, json=[json.loads(line) for line in LINES.splitlines()])
    assert (again.json()["new"], again.json()["known"], again.json()["edited"]) == (0, 2, 0)
    found = rows(store, "select native_id, author, text from posts order by 1")
    assert [f["native_id"] for f in found] == ["desk/1", "desk/2"]
    assert "Jane" not in str(found)
    assert rows(store, "select count(*) as n from queue")[0]["n"] == 2


def test_what_cannot_become_a_post_is_told(desk):
    client, _ = desk
    told = client.post(PATH, content='{"id": 1}\nnonsense\n', headers=AS_LINES).json()
    assert (told["fetched"], told["dropped"]) == (2, {"no_text": 1, "bad_line": 1})


def test_what_is_taken_back_is_gone(desk):
    client, store = desk
    client.post(PATH, content=LINES, headers=AS_LINES)
    client.post(PATH, content='{"id": 1, "deleted": true}', headers=AS_LINES)
    client.post(PATH, content=LINES, headers=AS_LINES)
    assert [r["native_id"] for r in rows(store, "select native_id from posts")] == ["desk/2"]


@pytest.mark.parametrize(
    ("path", "content", "kind", "status", "words"),
    [
        ("/api/v1/posts?feed=nobody", LINES, "application/json", 404, "feeds add"),
        (PATH, LINES, "text/plain", 415, "Content-Type"),
        (PATH, LINES, "application/x-www-form-urlencoded", 415, "Content-Type"),
        (PATH, b'{"id":1,"text":"x"}\n' * 5001, "application/x-ndjson", 400, "fewer"),
        (PATH, b"x" * (9 << 20), "application/x-ndjson", 400, "MiB"),
        ("/api/v1/posts", LINES, "application/x-ndjson", 422, "wrong"),
    ],
)
def test_what_is_refused_is_refused_with_the_way_out(desk, path, content, kind, status, words):
    client, store = desk
    answer = client.post(path, content=content, headers={"content-type": kind})
    assert answer.status_code == status, answer.text
    assert words in answer.text
    assert rows(store, "select count(*) as n from posts")[0]["n"] == 0


def test_a_paused_feed_takes_nothing(desk):
    client, store = desk
    rows(store, "update feeds set state = 'paused' returning 1")
    assert client.post(PATH, content=LINES, headers=AS_LINES).status_code == 404
