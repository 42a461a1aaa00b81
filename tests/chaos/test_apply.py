"""Workers are killed at ten random moments of an apply: nothing drifts at any of them, nothing is lost or doubled."""

import itertools
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from schemas.records import StoredPost
from services.store import applying, counts, feeds, posts, rescoring
from services.store.pool import Store
from tests.api import seeded
from tests.stages.rescore_worker import runtime
from tests.stages.test_preview import BOOK, WORDS
from tests.waiting import wait
from workers.stages.classify import classify
from workers.stages.rollup import rollup

POSTS, KILLS = 3_000, 10
NOW = datetime(2016, 12, 12, tzinfo=UTC)
IDENTITIES = (
    "stored_identity",
    "keys_identity",
    "trend_identity",
    "scores_identity",
    "steps_identity",
    "rows_identity",
    "windows_identity",
    "words_identity",
)
numbers = itertools.count()


def more_posts(store: Store, count: int) -> None:
    """Posts that wait to be scored."""
    dice = random.Random(next(numbers))
    told: list[StoredPost] = []
    for _ in range(count):
        number = next(numbers)
        at = NOW - timedelta(minutes=number % 5_000)
        told.append(seeded.post(f"n{number}", " ".join(dice.choices(WORDS, k=4)), at, author=f"author {number % 50}"))
    with store.transaction() as tx:
        posts.insert_posts(tx, told, feed_id=1, source="rss", received_at=NOW)


@pytest.fixture
def stored(store: Store) -> Store:
    """Three thousand posts under version 1."""
    rt = runtime(store, now=lambda: NOW)
    with store.transaction() as tx:
        posts.ensure_post_partitions(tx, NOW.date(), NOW.date())
        applying.apply(tx, BOOK, NOW)
        feeds.add_feed(tx, source="rss", address="a", title="", now=NOW, interval_s=60)
    for _ in range(POSTS // 500):
        more_posts(store, 500)
    while classify(rt).rows:
        pass
    while rollup(rt).rows:
        pass
    return store


def drifts(store: Store) -> dict[str, object]:
    """What does not add up, in one snapshot of a house at work."""
    with store.transaction() as tx:
        counts.one_snapshot(tx)
        found = {name: getattr(counts, name)(tx) for name in IDENTITIES}
    stored, keys, trend, scores, steps, side_by_side, windows, words = (found[name] for name in IDENTITIES)
    told = {
        "stored": stored["stored"] - stored["scored"] - stored["pending"] - stored["parked"],
        "keys": keys["posts"] - keys["both"], "strays": keys["strays"],
        "trend": trend["told"] - trend["fact"], "points": trend["drifted"], "steps": steps["drifted"], "rows": side_by_side["drifted"],
        "windows": windows["drifted"], "words": words["drifted"],
        "scores": scores["scores_without_post"] + scores["carried_without_score"],
    }  # fmt: skip
    return {name: drift for name, drift in told.items() if drift}


@pytest.fixture
def workers(database_url: str) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Two workers at any time: who takes one out puts another in."""
    started: list[subprocess.Popen[bytes]] = []

    class Crew(list):
        def start(self) -> None:
            started.append(subprocess.Popen([sys.executable, "-m", "tests.stages.rescore_worker", database_url]))
            self.append(started[-1])

    crew = Crew()
    yield crew
    for process in started:
        process.kill()
        process.wait()


@pytest.mark.chaos
@pytest.mark.timeout(150)
def test_an_apply_killed_at_ten_moments_loses_and_doubles_nothing(stored: Store, workers, monkeypatch) -> None:
    monkeypatch.setattr(rescoring.plan_ranges, "__defaults__", (8,))
    dice = random.Random(7)
    for _ in range(3):
        workers.start()
    wait(lambda: stored_connections(stored) >= 3, 60)
    versions, killed, midway = 1, 0, 0
    while killed < KILLS:
        with stored.transaction() as tx:
            building = applying.progress(tx)
            if not building:
                versions += 1
                applying.apply(tx, BOOK.replace("A small one", f"Number {versions}"), NOW, by="tests")
                continue
        time.sleep(dice.uniform(0.2, 1.5))
        victim = workers.pop(0)
        assert victim.poll() is None, "a worker died by itself"
        victim.kill()
        victim.wait()
        killed += 1
        workers.start()
        more_posts(stored, 10)
        with stored.transaction() as tx:
            midway += any(0 < p["share"] < 1 for p in applying.progress(tx))
        assert drifts(stored) == {}
    assert midway >= 3, "most kills fell into an apply"
    wait(lambda: at_rest(stored), 60)
    assert drifts(stored) == {}
    with stored.transaction() as tx:
        scored = "select version_id, count(*) as n from scores join codebooks using (version_id) where state = 'current' group by 1"
        assert [r["n"] for r in tx.execute(scored).fetchall()] == [POSTS + 10 * KILLS]
        same = """
            select count(*) as n from scores a join scores b using (post_id)
            where a.version_id = 1 and b.version_id = (select version_id from codebooks where state = 'current')
              and a.probabilities = b.probabilities and a.bucket = b.bucket"""
        assert tx.execute(same).fetchone()["n"] >= POSTS
        ends = tx.execute("select state, count(*) as n from codebook_changes group by 1").fetchall()
    assert {r["state"] for r in ends} == {"done"}


def stored_connections(store: Store) -> int:
    with store.transaction() as tx:
        doomed = "select count(distinct client_port) as n from pg_stat_activity where application_name = 'doomed' and datname = current_database()"
        return int(tx.execute(doomed).fetchone()["n"])


def at_rest(store: Store) -> bool:
    with store.transaction() as tx:
        left = "select (select count(*) from queue) + (select count(*) from trend_deltas) as n"
        return not applying.progress(tx) and not tx.execute(left).fetchone()["n"]
