"""Telling: once, again only for news, together when together, late in quiet hours, and with the reason when not."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from schemas.errors import PermanentError, Reason
from schemas.rule import check
from services.store import alerts, announcing, deliveries, dry_run, feeds, rechecks, rules
from tests.stages.conftest import World, drift, post
from tests.stages.test_detect import HOUR, T0, due_now, flow, hear, history, replayed
from workers.stages.deliver import deliver

__all__ = ["replayed"]
BURST = T0 + 221 * HOUR


def channel(world: World, name: str = "team", quiet: str | None = None) -> None:
    with world.store.transaction() as tx:
        deliveries.add_channel(tx, name, "mail", {})
        if quiet:
            deliveries.set_quiet(tx, name, quiet)


def send_all(world: World) -> list[Any]:
    """Everything due, now; the messages sent by it."""
    before = len(world.channel.sent)
    for _ in range(6):
        due_now(world)
        deliver(world.rt)
    return world.channel.sent[before:]


def more(start: int, number: int, hour: int, text: str = "theatre more") -> list[Any]:
    return [
        post(f"m{start + i}", f"{text} {start + i}", at=T0 + hour * HOUR + timedelta(seconds=50 * i))
        for i in range(number)
    ]


def fired(world: World, **about: Any) -> None:
    channel(world, **about)
    hear(world, history(), T0 + 222 * HOUR)
    flow(world)


def told(world: World) -> list[tuple[str, str, str | None]]:
    rows = world.rows(
        "select message_id, state, reason from deliveries where alert_id is not null order by delivery_id"
    )
    return [(r["message_id"].split(":", 1)[1], r["state"], r["reason"]) for r in rows]


def test_growth_is_told_once_and_the_end_is_told_to_those_who_heard_the_beginning(replayed: World) -> None:
    fired(replayed)
    alert = replayed.one("select alert_id from alerts")
    assert [n.message_id for n in send_all(replayed)] == [f"{alert}:firing.team"]
    channel(replayed, "latecomer")
    hear(replayed, more(0, 3, 222), T0 + 223 * HOUR)
    flow(replayed)
    assert send_all(replayed) == []
    hear(replayed, more(100, 40, 223), T0 + 224 * HOUR)
    flow(replayed)
    flow(replayed)
    grown = send_all(replayed)
    assert {n.message_id for n in grown} == {f"{alert}:escalated:1.team", f"{alert}:escalated:1.latecomer"}
    assert grown[0].data["state"] == "escalated"
    assert grown[0].data["counts"]["units"] == 53
    assert "more independent voices" in grown[0].data["escalation"]["why"]
    assert replayed.one("select evidence -> 'counts' ->> 'units' from alerts") == "10", (
        "the evidence it fired with stays"
    )
    hear(replayed, [], T0 + 260 * HOUR)
    flow(replayed)
    over = send_all(replayed)
    assert {n.message_id for n in over} == {f"{alert}:resolved.team", f"{alert}:resolved.latecomer"}
    assert over[0].data["state"] == "resolved"
    assert drift(replayed) == {}


def test_a_channel_that_was_not_told_of_the_beginning_is_not_told_of_the_end(replayed: World) -> None:
    channel(replayed, "other")
    fired(replayed)
    replayed.channel.errors = [PermanentError(Reason.GONE, "410")]
    sent = send_all(replayed)
    channel(replayed, "latecomer")
    hear(replayed, [], T0 + 260 * HOUR)
    flow(replayed)
    ended = send_all(replayed)
    assert [n.message_id.split(".")[1] for n in ended] == [n.message_id.split(".")[1] for n in sent]
    assert sorted(state for _, state, _ in told(replayed)) == ["parked", "sent", "sent"]
    assert drift(replayed) == {}


def test_the_end_waits_for_the_beginning_and_stays_away_when_that_is_parked(replayed: World) -> None:
    fired(replayed)
    hear(replayed, [], T0 + 260 * HOUR)
    flow(replayed)
    replayed.channel.errors = [PermanentError(Reason.GONE, "410")]
    due_now(replayed)
    deliver(replayed.rt)
    assert told(replayed)[0][1] == "parked"
    assert send_all(replayed) == []
    assert told(replayed)[1] == ("resolved.team", "silenced", "the first message of this alert was set aside")
    assert drift(replayed) == {}


def test_what_fires_together_is_one_message(replayed: World) -> None:
    channel(replayed)
    both = history() + [
        post(f"w{i}", f"washington {i}", at=BURST + timedelta(minutes=i), author=f"w{i}") for i in range(12)
    ]
    hear(replayed, both, T0 + 222 * HOUR)
    flow(replayed)
    sent = send_all(replayed)
    assert replayed.one("select count(*) from alerts") == 2
    assert len(sent) == 1
    ids = {sent[0].data["alert_id"], *(t["alert_id"] for t in sent[0].data["together"])}
    assert ids == {r["alert_id"] for r in replayed.rows("select alert_id from alerts")}
    assert sent[0].subject.endswith(", and 1 more")
    assert sent[0].message_id.startswith(sent[0].data["alert_id"])
    assert [s for _, s, _ in told(replayed)] == ["sent", "sent"]
    assert drift(replayed) == {}


def test_in_quiet_hours_a_message_waits_and_is_not_lost(replayed: World) -> None:
    replayed.clock.at = datetime.fromisoformat("2016-12-13T23:30:00+00:00")
    channel(replayed, quiet="22:00-07:00 Europe/Berlin")
    hear(replayed, history(), T0 + 222 * HOUR)
    flow(replayed)
    row = replayed.rows("select state, reason, next_attempt_at from deliveries")[0]
    assert (row["state"], row["reason"]) == ("pending", "quiet hours until 14 Dec 2016 06:00 UTC")
    assert row["next_attempt_at"] == datetime.fromisoformat("2016-12-14T06:00:00+00:00")
    hear(replayed, more(0, 40, 222), T0 + 223 * HOUR)
    flow(replayed)
    assert told(replayed)[1][1:] == ("silenced", "an earlier message waits for the end of quiet hours")
    assert [n.data["state"] for n in send_all(replayed)] == ["firing"]
    assert drift(replayed) == {}


def test_what_is_muted_is_raised_and_told_to_nobody(replayed: World) -> None:
    with replayed.store.transaction() as tx:
        rules.add_mute(tx, frame="staged-theatrics", feed_id=None, until=None, now=replayed.clock(), by="ann")
    fired(replayed)
    assert told(replayed) == [("firing.team", "silenced", "muted")]
    hear(replayed, [], T0 + 260 * HOUR)
    flow(replayed)
    assert told(replayed) == [("firing.team", "silenced", "muted")]
    assert drift(replayed) == {}


def test_a_burst_that_only_a_muted_feed_brought_is_silenced(replayed: World) -> None:
    with replayed.store.transaction() as tx:
        feed_id = tx.execute("select feed_id from feeds").fetchone()["feed_id"]
        rules.add_mute(tx, frame=None, feed_id=feed_id, until=None, now=replayed.clock(), by="ann")
    fired(replayed)
    assert told(replayed) == [("firing.team", "silenced", "muted")]


def test_acknowledged_is_told_no_further_but_for_its_end(replayed: World) -> None:
    fired(replayed)
    send_all(replayed)
    alert = replayed.one("select alert_id from alerts")
    with replayed.store.transaction() as tx:
        assert announcing.ack(tx, alert, replayed.clock(), "ann")["acked_at"] == replayed.clock()
    hear(replayed, more(0, 40, 222), T0 + 223 * HOUR)
    flow(replayed)
    hear(replayed, more(50, 3, 223), T0 + 224 * HOUR)
    flow(replayed)
    assert told(replayed)[1:] == [("escalated:1.team", "silenced", "acknowledged")]
    hear(replayed, [], T0 + 260 * HOUR)
    flow(replayed)
    assert [n.data["state"] for n in send_all(replayed)] == ["resolved"]
    with pytest.raises(PermanentError, match="over already"), replayed.store.transaction() as tx:
        announcing.ack(tx, alert, replayed.clock(), "ann")


def test_snoozed_news_is_told_when_the_snooze_is_over(replayed: World) -> None:
    fired(replayed)
    send_all(replayed)
    alert = replayed.one("select alert_id from alerts")
    with replayed.store.transaction() as tx:
        announcing.snooze(tx, alert, replayed.clock() + HOUR, now=replayed.clock(), by="ben")
    hear(replayed, more(0, 40, 222), T0 + 223 * HOUR)
    flow(replayed)
    assert told(replayed)[1][1] == "silenced"
    assert str(told(replayed)[1][2]).startswith("snoozed until")
    replayed.clock.forward(hours=2)
    hear(replayed, more(60, 6, 223), T0 + 224 * HOUR)
    flow(replayed)
    assert [n.message_id for n in send_all(replayed)] == [f"{alert}:escalated:2.team"]


def test_ended_by_hand_it_is_not_raised_again(replayed: World) -> None:
    fired(replayed)
    send_all(replayed)
    alert = replayed.one("select alert_id from alerts")
    with replayed.store.transaction() as tx:
        announcing.end_by_hand(tx, alert, default=replayed.rt.rule, now=replayed.clock(), by="ann")
    assert [n.message_id for n in send_all(replayed)] == [f"{alert}:resolved.team"]
    hear(replayed, more(0, 40, 222), T0 + 223 * HOUR)
    flow(replayed)
    assert replayed.rows("select alert_id, state from alerts") == [{"alert_id": alert, "state": "resolved"}]
    assert send_all(replayed) == []
    assert drift(replayed) == {}


def save(world: World, name: str, **terms: Any) -> None:
    with world.store.transaction() as tx:
        given = check(terms, name)
        rules.checked(tx, name, given, world.rt.rule)
        rules.set_rule(tx, name, given.model_dump(mode="json", exclude_defaults=True), world.clock())


def test_a_rule_for_a_frame_decides_instead_of_the_general_one_and_tells_its_channels(replayed: World) -> None:
    channel(replayed, "other")
    channel(replayed, "staged")
    save(replayed, "strict", frame="staged-theatrics", min_posts=11)
    fired(replayed)
    assert replayed.one("select count(*) from alerts") == 0
    save(replayed, "strict", frame="staged-theatrics", min_posts=11, channels=["staged"])
    hear(replayed, more(0, 8, 222), T0 + 223 * HOUR)
    flow(replayed)
    assert replayed.rows("select rule from alerts") == [{"rule": "strict"}]
    assert told(replayed) == [("firing.staged", "pending", None)]


def test_switched_off_the_rule_of_the_settings_tells_nothing(replayed: World) -> None:
    save(replayed, "burst", enabled=False)
    fired(replayed)
    assert replayed.one("select count(*) from alerts") == 0


@pytest.mark.parametrize(
    ("terms", "words"),
    [
        ({"min_authors": 9, "min_posts": 5}, "min_authors 9 cannot stand behind 5 posts"),
        ({"min_units": 9}, "min_units 9 cannot stand behind 5 posts"),
        ({"frame": "nothing"}, "there is no frame nothing; known are: russia-blames-us, staged-theatrics"),
        ({"channels": ["x"]}, "there is no channel x; known are: none; add one"),
        ({"budget": 0}, "budget: "),
        ({"min_share": 3}, "min_share: "),
        ({"quiet": "at night"}, "should look like `22:00-07:00 Europe/Berlin`"),
        ({"quiet": "22:00-07:00 Nowhere/City"}, "should look like"),
        ({"min_post": 3}, "min_post is not a field; known are"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_with_the_reason(replayed: World, terms: dict[str, Any], words: str) -> None:
    with pytest.raises(PermanentError) as refused:
        save(replayed, "mine", **terms)
    assert words in str(refused.value)
    assert refused.value.reason is Reason.BAD_INPUT


def test_a_dry_run_finds_what_was_raised_and_writes_nothing(replayed: World) -> None:
    hear(replayed, history(), T0 + 260 * HOUR)
    flow(replayed)
    raised = replayed.rows("select alert_id, onset from alerts")
    with replayed.store.transaction() as tx:
        found = dry_run.dry_run(tx, replayed.rt.rule, days=30, wall=replayed.clock())
        strict = replace(replayed.rt.rule, min_posts=11)
        assert dry_run.dry_run(tx, strict, days=30, wall=replayed.clock())["firings"] == []
        assert tx.execute("select count(*) as n from alerts").fetchone()["n"] == len(raised) == 1
    assert [{k: f[k] for k in ("alert_id", "onset")} for f in found["firings"]] == raised
    assert found["firings"][0]["counts"]["posts"] == 10
    assert found["frames"] == 2


def test_a_recheck_says_what_differs_and_why(replayed: World) -> None:
    fired(replayed)
    alert = replayed.rows("select alert_id, evidence from alerts")[0]
    with replayed.store.transaction() as tx:
        assert rechecks.recheck(tx, alert["alert_id"])["differences"] == []
    gone = alert["evidence"]["typical"][0]["post_id"]
    native = replayed.one("select native_id from post_keys where post_id = %s", gone)
    replayed.clock.forward(minutes=5)
    late = post("late", "theatre late", at=BURST + timedelta(minutes=1))
    hear(replayed, [late], T0 + 223 * HOUR, deleted=(native,))
    flow(replayed)
    with replayed.store.transaction() as tx:
        found = rechecks.recheck(tx, alert["alert_id"])
    words = " | ".join(d["told"] for d in found["differences"])
    assert f"post {gone} of the typical posts: it was deleted on" in words
    assert "it was received only after the alert was raised" in words
    assert found["causes"] == {"late_arrivals": 1, "deleted_since": 1}


def test_a_stretch_in_which_too_little_was_heard_is_told_once_and_holds_nothing_back(world: World) -> None:
    world.apply()
    channel(world)
    world.clock.at = T0
    world.add_feed()
    for hour in (1, 2, 9, 10, 11, 12):
        world.clock.at = T0 + hour * HOUR
        hear(world, [post(hour, "rain", at=world.clock() - timedelta(minutes=5))], None, complete=hour != 9)
        flow(world)
        flow(world)
    found = world.rows("select kind, state, onset, last_bucket from alerts")
    assert [(a["kind"], a["state"]) for a in found] == [("gap", "resolved")]
    assert [s for s, _, _ in told(world)] == ["firing.team", "resolved.team"]
    assert drift(world) == {}


def test_a_gap_that_is_over_when_it_is_found_is_told_once_and_not_again_when_part_of_it_is_heard(
    world: World,
) -> None:
    world.apply()
    channel(world)
    world.clock.at = T0
    world.add_feed()
    for hour in (1, 2, 9, 12):
        world.clock.at = T0 + hour * HOUR
        hear(world, [post(hour, "rain", at=world.clock() - timedelta(minutes=5))], None, complete=hour != 9)
        if hour != 9:
            flow(world)
    assert [s for s, _, _ in told(world)] == ["firing.team"]
    with world.store.transaction() as tx:
        feeds.add_heard(tx, 1, T0 + 2 * HOUR, T0 + 5 * HOUR)
    flow(world)
    found = world.rows("select state, evidence ->> 'reason' as why from alerts")
    assert [a["state"] for a in found] == ["resolved"]
    assert found[0]["why"].startswith("From 01 Dec 2016")
    assert [s for s, _, _ in told(world)] == ["firing.team"]


def test_an_alert_whose_rule_is_gone_is_over(replayed: World) -> None:
    save(replayed, "strict", frame="staged-theatrics")
    fired(replayed)
    with replayed.store.transaction() as tx:
        rules.remove_rule(tx, "strict")
    hear(replayed, more(0, 3, 222), T0 + 223 * HOUR)
    flow(replayed)
    assert {r["rule"]: r["state"] for r in replayed.rows("select rule, state from alerts")} == {
        "strict": "resolved", "burst": "firing",
    }  # fmt: skip


def wave(world: World, *, fresh: bool, number: int = 8, **about: Any) -> None:
    names = [f"troll {i}" for i in range(number)]
    old = [] if fresh else [post(f"o{n}", f"rain by {n}", at=T0 + 5 * HOUR, author=n) for n in names]
    usual = [post(f"u{i}", f"rain today {i}", at=BURST - HOUR, author=f"author q{i}") for i in range(200)]
    seconds = about.get("seconds", 4)
    said = [
        post(f"t{i}", f"It is theatre! https://e.org/{i}", at=BURST + timedelta(seconds=seconds * i), author=n,
             repost_of=about.get("repost_of", ""))
        for i, n in enumerate(names)
    ]  # fmt: skip
    quiet = [p for p in history() if not p.native_id.startswith("x")]
    hear(world, [*quiet, *usual, *old, *said], T0 + 223 * HOUR)
    flow(world)


def test_one_text_by_many_new_accounts_at_once_is_an_alert_of_its_own(replayed: World) -> None:
    wave(replayed, fresh=True)
    found = replayed.rows("select kind, state, evidence from alerts where kind = 'coordinated'")
    assert len(found) == 1
    bundle = found[0]["evidence"]
    assert (bundle["wave"]["authors"], bundle["wave"]["fresh"], bundle["counts"]["texts"]) == (8, 8, 1)
    assert "one text by 8 authors within 28 seconds" in bundle["reason"]
    with replayed.store.transaction() as tx:
        about = tx.execute("select alert_id from alerts where kind = 'coordinated'").fetchone()
        assert rechecks.recheck(tx, about["alert_id"])["differences"] == []
    hear(replayed, [], T0 + 260 * HOUR)
    flow(replayed)
    assert replayed.rows("select distinct state from alerts where kind = 'coordinated'") == [{"state": "resolved"}]
    assert drift(replayed) == {}


@pytest.mark.parametrize(
    "about", [{"fresh": False}, {"fresh": True, "number": 4}, {"fresh": True, "seconds": 30},
              {"fresh": True, "repost_of": "somebody"}],
)  # fmt: skip
def test_people_who_are_known_or_few_or_slow_or_repost_are_not_called_coordinated(
    replayed: World, about: dict[str, Any]
) -> None:
    wave(replayed, **about)
    assert replayed.one("select count(*) from alerts where kind = 'coordinated'") == 0


def test_every_column_of_a_listed_alert_is_there(replayed: World) -> None:
    fired(replayed)
    with replayed.store.transaction() as tx:
        assert {"acked_at", "snoozed_until"} <= alerts.list_alerts(tx, limit=1)[0].keys()
