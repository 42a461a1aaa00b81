"""More like this one: by the stored vectors, exactly, one a text, and only what was looked at."""

from datetime import timedelta

import numpy as np
import pytest
from starlette.testclient import TestClient

from services.api import create_api
from services.store import feeds, similar
from tests.api import judged, seeded

V1 = "/api/v1"


@pytest.fixture
def web(store):
    return TestClient(create_api(store, now=lambda: seeded.NOW, intake=lambda: None))


def vectors(store):
    with store.transaction() as tx:
        rows = tx.execute("select p.post_id, e.vector from posts p join embeddings e using (text_hash)").fetchall()
    return {r["post_id"]: np.frombuffer(r["vector"], "<f2").astype(float) for r in rows}


@pytest.mark.parametrize("block", [1, 5000])
def test_the_nearest_in_meaning_come_first_and_exactly(web, store, monkeypatch, block):
    monkeypatch.setattr(similar, "BLOCK", block)
    numbers = judged.seed(store)
    known = vectors(store)
    own = known.pop(numbers["show"])
    wanted = {n: own @ v / np.linalg.norm(own) / np.linalg.norm(v) for n, v in known.items()}
    told = web.get(f"{V1}/posts/{numbers['show']}/similar").json()
    assert [a["post"]["post_id"] for a in told["alike"]] == sorted(wanted, key=wanted.get, reverse=True)
    assert [a["likeness"] for a in told["alike"]] == pytest.approx(sorted(wanted.values(), reverse=True), abs=1e-4)
    assert (told["post"]["post_id"], told["looked_at"], told["complete"]) == (numbers["show"], 4, True)
    one = web.get(f"{V1}/posts/{numbers['show']}/similar", params={"limit": 1}).json()
    assert one["alike"] == told["alike"][:1]


def test_of_an_old_post_the_days_around_it_are_looked_at(store):
    numbers = judged.seed(store)
    later = seeded.NOW + timedelta(days=300)
    with store.transaction() as tx:
        feeds.add_feed(tx, source="rss", address="https://example.org/", title="", now=later, interval_s=900)
    old = TestClient(create_api(store, now=lambda: later, intake=lambda: None))
    told = old.get(f"{V1}/posts/{numbers['show']}/similar", params={"days": 4}).json()
    assert told["looked_at"] == 4
    assert told["since"] < told["post"]["published_at"] < told["until"] < told["present"]


def test_what_was_not_looked_at_is_said(web, store, monkeypatch):
    numbers = judged.seed(store)
    monkeypatch.setattr(similar, "CANDIDATES", 2)
    told = web.get(f"{V1}/posts/{numbers['show']}/similar").json()
    assert (told["looked_at"], told["complete"]) == (2, False)


def test_a_post_without_a_vector_says_so(web, store):
    numbers = judged.seed(store, classified=False)
    answer = web.get(f"{V1}/posts/{numbers['show']}/similar")
    assert (answer.status_code, "no vector" in answer.json()["detail"]) == (404, True)
    assert web.get(f"{V1}/posts/{2**60}/similar").status_code == 404
