"""A changed codebook over stored posts: range by range, once each, whoever dies; readers switch when it is whole."""

from dataclasses import replace

import pytest

from schemas.errors import PermanentError, Reason
from services.store import applying, changes, codebooks, rescoring, rules
from tests.stages.conftest import CODEBOOK, World, drift, page, post, with_lease
from tests.stages.test_classify import gather
from workers.stages.classify import classify
from workers.stages.rescore import rescore
from workers.stages.rollup import rollup
from workers.stages.upkeep import forget_scores

ONE = "  - {id: staged-theatrics, title: Staged, description: A show., examples: [theatre]}\n"
CHANGED = CODEBOOK.replace("A test", "A test, changed")


@pytest.fixture
def ready(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """Sixty posts scored under version 1; ranges of ten."""
    monkeypatch.setattr(rescoring.plan_ranges, "__defaults__", (10,))
    world.apply()
    world.add_feed()
    gather(world, *(post(i, ("theatre", "washington", "rain")[i % 3] + f" {i // 2}") for i in range(60)))
    settle(world)
    return world


def settle(world: World) -> None:
    for _ in range(20):
        busy = [classify(world.rt).rows, rescore(world.rt).rows, rollup(world.rt).rows]
        if not any(busy):
            return
    raise AssertionError("it does not come to rest")


def states(world: World) -> dict[int, str]:
    return {r["version"]: r["state"] for r in world.rows("select version, state from codebooks")}


def back(world: World, **options) -> dict:
    with world.store.transaction() as tx:
        return applying.rollback(tx, now=world.clock(), by="Ann", **options)


def rows_of(world: World, version_id: int) -> list[dict]:
    with world.store.transaction() as tx:
        return [
            row
            for query in (
                "select post_id, bucket, source, lang, probabilities, uncertain from scores where version_id = %s order by 1",
                "select frame, published_at, post_id, bucket, author, unit_key, probability from carried where version_id = %s order by 1, 3",
                "select frame, bucket, source, lang, posts, units, authors from trend_points where version_id = %s order by 1, 2, 3, 4",
            )
            for row in tx.execute(query, [version_id]).fetchall()
        ]  # fmt: skip


def test_a_version_scored_from_what_is_stored_is_the_one_scored_live(ready: World) -> None:
    asked = len(ready.encoder.texts)
    ready.apply(CHANGED)
    assert drift(ready) == {}
    rescore(ready.rt)
    assert states(ready) == {1: "current", 2: "building"}
    assert drift(ready) == {}
    with ready.store.transaction() as tx:
        (far,) = applying.progress(tx)
    assert (far["done"], far["posts"]) == (50, 60)
    settle(ready)
    assert states(ready) == {1: "retired", 2: "current"}
    assert rows_of(ready, 1) == rows_of(ready, 2)
    assert len(ready.encoder.texts) == asked
    assert drift(ready) == {}


def test_readers_see_the_old_version_until_the_last_range_is_folded(ready: World) -> None:
    ready.apply(CHANGED)
    for left in (1, 0):
        rescore(ready.rt)
        assert ready.one("select count(*) from rescoring where state = 'waiting'") == left
        if left:
            rollup(ready.rt)
            assert states(ready) == {1: "current", 2: "building"}
            assert drift(ready) == {}
    assert states(ready)[1] == "current"
    rollup(ready.rt)
    assert states(ready)[2] == "current"
    assert ready.one("select count(*) from trend_deltas") == 0


def test_a_range_whose_worker_died_is_done_once_by_another(ready: World) -> None:
    ready.apply(CHANGED)
    with ready.store.transaction() as tx:
        stale = rescoring.claim_range(tx, with_lease(ready, 0.0).rt.lease)
    assert stale is not None
    settle(ready)
    with ready.store.transaction() as tx:
        assert rescoring.settle_range(tx, stale) is False
    assert rows_of(ready, 1) == rows_of(ready, 2)
    assert drift(ready) == {}


def test_a_stale_fence_writes_nothing(ready: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ready.apply(CHANGED)
    score = rescore.__globals__["_score"]

    def overtaken(rt, claimed):
        work = score(rt, claimed)
        with ready.store.transaction() as tx:
            tx.execute("update rescoring set fence = fence + 1 where first_id = %s", [claimed.first_id])
        return work

    monkeypatch.setitem(rescore.__globals__, "_score", overtaken)
    monkeypatch.setitem(rescore.__globals__, "RANGES", 1)
    assert rescore(ready.rt).fenced_off == 1
    assert ready.one("select count(*) from scores where version_id = 2") == 0
    assert drift(ready) == {}


def test_two_workers_never_share_a_range(ready: World) -> None:
    ready.apply(CHANGED)
    lease = with_lease(ready, 60.0).rt.lease
    with ready.store.transaction() as a, ready.store.transaction() as b:
        assert rescoring.claim_range(a, lease) != rescoring.claim_range(b, lease)


def test_posts_that_come_are_edited_or_go_meanwhile_count_once(ready: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ready.apply(CHANGED)
    score = rescore.__globals__["_score"]

    def meanwhile(rt, claimed):
        work = score(rt, claimed)
        if claimed.first_id == 1:
            gather(ready, post(1, "washington now"), post(100, "theatre too"))
            ready.due()
            ready.source.pages = [page(deleted=("2",))]
            rescore.__globals__["collect_again"](ready.rt)
            classify(ready.rt)
        return work

    from workers.stages.collect import collect

    monkeypatch.setitem(rescore.__globals__, "collect_again", collect)
    monkeypatch.setitem(rescore.__globals__, "_score", meanwhile)
    settle(ready)
    assert states(ready)[2] == "current"
    assert ready.one("select count(*) from scores where version_id = 2") == 60
    assert rows_of(ready, 1) == rows_of(ready, 2)
    assert drift(ready) == {}


def test_posts_without_a_vector_go_the_way_of_new_ones(ready: World) -> None:
    with ready.store.transaction() as tx:
        tx.execute("delete from embeddings where text_hash in (select text_hash from posts where post_id <= 3)")
    ready.apply(CHANGED)
    rescore(ready.rt)
    rollup(ready.rt)
    assert ready.one("select count(*) from queue") == 3
    assert drift(ready) == {}
    rescore(ready.rt)
    rollup(ready.rt)
    assert states(ready)[2] == "building"
    settle(ready)
    assert states(ready)[2] == "current"
    assert rows_of(ready, 1) == rows_of(ready, 2)


def test_wordings_that_were_never_stored_are_worked_out_and_kept(ready: World) -> None:
    before = ready.rows("select text_hash, wording from embeddings order by 1")
    with ready.store.transaction() as tx:
        tx.execute("update embeddings set wording = null")
    asked = len(ready.encoder.texts)
    ready.apply(CHANGED)
    settle(ready)
    assert ready.rows("select text_hash, wording from embeddings order by 1") == before
    assert len(ready.encoder.texts) == asked
    assert rows_of(ready, 1) == rows_of(ready, 2)


def test_a_range_that_kills_every_worker_is_taken_apart(ready: World) -> None:
    ready.apply(CHANGED)
    with ready.store.transaction() as tx:
        tx.execute("update rescoring set attempts = 9 where first_id = 1")
    rescore(ready.rt)
    assert ready.one("select count(*) from queue") == 10
    settle(ready)
    assert rows_of(ready, 1) == rows_of(ready, 2)
    assert drift(ready) == {}


def test_a_newer_codebook_overtakes_one_that_is_being_built(ready: World) -> None:
    ready.apply(CHANGED)
    rescore(ready.rt)
    ready.apply(CHANGED.replace("changed", "changed again"))
    assert states(ready) == {1: "current", 2: "retired", 3: "building"}
    settle(ready)
    assert states(ready) == {1: "retired", 2: "retired", 3: "current"}
    with ready.store.transaction() as tx:
        assert [(c["to_version"], c["state"]) for c in changes.list_changes(tx)] == [
            (3, "done"), (2, "overtaken"), (1, "done"),
        ]  # fmt: skip
    assert drift(ready) == {}


def test_a_rollback_restores_exactly_and_catches_up(ready: World) -> None:
    before = rows_of(ready, 1)
    ready.apply(f"codebook: test\ntitle: Less\nframes:\n{ONE}background: [washington]\n")
    settle(ready)
    assert back(ready)["state"] == "current"
    assert states(ready) == {1: "current", 2: "retired"}
    assert rows_of(ready, 1) == before
    ready.apply(CHANGED)
    settle(ready)
    gather(ready, post(1, "rain"), post(200, "theatre"))
    settle(ready)
    found = back(ready, to=1)
    assert (found["state"], found["posts"]) == ("building", 2)
    settle(ready)
    assert states(ready) == {1: "current", 2: "retired", 3: "retired"}
    assert rows_of(ready, 1) == rows_of(ready, 3)
    assert drift(ready) == {}


def test_a_rollback_while_one_is_built_gives_that_up(ready: World) -> None:
    ready.apply(CHANGED)
    rescore(ready.rt)
    assert back(ready) == {"codebook": "test", "version": 1, "state": "current", "posts": 0}
    assert states(ready) == {1: "current", 2: "retired"}
    settle(ready)
    assert drift(ready) == {}


def test_what_cannot_be_rolled_back_is_told(ready: World) -> None:
    for options, reason in (({}, Reason.NOT_FOUND), ({"to": 9}, Reason.NOT_FOUND), ({"to": 1}, Reason.BAD_INPUT)):
        with pytest.raises(PermanentError) as error:
            back(ready, **options)
        assert error.value.reason is reason


def test_the_audit_says_who_when_what_and_how_many_moved(ready: World) -> None:
    ready.apply(f"codebook: test\ntitle: Less\nframes:\n{ONE}background: [washington]\n")
    settle(ready)
    with ready.store.transaction() as tx:
        newest, first = changes.list_changes(tx)
    assert (newest["kind"], newest["from_version"], newest["to_version"], newest["state"]) == ("apply", 1, 2, "done")
    assert (first["from_version"], first["posts"]) == (None, 0)
    assert newest["posts"] == 60
    assert newest["ended_at"] is not None
    # The frame that is gone was carried by twenty posts.
    assert (newest["moved"], newest["gained"], newest["lost"]) == (20, 0, 20)
    back(ready)
    with ready.store.transaction() as tx:
        latest = changes.list_changes(tx)[0]
    assert (latest["kind"], latest["asked_by"], latest["gained"], latest["lost"]) == ("rollback", "Ann", 20, 0)


def test_scores_of_versions_long_replaced_are_forgotten_and_made_again(ready: World) -> None:
    before = rows_of(ready, 1)
    for n in range(3):
        ready.apply(CHANGED.replace("changed", f"changed {n}"))
        settle(ready)
    few = replace(ready.rt, keep_versions=1)
    while forget_scores(few):
        rollup(ready.rt)
    scored = {r["version_id"] for r in ready.rows("select distinct version_id from scores")}
    assert len(scored) == 2
    assert not ready.rows("select from trend_points where version_id not in (select version_id from scores)")
    assert drift(ready) == {}
    assert back(ready, to=1)["posts"] == 60
    settle(ready)
    assert rows_of(ready, 1) == before
    assert drift(ready) == {}


def test_the_same_text_adds_no_version(ready: World) -> None:
    with ready.store.transaction() as tx:
        assert applying.apply(tx, CODEBOOK, ready.clock())[1]["posts"] == 0
    ready.apply(CHANGED)
    ready.apply(CHANGED)
    assert len(states(ready)) == 2


def test_a_frame_brings_its_own_rule_along(ready: World) -> None:
    with_rule = CODEBOOK.replace("examples: [theatre]", "examples: [theatre], rule: {min_posts: 9}").replace(
        "examples: [washington]", "examples: [washington], rule: quick"
    )
    with pytest.raises(PermanentError, match="frame russia-blames-us: there is no rule quick; save it"):
        ready.apply(with_rule)
    with ready.store.transaction() as tx:
        rules.set_rule(tx, "quick", {"min_posts": 3, "min_authors": 2}, ready.clock())
    ready.apply(with_rule)
    settle(ready)
    with ready.store.transaction() as tx:
        own = rules.deciding(tx, "staged-theatrics", ready.rt.rule)
        named = rules.deciding(tx, "russia-blames-us", ready.rt.rule)
        assert codebooks.list_frames(tx)[1]["details"] == {"rule": "quick"}
    assert [(r.name, r.frame, r.min_posts) for r in own] == [("staged-theatrics", "staged-theatrics", 9)]
    assert [(r.name, r.frame, r.min_posts) for r in named] == [("quick", "russia-blames-us", 3)]
    back(ready)
    with ready.store.transaction() as tx:
        assert {r.name for r in rules.deciding(tx, "staged-theatrics", ready.rt.rule)} == {"burst", "quick"}
