"""A feed that is sent to us and falls silent: told once, unknown from then on, over when posts come."""

from datetime import timedelta

import pytest

from services.analysis.silence import MEMORY
from services.console.health import told as in_words
from services.store import feeds, senders, standing
from tests.stages.conftest import World, drift
from workers.stages.deliver import deliver
from workers.stages.detect import detect
from workers.stages.upkeep import upkeep

HOUR = timedelta(hours=1)
WEEKS = 5


@pytest.fixture
def desk(world: World) -> int:
    """A feed that posts were sent to every hour for five weeks, the last of them just now, in the middle of an hour."""
    world.clock.at = world.clock().replace(minute=30, second=0)
    now = world.clock()
    with world.store.transaction() as tx:
        tx.execute("insert into channels (name, kind, config, state) values ('team', 'mail', '{}', 'enabled')")
    feed_id = world.add_feed("desk", source="push", mode="push", title="Press desk", now=now - timedelta(weeks=WEEKS))
    with world.store.transaction() as tx:
        for i in range(WEEKS * 168, 0, -1):
            senders.note_sent(tx, feed_id, now - i * HOUR)
        assert feeds.find_push(tx, "desk", now) == feed_id
    return feed_id


def pass_by(world: World, count: int, minutes: int = 60) -> None:
    """Let time pass with detection running."""
    for _ in range(count):
        world.clock.forward(minutes=minutes)
        detect(world.rt)


def outages(world: World) -> list[tuple[str, str]]:
    return [(a["kind"], a["state"]) for a in world.rows("select kind, state from alerts order by raised_at")]


def row(world: World) -> dict[str, object]:
    with world.store.transaction() as tx:
        return feeds.list_feeds(tx)[0]


def test_a_sender_that_dies_is_told_of_once_until_posts_come_again(world: World, desk: int) -> None:
    died = world.clock()
    pass_by(world, 3)
    assert outages(world) == []
    pass_by(world, 3)
    assert outages(world) == [("outage", "firing")]
    evidence = world.one("select evidence from alerts")
    assert f"Press desk: nothing was sent since {died:%d %b %Y %H:%M} UTC" in evidence["reason"]
    assert "habits of 5 weeks before, posts would have come in about 3 hours" in evidence["reason"]
    assert world.one("select onset from alerts") == died
    world.rows("update deliveries set next_attempt_at = clock_timestamp() returning 1")
    deliver(world.rt)
    assert [n.subject for n in world.channel.sent] == ["Press desk is silent"]
    with world.store.transaction() as tx:
        assert feeds.find_push(tx, "desk", world.clock()) == desk
    detect(world.rt)
    assert outages(world) == [("outage", "resolved")]
    world.rows("update deliveries set next_attempt_at = clock_timestamp() returning 1")
    deliver(world.rt)
    assert [n.subject for n in world.channel.sent][1:] == ["Press desk is heard again: the outage is over"]
    assert row(world)["warning"] is None
    assert drift(world) == {}


def test_what_a_silent_sender_says_is_unknown_from_the_end_of_its_last_hour(world: World, desk: int) -> None:
    died = world.clock()
    with world.store.transaction() as tx:
        assert [s["ends_at"] - died for s in feeds.spans(tx, died, died + 9 * HOUR)] == [timedelta(days=1)]
    pass_by(world, 6)
    with world.store.transaction() as tx:
        assert [s["ends_at"] - died for s in feeds.spans(tx, died, died + 9 * HOUR)] == [timedelta(minutes=30)]
        back = world.clock()
        feeds.find_push(tx, "desk", back)
        spans = feeds.spans(tx, died, back + HOUR)
    assert [s["starts_at"] - back for s in spans[1:]] == [timedelta(0)], "the hours between stay unknown"


def test_every_face_says_so(world: World, desk: int) -> None:
    pass_by(world, 6)
    told = in_words(row(world), world.clock())
    assert told.startswith("Nothing was sent since ")
    assert told.endswith("Is its sender still running?")
    with world.store.transaction() as tx:
        [feed] = standing.read_standing(tx, world.clock(), frames=1)["feeds"]
    assert feed["late"]


def test_nobody_is_told_of_a_muted_sender(world: World, desk: int) -> None:
    world.rows("insert into mutes (feed_id, made_at) values (%s, %s) returning 1", desk, world.clock())
    pass_by(world, 6)
    assert world.rows("select state, reason from deliveries") == [{"state": "silenced", "reason": "muted"}]


def test_neither_our_own_absence_nor_a_pause_is_the_senders_silence(world: World, desk: int) -> None:
    world.clock.forward(days=3)
    detect(world.rt)
    assert outages(world) == []
    with world.store.transaction() as tx:
        feeds.set_feed_state(tx, desk, "paused", world.clock())
    pass_by(world, 30)
    with world.store.transaction() as tx:
        feeds.set_feed_state(tx, desk, "enabled", world.clock())
    pass_by(world, 2)
    assert outages(world) == []


def test_pausing_a_silent_sender_ends_its_outage(world: World, desk: int) -> None:
    pass_by(world, 6)
    with world.store.transaction() as tx:
        feeds.set_feed_state(tx, desk, "paused", world.clock())
    pass_by(world, 1, minutes=1)
    assert outages(world) == [("outage", "resolved")]
    assert row(world)["warning"] is None


def test_hours_that_nobody_looks_at_are_forgotten(world: World, desk: int) -> None:
    with world.store.transaction() as tx:
        senders.note_sent(tx, desk, world.clock() - MEMORY - 2 * HOUR)
    before = world.one("select count(*) from sender_hours")
    upkeep(world.rt)
    assert world.one("select count(*) from sender_hours") == before - 1
