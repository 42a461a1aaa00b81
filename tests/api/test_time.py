"""Time moves while people read: pages keep their period, and the step that is not over is not a gap."""

from datetime import timedelta

import pytest
from starlette.testclient import TestClient

from services.api import create_api
from services.store import feeds
from tests.api import seeded

HOUR = timedelta(hours=1)
START = seeded.NOW.replace(minute=0, second=0)


@pytest.fixture
def clock():
    """What the API takes for now; tests move it."""
    return [START + HOUR / 4]


@pytest.fixture
def client(store, clock):
    seeded.add_codebook(store)
    with store.transaction() as tx:
        feed_id, _ = feeds.add_feed(
            tx, source="rss", address="a", title="", now=START - timedelta(days=15), interval_s=60
        )
        feeds.add_heard(tx, feed_id, START - timedelta(days=15), clock[0])
    times = [START - timedelta(days=14) + i * HOUR for i in range(4)]
    seeded.add_posts(
        store, feed_id, [(seeded.post(f"p{i}", f"t{i}", at), []) for i, at in enumerate(times)], source="rss"
    )
    with TestClient(create_api(store, now=lambda: clock[0], intake=lambda: None)) as client:
        yield client


def test_pages_keep_their_period_while_the_present_moves(client, clock):
    page = client.get("/api/v1/posts", params={"limit": 2}).json()
    found = [p["native_id"] for p in page["posts"]]
    clock[0] += 5 * HOUR
    page = client.get("/api/v1/posts", params={"limit": 2, "cursor": page["next"]}).json()
    assert found + [p["native_id"] for p in page["posts"]] == ["p3", "p2", "p1"]
    assert client.get("/api/v1/posts").json()["posts"] == [], "a new period starts later"


def test_the_step_that_is_not_over_is_covered_as_far_as_it_is(client, clock):
    *_, last = client.get("/api/v1/trends", params={"frame": "*", "step": "1d"}).json()["points"]
    assert last["coverage"] == 1.0
    clock[0] += HOUR / 4
    *_, last = client.get("/api/v1/trends", params={"frame": "*", "step": "1h"}).json()["points"]
    assert last["coverage"] == pytest.approx(0.5)
    assert last["posts"] == 0
