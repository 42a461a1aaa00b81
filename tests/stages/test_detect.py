"""Detecting and telling: one burst is one alert with frozen evidence; a gap or a backlog is no burst."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from schemas.errors import PermanentError, Reason, TransientError
from services.store import alerts as alert_rows
from services.store import deliveries, feeds
from services.store.rechecks import recheck
from services.store.taking_in import take_in
from tests.stages.conftest import CODEBOOK, World, drift, page, post
from tests.stages.test_rescore import ONE, back, settle
from workers.stages import detect as stage
from workers.stages import digest as digest_stage
from workers.stages.classify import classify
from workers.stages.collect import collect
from workers.stages.deliver import deliver
from workers.stages.detect import detect
from workers.stages.digest import digest
from workers.stages.rollup import rollup

T0 = datetime(2016, 12, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def flow(world: World) -> None:
    while classify(world.rt).rows:
        pass
    while rollup(world.rt).again:
        pass
    while detect(world.rt).again:
        pass


def history(days: int = 9, burst_at: int = 9 * 24 + 5) -> list[Any]:
    posts = [post(f"q{i}", f"rain {i}", at=T0 + i * HOUR) for i in range(days * 24)]
    posts += [post(f"b{i}", f"theatre {i}", at=T0 + i * HOUR, author=f"old {i}") for i in range(10, days * 24, 50)]
    posts += [
        post(
            f"x{i}",
            f"theatre again {i}",
            at=T0 + burst_at * HOUR + timedelta(minutes=5 * i),
            url=f"https://e{i}.example.org/",
        )
        for i in range(10)
    ]
    return posts


def hear(world: World, posts: list[Any], until: datetime, **more: Any) -> None:
    world.due()
    world.source.pages = [page(*posts, as_of=until, **more)]
    collect(world.rt)


@pytest.fixture
def replayed(world: World) -> World:
    world.apply()
    world.add_feed(clock="feed")
    return world


def test_a_burst_is_one_alert_with_its_evidence(replayed: World) -> None:
    hear(replayed, history(), T0 + timedelta(days=10))
    flow(replayed)
    alerts = replayed.rows("select alert_id, frame, kind, onset, state, evidence from alerts")
    assert [(a["frame"], a["kind"]) for a in alerts] == [("staged-theatrics", "burst")]
    found = alerts[0]["evidence"]
    assert found["quality"]["told"] == "precision not measured yet"
    assert alerts[0]["onset"] == T0 + 221 * HOUR
    assert found["counts"]["posts"] == found["counts"]["authors"] == 10
    assert found["counts"]["publishers"] == 1, "the addresses are hosts of one registrable domain"
    assert found["expected"]["units"] < 1
    assert found["expected"]["ratio_low"] > 1
    assert found["codebook"] == {"id": "test", "version": 1, "title": "A test"}
    assert found["model"] == "words@1"
    assert found["coverage"] == 1.0
    assert len(found["first_carriers"]) == len(found["typical"]) == 5
    assert alerts[0]["state"] == "firing"
    hear(replayed, [], T0 + timedelta(days=11))
    flow(replayed)
    assert replayed.one("select state from alerts") == "resolved"
    assert drift(replayed) == {}


def test_what_is_quoted_carries_the_frame_clearly(replayed: World) -> None:
    hear(replayed, history(), T0 + timedelta(days=10))
    flow(replayed)
    period = {"version_id": 1, "frame": "staged-theatrics", "since": T0 + 221 * HOUR, "until": T0 + 223 * HOUR}
    replayed.rows("update carried set probability = 0.2 where published_at >= %s returning 1", T0 + 221 * HOUR)
    with replayed.rt.store.transaction() as tx:
        doubtful = alert_rows.first_carriers(tx, **period)
        assert len(doubtful) == 5, "where none is clear, all are named"
    third = doubtful[2]["post_id"]
    replayed.rows("update carried set probability = 0.8 where post_id >= %s returning 1", third)
    with replayed.rt.store.transaction() as tx:
        clear = alert_rows.first_carriers(tx, **period)
        assert clear[0]["post_id"] == third, "the first post was not clear, so it is not the first quoted"
        assert all(p["score"] > 0.5 for p in clear)


def test_a_bundle_of_before_is_rechecked_by_its_own_rule(replayed: World) -> None:
    hear(replayed, history(), T0 + timedelta(days=10))
    flow(replayed)
    identity = replayed.one("select alert_id from alerts")
    first = replayed.one("select evidence -> 'first_carriers' -> 0 ->> 'post_id' from alerts")
    replayed.rows("update carried set probability = 0.2 where post_id = %s returning 1", int(first))
    with replayed.rt.store.transaction() as tx:
        fields = [d["field"] for d in recheck(tx, identity)["differences"]]
    assert f"first_carriers.{first}" in fields, "today's rule leaves out what is not clear any more"
    kept = "(select jsonb_agg(p - 'score') from jsonb_array_elements(evidence -> 'first_carriers') p)"
    replayed.rows(f"update alerts set evidence = jsonb_set(evidence, '{{first_carriers}}', {kept}) returning 1")
    with replayed.rt.store.transaction() as tx:
        fields = [d["field"] for d in recheck(tx, identity)["differences"]]
    assert f"first_carriers.{first}" not in fields


def test_evaluating_again_raises_nothing_new(replayed: World) -> None:
    hear(replayed, history(), T0 + timedelta(days=12))
    flow(replayed)
    before = replayed.rows("select alert_id, evidence from alerts")
    assert replayed.one("select state from alerts") == "resolved"
    replayed.rows("update watches set evaluated_until = %s returning 1", T0 + timedelta(days=8))
    replayed.rows("delete from verdicts where bucket >= %s returning 1", T0 + timedelta(days=8))
    flow(replayed)
    assert replayed.rows("select alert_id, evidence from alerts") == before
    assert replayed.one("select count(*) from deliveries") == 1


def test_hour_by_hour_gives_the_same_alert_as_all_at_once(replayed: World) -> None:
    posts = sorted(history(), key=lambda p: p.published_at)
    hear(replayed, [p for p in posts if p.published_at < T0 + 220 * HOUR], T0 + 220 * HOUR)
    flow(replayed)
    assert replayed.one("select count(*) from alerts") == 0
    for hour in range(220, 240):
        now = [p for p in posts if T0 + hour * HOUR <= p.published_at < T0 + (hour + 1) * HOUR]
        hear(replayed, now, T0 + (hour + 1) * HOUR)
        flow(replayed)
    alerts = replayed.rows("select onset, state from alerts")
    assert alerts == [{"onset": T0 + 221 * HOUR, "state": "firing"}]
    hear(replayed, [], T0 + timedelta(days=12))
    flow(replayed)
    replayed.rows("update watches set evaluated_until = %s returning 1", T0 + timedelta(days=8))
    replayed.rows("delete from verdicts where bucket >= %s returning 1", T0 + timedelta(days=8))
    flow(replayed)
    assert replayed.rows("select onset, state from alerts") == [{"onset": T0 + 221 * HOUR, "state": "resolved"}]


def test_nothing_is_told_while_learning(replayed: World) -> None:
    hear(replayed, history(days=3, burst_at=3 * 24 + 5), T0 + timedelta(days=5))
    flow(replayed)
    assert replayed.one("select count(*) from alerts") == 0
    assert replayed.rows("select distinct state from verdicts") == [{"state": "learning"}]


def test_an_hour_is_not_judged_before_all_its_posts_are_scored(replayed: World) -> None:
    hear(replayed, history(), T0 + timedelta(days=10))
    detect(replayed.rt)
    assert replayed.one("select count(*) from verdicts") == 0
    flow(replayed)
    assert replayed.one("select count(*) from verdicts") == 2 * 240
    hear(replayed, [post(f"late {i}", f"rain again {i}", at=T0 + 250 * HOUR) for i in range(3)], T0 + 260 * HOUR)
    detect(replayed.rt)
    assert replayed.one("select max(bucket) from verdicts") == T0 + 249 * HOUR
    classify(replayed.rt)
    detect(replayed.rt)
    assert replayed.one("select max(bucket) from verdicts") == T0 + 249 * HOUR
    flow(replayed)
    assert replayed.one("select max(bucket) from verdicts") == T0 + 259 * HOUR


def test_a_backlog_lands_in_its_own_hours_and_raises_nothing(world: World) -> None:
    """Live feed, six hours not heard, then all at once: event time, no false burst."""
    world.apply()
    world.clock.at = T0
    world.add_feed()
    steady = [
        post(f"s{i}", f"theatre {i}", at=T0 + i * HOUR / 2 - timedelta(minutes=1), author=f"a{i}") for i in range(480)
    ]
    for hour in range(24, 240, 12):
        if 210 < hour < 230:
            continue
        world.clock.at = T0 + hour * HOUR
        world.due()
        world.source.pages = [page(*[p for p in steady if p.published_at < world.clock()])]
        collect(world.rt)
        flow(world)
    assert world.one("select count(*) from alerts") == 0
    assert world.one("select max(posts) from trend_points where frame = 'staged-theatrics'") == 1


def test_hours_of_a_gap_are_told_as_such(world: World) -> None:
    world.apply()
    world.clock.at = T0
    world.add_feed()
    for hour in (1, 2, 9, 10):
        world.clock.at = T0 + hour * HOUR
        world.due()
        late = world.clock() - timedelta(minutes=5)
        world.source.pages = [page(post(hour, f"theatre {hour}", at=late), complete=hour != 9)]
        collect(world.rt)
        flow(world)
    states = {
        r["bucket"].hour: r["state"]
        for r in world.rows("select bucket, state from verdicts where frame = 'staged-theatrics'")
    }
    assert states[4] == "insufficient coverage"
    assert states[1] == "learning"


def test_a_feed_that_keeps_failing_is_an_outage_until_it_is_heard(world: World) -> None:
    world.add_feed()
    world.source.pages = [TransientError(Reason.UNREACHABLE, "no route")] * 3
    for _ in range(3):
        world.due()
        collect(world.rt)
        detect(world.rt)
    assert world.rows("select kind, state from alerts") == [{"kind": "outage", "state": "firing"}]
    assert world.rows("select state, reason from deliveries") == [{"state": "silenced", "reason": "no channel"}]
    world.due()
    world.source.pages = [page(post(1))]
    collect(world.rt)
    detect(world.rt)
    assert world.rows("select state from alerts") == [{"state": "resolved"}]
    assert drift(world) == {}


def raised(world: World, channels: int = 1) -> None:
    for i in range(channels):
        world.rows(
            "insert into channels (name, kind, config, state) values (%s, 'mail', '{}', 'enabled') returning 1", f"c{i}"
        )
    hear(world, history(), T0 + timedelta(days=10))
    flow(world)


def due_now(world: World) -> None:
    world.rows("update deliveries set next_attempt_at = clock_timestamp() - interval '1 s' returning 1")


def test_an_alert_is_delivered_to_each_channel_under_one_id(replayed: World) -> None:
    raised(replayed, channels=2)
    due_now(replayed)
    assert deliver(replayed.rt).rows == 2
    due_now(replayed)
    assert deliver(replayed.rt).rows == 0
    ids = [n.message_id for n in replayed.channel.sent]
    assert len(set(ids)) == 2
    assert all(n.kind == "alert" and "theatre" in str(n.data) for n in replayed.channel.sent)
    assert drift(replayed) == {}


def test_a_message_that_cannot_be_sent_waits_and_one_that_never_can_is_parked(replayed: World) -> None:
    raised(replayed)
    replayed.channel.errors = [TransientError(Reason.SERVER_ERROR, "451 later"), PermanentError(Reason.GONE, "410")]
    due_now(replayed)
    deliver(replayed.rt)
    row = replayed.rows("select state, attempts, reason, next_attempt_at from deliveries")[0]
    assert (row["state"], row["attempts"], row["reason"]) == ("pending", 1, "server_error")
    assert row["next_attempt_at"] > replayed.clock()
    due_now(replayed)
    deliver(replayed.rt)
    assert replayed.rows("select state, last_error from deliveries") == [{"state": "parked", "last_error": "410"}]
    assert drift(replayed) == {}


def test_a_channel_that_is_gone_is_asked_no_more(replayed: World) -> None:
    raised(replayed)
    replayed.channel.errors = [PermanentError(Reason.REFUSED, "400")]
    due_now(replayed)
    deliver(replayed.rt)
    assert replayed.rows("select state from channels") == [{"state": "enabled"}]
    replayed.rows("update deliveries set state = 'pending' returning 1")
    replayed.channel.errors = [PermanentError(Reason.GONE, "410")]
    due_now(replayed)
    deliver(replayed.rt)
    assert replayed.rows("select state from channels") == [{"state": "paused"}]


def test_a_crash_between_send_and_mark_sends_again_under_the_same_id(replayed: World) -> None:
    raised(replayed)
    due_now(replayed)
    send = replayed.channel.send

    def crash(notice: Any, *, sent_at: Any) -> None:
        send(notice, sent_at=sent_at)
        raise KeyboardInterrupt

    replayed.channel.send = crash  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        deliver(replayed.rt)
    replayed.channel.send = send  # type: ignore[method-assign]
    replayed.rows("update deliveries set lease_until = clock_timestamp() - interval '1 s' returning 1")
    deliver(replayed.rt)
    assert len({n.message_id for n in replayed.channel.sent}) == 1
    assert len(replayed.channel.sent) == 2
    assert replayed.one("select state from deliveries") == "sent"


def test_a_message_that_went_to_another_worker_is_not_settled_here(replayed: World) -> None:
    raised(replayed)
    due_now(replayed)
    send = replayed.channel.send

    def late(notice: Any, *, sent_at: Any) -> None:
        send(notice, sent_at=sent_at)
        replayed.rows("update deliveries set fence = fence + 1 returning 1")

    replayed.channel.send = late  # type: ignore[method-assign]
    assert deliver(replayed.rt).fenced_off == 1
    assert replayed.rows("select state, lease_until is null as free from deliveries") == [
        {"state": "pending", "free": False}
    ]


def test_a_slot_is_one_digest_whoever_comes_second(replayed: World) -> None:
    hear(replayed, history(), T0 + timedelta(days=10))
    flow(replayed)
    replayed.rows("insert into digests values ('daily', '0 7 * * *', 'Europe/Berlin', %s) returning 1", T0)
    with replayed.store.transaction() as tx:
        due = deliveries.list_digests(tx)[0]
    assert digest(replayed.rt).rows == 1
    assert digest(replayed.rt).rows == 0
    # Another worker that looked before the slot was filled comes second.
    assert digest_stage.fill(replayed.rt, due, datetime(2016, 12, 10, 6, tzinfo=UTC)) == 0
    slot = replayed.rows("select slot, body from digest_slots")[0]
    assert slot["slot"] == datetime(2016, 12, 10, 6, tzinfo=UTC)
    assert slot["body"]["frames"][0]["id"] == "staged-theatrics"
    assert replayed.one("select count(*) from deliveries where kind = 'digest'") == 1


def test_the_last_bucket_waits_for_every_feed_that_keeps_its_appointments(replayed: World) -> None:
    replayed.add_feed("https://b.example.org", clock="feed")
    replayed.due()
    replayed.source.pages = [
        page(*history(), as_of=T0 + timedelta(days=10)),
        page(post("other", at=T0), as_of=T0 + timedelta(days=3)),
    ]
    collect(replayed.rt)
    flow(replayed)
    assert replayed.one("select max(bucket) from verdicts") == T0 + timedelta(days=3) - HOUR
    assert timedelta(0) < stage.PATIENCE


def judged(world: World, version_id: int, frame: str) -> list[dict[str, Any]]:
    return world.rows(
        "select bucket, units, expected is not null as explained, state from verdicts"
        " where version_id = %s and frame = %s order by bucket", version_id, frame,
    )  # fmt: skip


def test_a_changed_codebook_keeps_the_usual_range_and_bursts_of_the_past_and_raises_nothing(world: World) -> None:
    theatre, other = "staged-theatrics", "russia-blames-us"
    world.apply(CODEBOOK.replace(ONE, ""))
    world.add_feed(clock="feed")
    hear(world, history(), T0 + timedelta(days=11))
    flow(world)
    world.apply()
    settle(world)
    assert not judged(world, 2, other)
    detect(world.rt)
    assert judged(world, 2, other) == judged(world, 1, other), "no bucket has closed since, and its posts are the same"
    assert [v["bucket"] for v in judged(world, 2, theatre)] == [v["bucket"] for v in judged(world, 1, other)]
    assert any(v["explained"] and v["state"] == "burst" for v in judged(world, 2, theatre))
    assert world.rows("select from alerts") == [], "nobody is told of what is over"
    assert detect(world.rt).rows == 0
    hear(world, [], T0 + timedelta(days=12))
    flow(world)
    back(world)
    settle(world)
    detect(world.rt)
    assert len(judged(world, 1, other)) == len(judged(world, 2, other)), "one that comes back has no hole"
    assert drift(world) == {}


def test_a_house_that_is_sent_its_posts_is_judged_while_somebody_sends(world: World) -> None:
    world.apply()
    feed_id = world.add_feed("desk", source="push", mode="push")
    now = world.clock().replace(minute=0, second=0)
    world.clock.at, first = now, now - timedelta(days=10)
    posts = [post(f"q{i}", f"rain {i}", at=first + i * HOUR + HOUR / 2) for i in range(24 * 10)]
    posts += [post(f"b{i}", f"theatre {i}", at=first + i * HOUR, author=f"old {i}") for i in range(10, 24 * 9, 50)]
    posts += [post(f"x{i}", f"theatre again {i}", at=now - 2 * HOUR + timedelta(minutes=5 * i)) for i in range(10)]
    with world.store.transaction() as tx:
        for day in range(11):
            assert feeds.find_push(tx, "desk", first + timedelta(days=day)) == feed_id
        rows = world.rt.intake.rows("push", posts, now)
        take_in(tx, page(*posts), rows, feed_id=feed_id, source="push", gone_authors=(), received_at=now)
    flow(world)
    assert [(a["frame"], a["kind"]) for a in world.rows("select frame, kind from alerts")] == [
        ("staged-theatrics", "burst")
    ]
    world.clock.forward(days=3)
    flow(world)
    last = world.rows("select bucket, state from verdicts where frame = 'staged-theatrics' order by bucket")
    assert {v["state"] for v in last if v["bucket"] >= now + timedelta(days=1)} == {"insufficient coverage"}
    day = {v["state"] for v in last if now <= v["bucket"] < now + timedelta(days=1)}
    assert "ok" in day
    assert "insufficient coverage" not in day


def test_a_live_feed_beside_a_replay_of_years_ago_starts_at_once_and_ends_its_alerts(replayed: World) -> None:
    hear(replayed, history(), T0 + timedelta(days=9, hours=8))
    flow(replayed)
    assert replayed.rows("select state from alerts") == [{"state": "firing"}]
    before = replayed.one("select count(*) from verdicts")
    replayed.rows("update feeds set state = 'ended' returning 1")
    replayed.add_feed("https://example.org/live")
    replayed.clock.forward(hours=3)
    runs = 1
    while detect(replayed.rt).again:
        runs += 1
    assert runs <= 2, "the years between are not judged hour by hour"
    assert replayed.one("select count(*) from verdicts") <= before + 2 * 5
    newest = replayed.one("select max(bucket) from verdicts")
    assert replayed.clock() - newest <= 2 * HOUR
    flow(replayed)
    assert replayed.rows("select state from alerts where kind = 'burst'") == [{"state": "resolved"}]
    why = replayed.rows("select why from alert_moves where move = 'resolved'")
    assert why == [{"why": "nothing was heard for 66 days after it"}]
    assert drift(replayed) == {}


def test_an_alert_ends_with_its_frame(replayed: World) -> None:
    hear(replayed, history(), T0 + timedelta(days=9, hours=8))
    flow(replayed)
    assert replayed.rows("select state from alerts") == [{"state": "firing"}]
    replayed.apply(CODEBOOK.replace(ONE, ""))
    settle(replayed)
    detect(replayed.rt)
    assert replayed.rows("select state from alerts") == [{"state": "resolved"}]
    why = replayed.rows("select why from alert_moves where move = 'resolved'")
    assert why == [{"why": "its frame left the codebook"}]
    assert drift(replayed) == {}


def test_a_replay_that_goes_on_beside_a_live_feed_holds_nobody_up(world: World) -> None:
    """A file of 2016 at the speed it happened would have kept detection there for days."""
    world.apply()
    world.add_feed("https://example.org/live")
    world.clock.forward(hours=3)
    hear(world, [post(1, at=world.clock() - 2 * HOUR)], world.clock())
    world.add_feed("old.jsonl", source="jsonl", clock="feed")
    world.rows("update feeds set next_fetch_at = clock_timestamp() + interval '1 h' returning 1")
    world.rows("update feeds set heard_until = %s where clock = 'feed' returning 1", T0)
    flow(world)
    newest = world.one("select min(evaluated_until) from watches")
    assert world.clock() - newest <= HOUR, "the live feed's hours are judged as they close"


def test_a_replay_that_was_there_first_is_judged_to_its_end(replayed: World) -> None:
    hear(replayed, history(), T0 + timedelta(days=9, hours=8))
    replayed.clock.forward(seconds=1)
    replayed.add_feed("https://example.org/live")
    replayed.rows("update feeds set next_fetch_at = clock_timestamp() + interval '1 h' returning 1")
    flow(replayed)
    heard = replayed.one("select max(heard_until) from feeds where clock = 'feed'")
    assert replayed.one("select max(evaluated_until) from watches") <= heard
    replayed.clock.forward(minutes=16)
    while detect(replayed.rt).again:
        pass
    assert replayed.clock() - replayed.one("select max(evaluated_until) from watches") <= HOUR
