"""Manners towards hosts: pace, distance, moves, and what people took back."""

from dataclasses import replace
from datetime import timedelta

import pytest

from schemas.errors import Reason, TransientError
from services.store import erasures, feeds, posts
from tests.stages.conftest import World, drift, page, post
from workers.runtime import Gone
from workers.stages.collect import collect
from workers.stages.recheck import recheck
from workers.stages.upkeep import upkeep


def claimed(world: World, **more: object) -> list[str]:
    with world.store.transaction() as tx:
        values = {"limit": 8, "lease": timedelta(minutes=1)} | more
        return sorted(f.address for f in feeds.claim_feeds(tx, **values))


def test_a_host_is_asked_for_one_feed_at_a_time_and_left_alone_between(world: World) -> None:
    for name in ("a", "b", "c"):
        world.add_feed(f"https://one.example.org/{name}")
    world.add_feed("https://two.example.org/a")
    world.due()
    gap = timedelta(hours=1)
    assert [a.split("/")[2] for a in claimed(world, gap=gap)] == ["one.example.org", "two.example.org"]
    assert claimed(world, gap=gap) == [], "the gap is not over"


def test_a_host_has_no_more_feeds_under_way_than_allowed_whoever_claims(world: World) -> None:
    for name in ("a", "b", "c"):
        world.add_feed(f"https://one.example.org/{name}")
    world.due()
    assert [len(claimed(world, per_host=2)) for _ in range(3)] == [1, 1, 0]


def test_a_replay_waits_for_no_host(world: World) -> None:
    world.add_feed("https://one.example.org/a", clock="feed")
    world.add_feed("https://one.example.org/b", clock="feed")
    world.due()
    assert [len(claimed(world, gap=timedelta(hours=1))) for _ in range(2)] == [1, 1]


def test_a_host_that_asks_for_distance_gets_it_from_every_feed(world: World) -> None:
    world.add_feed("https://one.example.org/a")
    world.due()
    world.source.pages = [TransientError(Reason.RATE_LIMITED, "slow down", timedelta(hours=3))]
    collect(world.rt)
    world.add_feed("https://one.example.org/b")
    world.due()
    assert claimed(world) == []


def test_a_window_of_new_posts_is_asked_for_more_often_and_is_told(world: World) -> None:
    world.add_feed()
    for numbers in (range(10), range(20, 30)):
        world.due()
        world.source.pages = [page(*(post(n) for n in numbers), window=True)]
        collect(world.rt)
    row = world.rows("select pace, warning, next_fetch_at from feeds")[0]
    assert row["pace"] < 1
    assert "may be missing" in row["warning"]
    assert row["next_fetch_at"] < world.clock() + timedelta(seconds=60)


def test_a_window_of_known_posts_is_asked_for_less_often(world: World) -> None:
    world.add_feed()
    world.rows("update feeds set pace = 0.5, warning = 'old' returning 1")
    for _ in range(2):
        world.due()
        world.source.pages = [page(*(post(n) for n in range(10)), window=True)]
        collect(world.rt)
    row = world.rows("select pace, warning from feeds")[0]
    assert row["pace"] == pytest.approx(0.5 * 1.25)
    assert row["warning"] is None


def test_all_of_a_first_page_is_new_and_nothing_was_missed(world: World) -> None:
    world.add_feed()
    world.due()
    world.source.pages = [page(*(post(n) for n in range(10)), window=True)]
    collect(world.rt)
    assert world.rows("select pace, warning from feeds") == [{"pace": 1.0, "warning": None}]


def moved(world: World, days: float, to: str = "https://new.example.org/feed") -> str:
    world.clock.forward(days=days)
    world.due()
    world.source.pages = [page(post(1), moved_to=to)]
    collect(world.rt)
    return world.one("select address from feeds order by feed_id limit 1")


def test_a_feed_follows_a_move_that_is_told_again_and_again(world: World) -> None:
    world.add_feed("https://old.example.org/feed")
    assert [moved(world, d) for d in (0, 0.5)] == ["https://old.example.org/feed"] * 2
    assert moved(world, 0.6) == "https://new.example.org/feed"
    assert world.one("select host from feeds") == "new.example.org"
    assert world.one("select moved_times from feeds") == 0


def test_a_feed_does_not_follow_two_different_moves(world: World) -> None:
    world.add_feed("https://old.example.org/feed")
    for n in range(6):
        assert moved(world, 0.5, f"https://new{n % 2}.example.org/feed") == "https://old.example.org/feed"


def test_a_feed_does_not_become_a_second_copy_of_another(world: World) -> None:
    world.add_feed("https://old.example.org/feed")
    world.add_feed("https://new.example.org/feed", interval_s=10**6)
    for days in (0, 0.6, 0.6, 0.6):
        assert moved(world, days) == "https://old.example.org/feed"


def test_a_ledger_allows_what_is_left_and_takes_back_what_was_not_used(world: World) -> None:
    def spend(units: int) -> bool:
        with world.store.transaction() as tx:
            return feeds.spend(tx, "x:2026-11", units, 100)

    assert [spend(60), spend(60), spend(40), spend(1)] == [True, False, True, False]
    assert spend(-50)
    assert [spend(51), spend(50)] == [False, True]
    with world.store.transaction() as tx:
        assert not feeds.spend(tx, "y:2026-11", 101, 100)
        assert feeds.spend(tx, "y:2026-12", -5, 100), "giving back needs no account"


