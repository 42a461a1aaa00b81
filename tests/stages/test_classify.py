"""Classifying and folding: embedded once, settled once, every point what the scores say."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from schemas.errors import Reason, TransientError
from services.store import queue
from tests.stages.conftest import CODEBOOK, World, drift, page, post, with_lease
from workers.stages import classify as stage
from workers.stages.classify import classify
from workers.stages.collect import collect
from workers.stages.rescore import rescore
from workers.stages.rollup import rollup


def gather(world: World, *posts) -> None:
    world.due()
    world.source.pages = [page(*posts)]
    collect(world.rt)


@pytest.fixture
def ready(world: World) -> World:
    world.apply()
    world.add_feed()
    return world


def test_a_distinct_text_is_embedded_once(ready: World) -> None:
    gather(ready, post(1, "theatre"), post(2, "theatre"), post(3, "theatre https://example.org/x"), post(4, "other"))
    assert classify(ready.rt).rows == 4
    assert ready.encoder.texts == ["theatre", "other"]
    gather(ready, post(5, "theatre"))
    classify(ready.rt)
    assert len(ready.encoder.texts) == 2


def test_scores_name_model_and_version_and_trends_follow(ready: World) -> None:
    gather(ready, post(1), post(2), post(3, "washington"), post(4, "rain"))
    nudged: list[str] = []
    classify(replace(ready.rt, nudge=nudged.append))
    assert nudged == ["rollup"]
    rollup(ready.rt)
    points = {r["frame"]: (r["posts"], r["units"], r["authors"]) for r in ready.rows("select * from trend_points")}
    assert points == {"*": (4, 0, 0), "staged-theatrics": (2, 1, 2), "russia-blames-us": (1, 1, 1)}
    row = ready.rows(
        "select m.name, c.codebook, c.version from scores join models m using (model_id) join codebooks c using (version_id)"
    )[0]
    assert row == {"name": "words@1", "codebook": "test", "version": 1}
    assert drift(ready) == {}


def test_an_edit_moves_the_trend_by_minus_one_and_plus_one(ready: World) -> None:
    gather(ready, post(1, "theatre"))
    classify(ready.rt)
    rollup(ready.rt)
    gather(ready, post(1, "washington"))
    classify(ready.rt)
    rollup(ready.rt)
    points = {r["frame"]: r["posts"] for r in ready.rows("select frame, posts from trend_points")}
    assert points == {"*": 1, "russia-blames-us": 1}
    assert drift(ready) == {}


def test_a_delete_takes_the_post_out_of_the_trend(ready: World) -> None:
    gather(ready, post(1), post(2))
    classify(ready.rt)
    rollup(ready.rt)
    ready.due()
    ready.source.pages = [page(deleted=("1",))]
    collect(ready.rt)
    rollup(ready.rt)
    assert ready.one("select posts from trend_points where frame = 'staged-theatrics'") == 1
    assert drift(ready) == {}


def test_a_zombie_settles_nothing_twice(ready: World) -> None:
    gather(ready, post(1), post(2))
    ready = with_lease(ready, 0.0)
    with ready.store.transaction() as tx:
        stale = queue.claim_posts(tx, limit=10, lease=timedelta(0))
    assert len(stale) == 2
    while ready.one("select count(*) from queue"):
        with_lease(ready, 60.0)
        classify(with_lease(ready, 60.0).rt)
    with ready.store.transaction() as tx:
        assert queue.settle_posts(tx, stale) == set()
    assert ready.one("select count(*) from scores") == 2


def test_a_stale_fence_cannot_settle_a_row_that_is_leased_again(ready: World) -> None:
    gather(ready, post(1))
    with ready.store.transaction() as tx:
        stale = queue.claim_posts(tx, limit=10, lease=timedelta(0))
    with ready.store.transaction() as tx:
        fresh = queue.claim_posts(tx, limit=10, lease=timedelta(seconds=60))
    assert [p.post_id for p in fresh] == [p.post_id for p in stale]
    with ready.store.transaction() as tx:
        assert queue.settle_posts(tx, stale) == set()
        assert queue.settle_posts(tx, fresh) == {fresh[0].post_id}


def test_two_claims_at_once_share_no_row(ready: World) -> None:
    gather(ready, *(post(i, f"text {i}") for i in range(10)))
    lease = timedelta(seconds=60)
    with ready.store.transaction() as a, ready.store.transaction() as b:
        first = queue.claim_posts(a, limit=6, lease=lease)
        second = queue.claim_posts(b, limit=6, lease=lease)
    ids = [p.post_id for p in first + second]
    assert len(ids) == len(set(ids)) == 10


def test_a_poisonous_post_ends_up_alone_and_parked(ready: World, monkeypatch: pytest.MonkeyPatch) -> None:
    gather(ready, *(post(i, f"text {i}") for i in range(40)), post("bad", "poison"))
    ready = with_lease(ready, 0.0)

    class DiedError(FloatingPointError):
        pass

    def encode(texts):
        if "poison" in texts:
            raise DiedError
        return np.zeros((len(texts), 2), np.float32)

    ready.encoder.encode = encode  # type: ignore[method-assign]
    monkeypatch.setattr(stage, "POSTS", 64)
    for _ in range(200):
        try:
            if not classify(ready.rt).rows and not ready.one("select count(*) from queue where state = 'waiting'"):
                break
        except DiedError:
            pass
    # A lease of zero seconds fences off nothing here: nobody else claims in between.
    assert [
        r["native_id"]
        for r in ready.rows("select native_id from posts join queue using (post_id) where state = 'parked'")
    ] == ["bad"]
    assert ready.one("select count(*) from scores") == 40
    assert drift(ready) == {}


def test_a_model_that_is_away_costs_no_attempt(ready: World) -> None:
    gather(ready, post(1))
    ready.encoder.fail = TransientError(Reason.MODEL_UNAVAILABLE, "not now")
    with pytest.raises(TransientError):
        classify(ready.rt)
    assert ready.rows("select attempts, lease_until from queue") == [{"attempts": 0, "lease_until": None}]


def test_a_changed_codebook_scores_history_without_the_transformer(ready: World) -> None:
    gather(ready, *(post(i, f"theatre {i}") for i in range(5)))
    classify(ready.rt)
    rollup(ready.rt)
    asked = len(ready.encoder.texts)
    ready.apply(CODEBOOK.replace("A test", "A test, changed"))
    states = ready.rows("select version, state from codebooks order by version")
    assert states == [{"version": 1, "state": "current"}, {"version": 2, "state": "building"}]
    rescore(ready.rt)
    rollup(ready.rt)
    states = ready.rows("select version, state from codebooks order by version")
    assert states == [{"version": 1, "state": "retired"}, {"version": 2, "state": "current"}]
    assert len(ready.encoder.texts) == asked
    assert ready.one("select count(*) from scores where version_id = 1") == 5
    assert drift(ready) == {}


def test_a_codebook_applied_while_a_batch_is_at_work_misses_no_post(ready: World) -> None:
    gather(ready, post(1), post(2))
    encode = ready.encoder.encode

    def apply_meanwhile(texts):
        ready.encoder.encode = encode  # type: ignore[method-assign]
        ready.apply(CODEBOOK.replace("A test", "Another"))
        return encode(texts)

    ready.encoder.encode = apply_meanwhile  # type: ignore[method-assign]
    assert classify(ready.rt).rows == 0
    assert classify(ready.rt).rows == 2
    rollup(ready.rt)
    assert ready.one("select count(*) from scores") == 4
    assert drift(ready) == {}


def test_a_full_batch_asks_for_another(ready: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "POSTS", 3)
    monkeypatch.setattr(stage, "BATCHES", 1)
    gather(ready, *(post(i, f"theatre {i}") for i in range(5)))
    told = [classify(ready.rt) for _ in range(3)]
    assert [(t.rows, t.again) for t in told] == [(3, True), (2, False), (0, False)]


def test_what_another_worker_holds_is_not_claimed_before_its_lease_is_over(ready: World) -> None:
    gather(ready, post(1), post(2))
    with ready.store.transaction() as tx:
        held = queue.claim_posts(tx, limit=9, lease=timedelta(minutes=1))
    assert len(held) == 2
    assert classify(ready.rt).rows == 0
    ready.rows("update queue set lease_until = clock_timestamp() - interval '1 s' returning 1")
    assert classify(ready.rt).rows == 2
