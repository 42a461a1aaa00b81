"""Messages that could not be delivered are sent again: under their ids, whole, to real servers that say no first."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from starlette.testclient import TestClient

from schemas.errors import PermanentError, Reason
from services.analysis.alerting import Rule
from services.channels import channel_for
from services.serve import create_app
from services.settings import Settings
from services.store import announcing, deliveries, retrying
from services.store.alerts import list_alerts
from tests.channels.conftest import Postbox, Receiver, fetcher, receiver, serve_smtp
from tests.channels.kits.mail import PASSWORD
from tests.channels.kits.webhook import SECRET
from tests.cli.test_commands import run, with_database
from tests.stages.conftest import World, drift
from tests.stages.test_detect import HOUR, T0, due_now, flow, hear, replayed
from tests.stages.test_telling import fired, told
from workers.stages.deliver import deliver

__all__ = ["receiver", "replayed", "run", "serve_smtp", "with_database"]


@pytest.fixture
def house(replayed: World, receiver: Receiver) -> World:
    """A house whose one alert could not be told to `team`, and whose channels are real."""
    fired(replayed)
    with replayed.store.transaction() as tx:
        deliveries.add_channel(tx, "team", "webhook", {"url": receiver.url, "secret": SECRET})
    build: Callable[..., Any] = lambda kind, config: channel_for(kind, config, fetcher(), public_url="")  # noqa: E731
    world = replace(replayed, rt=replace(replayed.rt, channel=build))
    receiver.status = 403
    send(world)
    assert [state for _, state, _ in told(world)] == ["parked"]
    return world


def send(world: World) -> None:
    for _ in range(4):
        due_now(world)
        deliver(world.rt)


def again(world: World, **which: Any) -> list[Any]:
    with world.store.transaction() as tx:
        return retrying.retry(tx, world.clock(), **which)


def states(world: World) -> list[str]:
    return [state for _, state, _ in told(world)]


def test_what_a_server_refused_arrives_under_its_id_once_the_server_takes_it(house: World, receiver: Receiver) -> None:
    assert drift(house) == {}
    send(house)
    assert len(receiver.asked) == 1, "what is set aside is not tried by itself"
    (found,) = again(house, channel="team")
    assert (found["channel"], found["messages"]) == ("team", 1)
    assert (states(house), drift(house)) == (["pending"], {})
    assert house.one("select attempts from deliveries") == 0
    receiver.status = 500
    due_now(house)
    deliver(house.rt)
    assert (states(house), house.one("select attempts from deliveries")) == (["pending"], 1), "tries count anew"
    receiver.status = 200
    send(house)
    ids = [one.headers["webhook-id"] for one in receiver.asked]
    assert len(ids) == 3
    assert len(set(ids)) == 1
    assert (states(house), drift(house)) == (["sent"], {})
    assert again(house) == [], "what was sent is not sent again"


def test_a_mail_server_with_another_password_gets_it_once_that_is_right(
    house: World, serve_smtp: Callable[..., Postbox]
) -> None:
    box = serve_smtp()
    about = {"host": "127.0.0.1", "port": box.port, "security": "none", "sender": "watch@example.org"}
    for password, state in ((PASSWORD[::-1], "parked"), (PASSWORD, "sent")):
        login = {"to": ["a@x.example"], "username": "watch", "password": password}
        with house.store.transaction() as tx:
            deliveries.add_channel(tx, "team", "mail", about | login)
        assert again(house, channel="team")[0]["messages"] == 1
        send(house)
        assert states(house) == [state]
    assert len(box.got) == 1
    assert [box.logins[n][1] for n in (0, -1)] == [PASSWORD[::-1].encode(), PASSWORD.encode()]


@pytest.mark.parametrize("word", ["set aside", "parked"])
def test_what_was_kept_back_because_of_it_follows(house: World, receiver: Receiver, word: str) -> None:
    """However the version that kept it back worded why."""
    again(house)
    hear(house, [], T0 + 260 * HOUR)
    flow(house)
    send(house)
    assert states(house) == ["parked", "silenced"]
    with house.store.transaction() as tx:
        tx.execute(
            "update deliveries set reason = %s where state = 'silenced'",
            [f"the first message of this alert was {word}"],
        )
    assert again(house)[0]["messages"] == 1
    receiver.status = 200
    receiver.asked.clear()
    send(house)
    assert [json.loads(g.body)["type"] for g in receiver.asked] == ["alert.firing", "alert.resolved"]
    assert (states(house), drift(house)) == (["sent", "sent"], {})


def test_who_hears_of_an_alert_after_its_end_is_told_the_end(house: World, receiver: Receiver) -> None:
    with house.store.transaction() as tx:
        alert = list_alerts(tx, limit=1)[0]["alert_id"]
        announcing.end_by_hand(tx, alert, default=Rule(), now=house.clock(), by="vera")
    assert states(house) == ["parked"]
    again(house)
    again(house)
    receiver.status = 200
    receiver.asked.clear()
    send(house)
    assert [json.loads(g.body)["type"] for g in receiver.asked] == ["alert.firing", "alert.resolved"]
    assert drift(house) == {}


def test_what_is_told_together_is_sent_together_whichever_alert_is_asked_for(house: World, receiver: Receiver) -> None:
    house.rows(
        "insert into alerts (alert_id, kind, rule, frame, version_id, state, onset, last_bucket, raised_at, evidence)"
        " select 'b', kind, 'other', frame, version_id, state, onset, last_bucket, raised_at, evidence from alerts returning 1"
    )
    house.rows(
        "insert into deliveries (message_id, alert_id, channel_id, state, kind, step, subject, data, created_at,"
        " next_attempt_at, carried_by) select 'b:firing.team', 'b', channel_id, state, kind, step, subject, data,"
        " created_at, next_attempt_at, delivery_id from deliveries returning 1"
    )
    assert again(house, alert_id="b")[0]["messages"] == 1
    assert states(house) == ["pending", "pending"]
    receiver.status = 200
    send(house)
    assert len(receiver.asked) == 2
    assert (sorted(states(house)), drift(house)) == (["sent", "sent"], {})


def test_who_left_a_digest_is_left_alone(house: World) -> None:
    with house.store.transaction() as tx:
        deliveries.add_digest(tx, "daily", schedule="0 8 * * *", timezone="UTC", since=house.clock())
    house.rows(
        "insert into deliveries (message_id, digest, reader, channel_id, state, kind, subject, data, created_at,"
        " next_attempt_at) select 'd.' || r, 'daily', r, channel_id, 'parked', 'digest', 's', '{}', now(), now()"
        " from deliveries, unnest(array['left@x.example', 'here@x.example']) r returning 1"
    )
    house.rows("insert into digest_readers (digest, address, unsubscribed_at) values ('daily', 'left@x.example', now())"
               " returning 1")  # fmt: skip
    again(house)
    assert house.rows("select reader from deliveries where state = 'pending' and digest is not null") == [
        {"reader": "here@x.example"}
    ]


def test_only_channels_that_are_there_and_on_are_retried(house: World) -> None:
    with pytest.raises(PermanentError, match="there is no channel pager; see: framewatch channels list"):
        again(house, channel="pager")
    house.rows("update channels set state = 'paused' returning 1")
    with pytest.raises(PermanentError, match="framewatch channels add team webhook") as caught:
        again(house, channel="team")
    assert caught.value.reason == Reason.BAD_INPUT
    assert again(house) == []
    assert states(house) == ["parked"]


def test_hands_reach_it_terminal_api_and_console(
    house: World, receiver: Receiver, run: Any, with_database: Any, database_url: str
) -> None:
    alert = house.one("select alert_id from alerts")
    assert "framewatch channels retry" in run("doctor")[1] + run("status")[1]
    code, out, _ = run("channels", "retry", "team")
    assert (code, out.startswith("team: 1 message queued again; the oldest was made ")) == (0, True)
    assert run("channels", "retry")[1].startswith("Nothing is set aside")
    assert "there is no channel pager" in run("channels", "retry", "pager")[2]
    with TestClient(create_app(Settings(database_url=database_url)), base_url="http://127.0.0.1:8787") as web:
        assert "Send again" not in web.get(f"/alerts/{alert}").text
        send(house)
        answer = web.post("/api/v1/channels/team/retry")
        assert (answer.status_code, answer.json()["messages"]) == (202, 1)
        assert web.post("/api/v1/channels/team/retry").json() == {"channel": "team", "messages": 0, "oldest": None}
        assert web.post("/api/v1/channels/pager/retry").status_code == 404
        send(house)
        assert "Send again" in web.get(f"/alerts/{alert}").text
        done = web.post(f"/alerts/{alert}/retry", data={}, headers={"origin": "http://127.0.0.1:8787"})
        assert "sent once more" in done.text
    assert states(house) == ["pending"]
    send(house)
    told_json = json.loads(run("channels", "retry", "--json")[1])
    assert (told_json["queued"], told_json["channels"][0]["channel"]) == (1, "team")