def collected(world: World, *found: object) -> None:
    world.due()
    world.source.pages = [page(*found)]
    collect(world.rt)


def test_an_author_who_is_denied_is_erased_and_stays_out(world: World) -> None:
    world.add_feed()
    collected(world, post(1, author="Jane"), post(2, author="Jane"), post(3))
    jane = world.rt.intake.author("rss", "Jane")
    with world.store.transaction() as tx:
        posts.deny_author(tx, "rss", jane, world.clock())
        assert posts.delete_author(tx, "rss", jane, world.clock()) == 2
    collected(world, post(4, author="Jane"), post(5))
    assert [r["native_id"] for r in world.rows("select native_id from posts order by 1")] == ["3", "5"]
    assert world.one("select posts from intake where outcome = 'dropped:denied_author'") == 1
    assert drift(world) == {}


def test_an_edit_keeps_what_was_said_before_until_it_is_erased(world: World) -> None:
    world.add_feed()
    collected(world, post(1, "theatre"))
    collected(world, post(1, "washington"))
    assert world.rows("select version, text from post_versions") == [{"version": 1, "text": "theatre"}]
    with world.store.transaction() as tx:
        posts.delete_posts(tx, "rss", ["1"], world.clock())
    assert world.one("select count(*) from post_versions") == 0


def test_the_vector_of_an_erased_text_goes_unless_another_post_says_the_same(world: World) -> None:
    world.add_feed()
    collected(world, post(1, "only mine"), post(2, "said by two"), post(3, "said by two"))
    hashes = {r["native_id"]: r["text_hash"] for r in world.rows("select native_id, text_hash from posts")}
    with world.store.transaction() as tx:
        tx.execute("insert into models (name) values ('m')")
        for text_hash in set(hashes.values()):
            tx.execute("insert into embeddings select model_id, %s, '' from models", (text_hash,))
        posts.delete_posts(tx, "rss", ["1", "2"], world.clock())
    upkeep(world.rt)
    assert [r["text_hash"] for r in world.rows("select text_hash from embeddings")] == [hashes["3"]]
    assert world.one("select count(*) from erasures") == 0


def test_an_erased_post_leaves_evidence_messages_and_digests(world: World) -> None:
    world.add_feed()
    collected(world, post(1, "what she took back"), post(2, "what he said"))
    ids = [r["post_id"] for r in world.rows("select post_id from posts order by native_id")]
    told = {
        "typical": [{"post_id": i, "text": t} for i, t in zip(ids, ("what she took back", "what he said"), strict=True)]
    }
    with world.store.transaction() as tx:
        for place in range(3):
            write(tx, place, told)
        posts.delete_posts(tx, "rss", ["1"], world.clock())
        assert {r["place"] for r in erasures.told_of_posts(tx, ids[:1])} == {"alert", "delivery", "digest"}
    upkeep(world.rt)
    left = world.rows(
        "select evidence::text || (select data::text from deliveries) || (select body::text from digest_slots) as t from alerts"
    )
    assert "took back" not in left[0]["t"]
    assert left[0]["t"].count("what he said") == 3


def write(tx, place: int, told: dict) -> None:
    from psycopg.types.json import Jsonb

    body = Jsonb(told)
    if place == 0:
        tx.execute(
            "insert into alerts (alert_id, kind, rule, state, onset, last_bucket, raised_at, evidence)"
            " values ('a', 'burst', 'r', 'firing', now(), now(), now(), %s)", (body,)
        )  # fmt: skip
    elif place == 1:
        tx.execute(
            "insert into deliveries (message_id, state, kind, subject, data, created_at, next_attempt_at)"
            " values ('m', 'sent', 'alert', '', %s, now(), now())", (body,)
        )  # fmt: skip
    else:
        tx.execute("insert into digests values ('d', '', '', now())")
        tx.execute("insert into digest_slots values ('d', now(), %s, now())", (body,))


def test_posts_are_looked_for_again_a_day_after_they_came(world: World) -> None:
    asked: list[list[str]] = []

    def gone(known):
        asked.append([native_id for native_id, _ in known])
        return frozenset({"1"})

    rt = replace(world.rt, gone=lambda kind: Gone(gone))
    world.add_feed()
    collected(world, post(1), post(2))
    assert recheck(rt).rows == 0
    assert asked == []
    world.clock.forward(days=1)
    assert recheck(rt).rows == 1
    assert asked == [["1", "2"]]
    assert recheck(rt).rows == 0
    assert len(asked) == 1, "they were looked for already"
    world.clock.forward(days=6)
    recheck(rt)
    assert asked[1:] == [["2"]]
    assert drift(world) == {}


def test_where_asking_costs_only_posts_that_carry_a_frame_are_looked_for(world: World) -> None:
    world.add_feed()
    collected(world, post(1), post(2))
    world.clock.forward(days=1)
    asked: list[object] = []
    recheck(replace(world.rt, gone=lambda kind: Gone(lambda known: asked.append(known) or frozenset(), billed=True)))
    assert asked == []
