"""Collecting: every post accounted for, counted once, cursor and posts together."""

from datetime import UTC, datetime, timedelta

import pytest

from schemas.errors import PermanentError, Reason, TransientError
from tests.stages.conftest import World, drift, page, post, with_lease
from workers.stages.collect import collect


def intake(world: World) -> dict[str, int]:
    return {r["outcome"]: r["posts"] for r in world.rows("select outcome, posts from intake")}


def test_posts_cursor_and_queue_are_written_together(world: World) -> None:
    world.add_feed()
    world.due()
    world.source.pages = [page(post(1), post(2), cursor={"etag": "x"})]
    outcome = collect(world.rt)
    assert outcome.rows == 2
    assert outcome.wake == ("classify",)
    assert world.one("select cursor ->> 'etag' from feeds") == "x"
    assert world.one("select count(*) from queue") == 2


def test_fetched_is_new_plus_duplicate_plus_dropped(world: World) -> None:
    world.add_feed()
    world.due()
    world.source.pages = [page(post(1), post(1, "again"), post(2), dropped={"no_identity": 3})]
    collect(world.rt)
    world.due()
    world.source.pages = [page(post(2), post(3))]
    collect(world.rt)
    counted = intake(world)
    assert counted["fetched"] == 8
    assert (counted["new"], counted["duplicate"], counted["dropped:no_identity"]) == (3, 2, 3)


def test_the_same_post_by_two_feeds_is_one_post(world: World) -> None:
    world.add_feed("https://a.example.org")
    world.add_feed("https://b.example.org")
    world.due()
    world.source.pages = [page(post(1)), page(post(1))]
    collect(world.rt)
    assert world.one("select count(*) from posts") == 1


def test_a_post_edited_across_midnight_is_one_row_in_its_first_partition(world: World) -> None:
    world.add_feed()
    world.due()
    world.source.pages = [page(post(1, "theatre"))]
    collect(world.rt)
    first = world.rows("select received_day, post_id from posts")
    world.clock.forward(days=1)
    world.due()
    world.source.pages = [page(post(1, "theatre, corrected"))]
    collect(world.rt)
    assert world.rows("select received_day, post_id from posts") == first
    assert world.one("select text from posts") == "theatre, corrected"
    assert world.one("select version from post_keys") == 2


def test_a_failed_fetch_keeps_the_cursor_and_waits_as_long_as_it_was_asked_to(world: World) -> None:
    world.add_feed()
    world.due()
    world.source.pages = [page(post(1), cursor={"n": 1})]
    collect(world.rt)
    world.due()
    world.source.pages = [TransientError(Reason.RATE_LIMITED, "slow down", timedelta(hours=3))]
    outcome = collect(world.rt)
    assert outcome.failures == 1
    row = world.rows("select cursor, next_fetch_at, last_reason, failures from feeds")[0]
    assert row["cursor"] == {"n": 1}
    assert row["next_fetch_at"] >= world.clock() + timedelta(hours=3)
    assert (row["last_reason"], row["failures"]) == ("rate_limited", 1)


def test_one_dead_feed_does_not_stop_the_others(world: World) -> None:
    for name in "abc":
        world.add_feed(f"https://{name}.example.org")
    world.due()
    world.source.pages = [page(post(1)), PermanentError(Reason.GONE, "gone"), page(post(2))]
    outcome = collect(world.rt)
    assert (outcome.rows, outcome.failures) == (2, 1)


def test_a_worker_past_its_lease_writes_nothing(world: World) -> None:
    world = with_lease(world, 0.0)
    world.add_feed()
    world.due()

    class Slow:
        def fetch(self, feed, now):
            world.rows("update feeds set fence = fence + 1 returning 1")
            return page(post(1), cursor={"n": 9})

    world.source.fetch = Slow().fetch  # type: ignore[method-assign]
    outcome = collect(world.rt)
    assert outcome.fenced_off == 1
    assert world.one("select count(*) from posts") == 0
    assert world.one("select cursor from feeds") == {}


