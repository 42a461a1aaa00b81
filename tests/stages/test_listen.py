"""Listening: pages of a stream are settled as they come, under a lease that is kept."""

import threading
from dataclasses import replace
from datetime import timedelta

from schemas.errors import Reason, TransientError
from tests.stages.conftest import World, drift, page, post
from workers.stages.listen import listen


def stream(world: World, **more: object) -> int:
    return world.add_feed("wss://stream.example.org", mode="stream", interval_s=10, **more)


def heard(world: World, *pages: object) -> World:
    world.stream.pages = list(pages)
    return world


def test_pages_are_stored_with_their_cursor_and_the_stream_is_opened_again(world: World) -> None:
    stream(world)
    nudged: list[str] = []
    rt = replace(heard(world, page(post(1), cursor={"at": 1}), page(post(2), cursor={"at": 2})).rt, nudge=nudged.append)
    outcome = listen(rt)
    assert (outcome.rows, outcome.failures) == (2, 1)
    assert nudged == ["classify", "classify"]
    row = world.rows("select cursor, failures, lease_until, next_fetch_at, last_error from feeds")[0]
    assert (row["cursor"], row["failures"], row["lease_until"]) == ({"at": 2}, 1, None)
    assert row["next_fetch_at"] > world.clock()
    assert "closed the stream" in row["last_error"]
    assert drift(world) == {}


def test_a_polled_feed_is_not_listened_to(world: World) -> None:
    world.add_feed()
    world.due()
    assert listen(heard(world, page(post(1))).rt).rows == 0


def test_what_the_stream_deletes_is_deleted(world: World) -> None:
    stream(world)
    hers = [post(n, author="did:plc:jane") for n in (2, 3)]
    heard(world, page(post(1), *hers, post(4)), page(deleted=("1",), deleted_authors=("did:plc:jane",)))
    listen(world.rt)
    assert [r["native_id"] for r in world.rows("select native_id from posts")] == ["4"]
    assert world.one("select posts from intake where outcome = 'erased'") == 3
    assert drift(world) == {}


def test_a_stream_that_keeps_order_leaves_no_tombstones_of_what_never_came(world: World) -> None:
    stream(world)
    listen(heard(world, page(post(1)), page(deleted=("1", "never seen"), deleted_in_order=True)).rt)
    assert [r["native_id"] for r in world.rows("select native_id from post_keys")] == ["1"]
    assert world.one("select count(*) from posts") == 0


def test_a_listener_past_its_lease_stores_nothing_more(world: World) -> None:
    feed_id = stream(world)

    class Robbed:
        def listen(self, feed, now, stopping):
            yield page(post(1), cursor={"at": 1})
            world.rows("update feeds set fence = fence + 1 where feed_id = %s returning 1", feed_id)
            yield page(post(2), cursor={"at": 2})
            raise AssertionError("it was told to stop")

    outcome = listen(replace(world.rt, stream=lambda kind: Robbed()))
    assert (outcome.rows, outcome.fenced_off) == (1, 1)
    assert world.one("select cursor ->> 'at' from feeds") == "1"
    assert world.one("select count(*) from posts") == 1


def test_a_paused_stream_is_let_go_and_its_cursor_stays(world: World) -> None:
    feed_id = stream(world)

    class Paused:
        def listen(self, feed, now, stopping):
            yield page(post(1), cursor={"at": 1})
            world.rows("update feeds set state = 'paused' where feed_id = %s returning 1", feed_id)
            yield page(post(2), cursor={"at": 2})
            raise AssertionError("it was told to stop")

    listen(replace(world.rt, stream=lambda kind: Paused()))
    assert world.one("select cursor ->> 'at' from feeds") == "1"
    assert world.one("select count(*) from posts") == 1


def test_a_failure_is_written_down_and_tried_again_when_it_was_asked_to(world: World) -> None:
    stream(world)
    listen(heard(world, page(post(1)), TransientError(Reason.RATE_LIMITED, "slow down", timedelta(minutes=30))).rt)
    row = world.rows("select last_reason, next_fetch_at from feeds")[0]
    assert row["last_reason"] == "rate_limited"
    assert row["next_fetch_at"] >= world.clock() + timedelta(minutes=30)


def test_a_stopping_worker_lets_go_without_counting_a_failure(world: World) -> None:
    stream(world)
    stopping = threading.Event()

    class Stopped:
        def listen(self, feed, now, stopping_):
            yield page(post(1), cursor={"at": 1})
            stopping.set()

    outcome = listen(replace(world.rt, stream=lambda kind: Stopped(), stopping=stopping.is_set))
    assert (outcome.rows, outcome.failures) == (1, 0)
    row = world.rows("select failures, lease_until, cursor from feeds")[0]
    assert (row["failures"], row["lease_until"], row["cursor"]) == (0, None, {"at": 1})


def test_an_odd_silence_is_not_heard_and_is_told(world: World) -> None:
    stream(world)
    world.rows("update feeds set rate = 5000 returning 1")
    start = world.clock()

    class Quiet:
        def listen(self, feed, now, stopping):
            yield page(post(1))
            world.clock.forward(minutes=2)
            yield page()
            world.clock.forward(minutes=40)
            yield page()

    listen(replace(world.rt, stream=lambda kind: Quiet()))
    assert world.one("select heard_until from feeds") == start + timedelta(minutes=2)
    assert world.one("select max(ends_at) from heard_spans") == start + timedelta(minutes=2)


def test_a_replay_that_catches_up_is_heard_as_far_as_it_has_come(world: World) -> None:
    stream(world)
    then = world.clock() - timedelta(hours=3)
    listen(heard(world, page(post(1), heard_until=then)).rt)
    assert world.one("select heard_until from feeds") == then


def test_two_listeners_in_one_process_are_one(world: World) -> None:
    stream(world)
    inner: list[int] = []

    class Twice:
        def listen(self, feed, now, stopping):
            inner.append(listen(world.rt).rows)
            yield page(post(1))

    outcome = listen(replace(world.rt, stream=lambda kind: Twice()))
    assert (inner, outcome.rows) == ([0], 1)
