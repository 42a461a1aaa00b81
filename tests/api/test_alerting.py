"""Alerts over HTTP: taking in hand, silencing, ending, dry runs and feeds for readers."""

import json
from datetime import datetime, timedelta

import feedparser
import psycopg
import pytest
from starlette.testclient import TestClient

from services.serve import create_app
from services.settings import Settings
from services.store.pool import Store
from tests.api.conftest import HERE
from tests.conftest import named

DRY = "/api/v1/alerts/dry-run"


@pytest.fixture(scope="module")
def desk(palmyra, postgres_url):
    """A copy of the seeded database that may be written to."""
    name = "palmyra_alerting"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = 'palmyra_2016'")
        connection.execute(f"drop database if exists {name}")
        connection.execute(f"create database {name} template palmyra_2016")
    url = named(palmyra, name)
    store = Store(url, size=2)
    with store.transaction() as tx:
        tx.execute("update alerts set state = 'firing', resolved_at = null where kind = 'burst'")
    with TestClient(create_app(Settings(database_url=url)), base_url=HERE) as client:
        yield client, store
    store.close()


def one(store, query):
    with store.transaction() as tx:
        return tx.execute(query).fetchall()


def test_a_dry_run_answers_what_was_raised(desk):
    client, store = desk
    told = client.get(DRY, params={"days": 30}).json()
    raised = {r["alert_id"] for r in one(store, "select alert_id from alerts where kind = 'burst'")}
    assert raised
    assert raised <= {f["alert_id"] for f in told["firings"]}
    assert all(f["counts"]["posts"] >= 5 and f["reason"] for f in told["firings"])
    strict = client.get(DRY, params={"days": 30, "min_posts": 12, "frame": "staged-theatrics"}).json()
    assert strict["frames"] == 1
    assert all(f["counts"]["posts"] >= 12 for f in strict["firings"])


@pytest.mark.parametrize(
    ("asked", "status", "words"),
    [
        ({"rule": "nobody"}, 404, "rules list"),
        ({"frame": "nothing"}, 400, "there is no frame nothing"),
        ({"days": 0}, 422, "wrong"),
        ({"min_posts": 3, "min_authors": 9}, 400, "cannot stand behind"),
        ({"fame": "x"}, 422, "wrong"),
    ],
)
def test_a_dry_run_of_an_impossible_rule_is_refused(desk, asked, status, words):
    answer = desk[0].get(DRY, params=asked)
    assert answer.status_code == status, answer.text
    assert words in answer.json()["detail"]


def test_an_alert_is_taken_in_hand_snoozed_and_ended(desk):
    client, store = desk
    alert = one(store, "select alert_id from alerts where kind = 'burst' limit 1")[0]["alert_id"]
    path = f"/api/v1/alerts/{alert}"
    assert client.post(f"{path}/ack", json={}).json()["acked_at"]
    until = (datetime.now().astimezone() + timedelta(hours=2)).isoformat()
    assert client.post(f"{path}/snooze", json={"until": until}).json()["snoozed_until"]
    assert client.post(f"{path}/snooze", json={"until": "2016-01-01T00:00:00Z"}).status_code == 400
    assert client.post(f"{path}/snooze", json={"until": "2016-01-01T00:00:00"}).status_code == 422
    assert client.post(f"{path}/resolve", json={}).json()["state"] == "resolved"
    again = client.post(f"{path}/resolve", json={})
    assert (again.status_code, "over already" in again.json()["detail"]) == (400, True)
    assert client.get(path).json()["state"] == "resolved"
    assert client.post("/api/v1/alerts/abc123/ack", json={}).status_code == 404


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
@pytest.mark.parametrize("what", ["ack", "snooze", "resolve"])
def test_what_another_site_could_send_unasked_changes_nothing(desk, kind, what):
    answer = desk[0].post(f"/api/v1/alerts/abc123/{what}", content=b"{}", headers={"content-type": kind})
    assert answer.status_code == 415


def test_alerts_are_an_atom_feed(desk):
    client, store = desk
    answer = client.get("/api/v1/alerts.atom")
    assert answer.headers["content-type"].startswith("application/atom+xml")
    parsed = feedparser.parse(answer.content)
    assert not parsed.bozo
    assert parsed.version == "atom10"
    ids = [
        r["alert_id"] for r in one(store, "select alert_id from alerts order by raised_at desc, alert_id desc limit 50")
    ]
    assert [e.id for e in parsed.entries] == [f"tag:framewatch,2026:alert:{i}" for i in ids]
    assert all(e.title and e.updated_parsed and e.summary for e in parsed.entries)


def test_alerts_are_a_json_feed(desk):
    answer = desk[0].get("/api/v1/alerts.json")
    assert answer.headers["content-type"].startswith("application/feed+json")
    told = json.loads(answer.content)
    assert told["version"] == "https://jsonfeed.org/version/1.1"
    assert all(i["id"].startswith("tag:framewatch,2026:alert:") and i["content_text"] for i in told["items"])