def test_a_crash_between_fetch_and_settlement_loses_nothing(world: World) -> None:
    world = with_lease(world, 0.0)
    world.add_feed()
    world.due()
    world.source.pages = [KeyboardInterrupt()]
    with pytest.raises(KeyboardInterrupt):
        collect(world.rt)
    world.due()
    world.source.pages = [page(post(1))]
    assert collect(world.rt).rows == 1


def test_an_interrupted_page_leaves_a_gap_and_a_complete_one_closes_it(world: World) -> None:
    world.add_feed()
    world.due()
    world.source.pages = [page(post(1))]
    collect(world.rt)
    world.clock.forward(hours=6)
    world.due()
    late = world.clock() - timedelta(minutes=30)
    world.source.pages = [page(post(2, at=late), complete=False)]
    collect(world.rt)
    spans = world.rows("select starts_at, ends_at from heard_spans order by starts_at")
    assert len(spans) == 2
    assert spans[1]["starts_at"] == late


def test_a_walk_back_in_time_is_heard_once_it_has_met_what_was_known(world: World) -> None:
    world.add_feed()
    world.due()
    world.source.pages = [page(post(1))]
    collect(world.rt)
    heard = world.clock()
    world.clock.forward(hours=6)
    world.due()
    newest, older = world.clock() - timedelta(minutes=10), world.clock() - timedelta(hours=3)
    world.source.pages = [page(post(2, at=newest), more=True, heard_until=heard), page(post(3, at=older))]
    collect(world.rt)
    assert world.one("select max(ends_at) from heard_spans") == heard
    world.due()
    collect(world.rt)
    assert world.one("select max(ends_at) from heard_spans") == world.clock()
    assert len(world.rows("select 1 from heard_spans")) == 1
    rows = world.rows("select published_at, time_quality from posts order by post_id")[1:]
    assert [(r["published_at"], r["time_quality"]) for r in rows] == [(newest, "stated"), (older, "stated")]


def test_authors_are_pseudonyms_and_impossible_dates_are_marked(world: World) -> None:
    world.add_feed()
    world.due()
    future = world.clock() + timedelta(days=900)
    world.source.pages = [page(post(1, author="Jane Roe", at=future))]
    collect(world.rt)
    row = world.rows("select author, published_at, time_quality from posts")[0]
    assert "Jane" not in row["author"]
    assert len(row["author"]) == 24
    assert (row["published_at"], row["time_quality"]) == (world.clock(), "future")


def test_a_feed_with_a_clock_of_its_own_is_heard_as_far_as_it_has_come(world: World) -> None:
    world.add_feed(clock="feed")
    world.due()
    then = datetime(2016, 12, 3, tzinfo=UTC)
    world.source.pages = [page(post(1, at=then), as_of=then + timedelta(hours=5), ended=True)]
    collect(world.rt)
    assert world.one("select heard_until from feeds") == then + timedelta(hours=5)
    assert world.rows("select starts_at, ends_at from expected_spans") == [
        {"starts_at": then, "ends_at": then + timedelta(hours=5)}
    ]
    assert world.one("select state from feeds") == "ended"


def test_a_deleted_post_does_not_come_back(world: World) -> None:
    world.add_feed()
    world.due()
    world.source.pages = [page(post(1), post(2))]
    collect(world.rt)
    world.due()
    world.source.pages = [page(deleted=("1", "never seen"))]
    collect(world.rt)
    world.due()
    world.source.pages = [page(post(1), post("never seen"))]
    collect(world.rt)
    assert [r["native_id"] for r in world.rows("select native_id from posts")] == ["2"]
    assert drift(world) == {}


def test_what_had_to_be_cleaned_is_counted_and_a_gap_is_told(world: World) -> None:
    world.add_feed()
    world.due()
    world.source.pages = [page(post(1, cleaned=frozenset({"nul", "cut"})), post(2, cleaned=frozenset({"nul"})))]
    collect(world.rt)
    assert (intake(world)["cleaned:nul"], intake(world)["cleaned:cut"]) == (2, 1)
    world.clock.forward(hours=1)
    world.due()
    world.source.pages = [page(post(3), complete=False, warning="Its ids change.")]
    collect(world.rt)
    told = world.one("select warning from feeds")
    assert "could not be had" in told
    assert told.endswith("Its ids change.")
    assert drift(world) == {}
