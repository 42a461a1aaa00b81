"""One mail a slot and reader, whatever happens to beats, workers and mail servers; and readers can leave."""

import asyncio
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta

import pytest
from psycopg.types.json import Jsonb
from starlette.testclient import TestClient

from services.analysis import headlines
from services.analysis.unsubscribing import token
from services.api import create_api
from services.store import alerts, deliveries, digesting, digests
from services.store.digesting import Edition
from tests.api import seeded
from tests.channels.conftest import serve_smtp
from tests.stages.conftest import FakeChannel, World
from tests.stages.digest_worker import KEY, runtime
from tests.stages.test_detect import T0, flow, hear, history, replayed
from tests.waiting import came, wait
from workers.stages.deliver import deliver
from workers.stages.digest import digest

__all__ = ["replayed", "serve_smtp"]
PEOPLE = ["Alice <alice@example.org>", "bob@example.org"]
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def house(store, database_url):
    """A house with a codebook, judged by the wall clock, and a daily digest whose slot came a few minutes ago."""
    version_id = seeded.add_codebook(
        store, "codebook: c\ntitle: C\nframes:\n  - {id: f, title: F, description: D, examples: [x]}\n"
    )
    with store.transaction() as tx:
        tx.execute("update watches set evaluated_until = now() where version_id = %s", (version_id,))
        at = datetime.now(UTC)
        due = at - timedelta(minutes=2)
        deliveries.add_digest(
            tx, "daily", schedule=f"{due.minute} {due.hour} * * *", timezone="UTC", since=at - timedelta(days=2)
        )
    return database_url


def add_mail(store, port, name="team", to=PEOPLE):
    config = {"to": to, "sender": "watch@example.org", "host": "127.0.0.1", "port": port, "security": "none"}
    with store.transaction() as tx:
        deliveries.add_channel(tx, name, "mail", config)


def worker(url, stage, lease=30.0):
    argv = [sys.executable, "-m", "tests.stages.digest_worker", url, stage, str(lease)]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def ask(store, query):
    with store.transaction() as tx:
        return tx.execute(query).fetchall()


def test_two_beats_and_four_workers_fill_a_slot_once_and_send_each_reader_one_mail(house, store, serve_smtp):
    box = serve_smtp()
    add_mail(store, box.port)
    filled = [p.communicate(timeout=60) for p in [worker(house, "digest") for _ in range(4)]]
    assert sorted(out.strip() for out, _ in filled) == ["0", "0", "0", "1"], filled
    sent = [p.communicate(timeout=60) for p in [worker(house, "deliver") for _ in range(2)]]
    assert sum(int(out) for out, _ in sent) == 2, sent
    assert sorted(to for _, (to,) in box.envelopes) == ["alice@example.org", "bob@example.org"]
    assert len({m["Message-ID"] for m in box.got}) == 2
    assert len(ask(store, "select from digest_slots")) == 1


def test_a_worker_killed_while_it_sends_costs_no_mail_and_doubles_none(house, store, serve_smtp):
    box, reached, go_on = serve_smtp(), threading.Event(), threading.Event()
    add_mail(store, box.port, to=["alice@example.org"])
    assert digest(runtime(store, 30)).rows == 1

    async def hold(server, session, envelope, address, options):
        reached.set()
        while not go_on.is_set():
            await asyncio.sleep(0.02)
        envelope.rcpt_tos.append(address)
        return "250 fine"

    box.handle_RCPT = hold
    first = worker(house, "deliver", lease=2)
    came(reached, 60)
    first.send_signal(signal.SIGKILL)
    first.communicate(timeout=30)
    go_on.set()
    # Nobody takes the message over before the lease has run out; then somebody does, once.
    again = runtime(store, 30)
    wait(lambda: deliver(again).rows, 30)
    assert deliver(again).rows == 0
    assert len(box.got) == 1
    assert ask(store, "select state, attempts from deliveries") == [{"state": "sent", "attempts": 2}]


def test_a_server_that_drops_the_line_gets_the_same_mail_again_and_others_none_twice(house, store, serve_smtp):
    box, dropped = serve_smtp(), []
    add_mail(store, box.port)
    take = box.handle_DATA

    async def drop(server, session, envelope):
        if envelope.rcpt_tos == ["bob@example.org"] and not dropped:
            dropped.append(envelope.original_content)
            server.transport.abort()
            return None
        return await take(server, session, envelope)

    box.handle_DATA = drop
    rt = runtime(store, 30)
    digest(rt)
    assert (deliver(rt).rows, len(dropped), len(box.got)) == (1, 1, 1)
    ask_again = "update deliveries set next_attempt_at = now() where state = 'pending' returning 1"
    assert len(ask(store, ask_again)) == 1
    assert deliver(rt).rows == 1
    assert sorted(to for _, (to,) in box.envelopes) == ["alice@example.org", "bob@example.org"]
    kept = next(m for m in box.got if "bob" in m["To"])
    # What the server may have taken before the line fell is known to be the same by its id.
    assert f"Message-ID: {kept['Message-ID']}".encode() in dropped[0]


def test_a_reader_leaves_with_one_click_and_is_left_alone(house, store, serve_smtp):
    box = serve_smtp()
    add_mail(store, box.port)
    add_mail(store, box.port, name="also", to=["ALICE@example.org"])
    rt = runtime(store, 30)
    digest(rt)
    deliver(rt)
    assert len(box.got) == 2, "two channels, one reader: one mail"
    mine = next(m for m in box.got if "alice" in m["To"])
    assert mine["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = mine["List-Unsubscribe"].strip("<>")
    assert link.startswith("https://watch.example/leave/")
    assert link in mine.get_body(("plain",)).get_content()
    web = TestClient(
        create_api(store, now=lambda: datetime.now(UTC), intake=None, token="x" * 20, reader_of=_reader_of)
    )
    path = link.removeprefix("https://watch.example")
    assert "Leave this digest?" in web.get(path).text
    assert ask(store, "select from digest_readers where unsubscribed_at is not null") == [], "looking changes nothing"
    done = web.post(path, data={"List-Unsubscribe": "One-Click"})
    assert (done.status_code, "You have left" in done.text) == (200, True)
    assert web.post(path).status_code == 200
    ask(store, "delete from deliveries returning 1")
    ask(store, "update digest_slots set slot = slot - interval '1 day' returning 1")
    digest(rt)
    deliver(rt)
    assert [to for _, (to,) in box.envelopes[2:]] == ["bob@example.org"]
    with store.transaction() as tx:
        assert digests.resubscribe(tx, "daily", "Alice@example.org")


def _reader_of(given):
    from services.analysis.unsubscribing import reader_of

    return reader_of(KEY, given)


def test_what_waits_for_who_leaves_is_not_sent(house, store, serve_smtp):
    box = serve_smtp()
    add_mail(store, box.port)
    rt = runtime(store, 30)
    digest(rt)
    with store.transaction() as tx:
        for reader in tx.execute("select reader_id from digest_readers").fetchall():
            digests.unsubscribe(tx, reader["reader_id"], datetime.now(UTC))
    assert deliver(rt).rows == 0
    assert {(r["state"], r["reason"]) for r in ask(store, "select state, reason from deliveries")} == {
        ("silenced", "unsubscribed")
    }
    ask(store, "update digest_slots set slot = slot - interval '1 day' returning 1")
    digest(rt)
    assert ask(store, "select reason from deliveries order by delivery_id desc limit 1") == [
        {"reason": "everybody has left"}
    ]


@pytest.mark.parametrize("given", ["1-AAAAAAAAAAAAAAAAAAAAAA", "nothing", token(b"another house", 1), token(KEY, 99)])
def test_nobody_leaves_for_another(house, store, serve_smtp, given):
    add_mail(store, serve_smtp().port)
    digest(runtime(store, 30))
    web = TestClient(create_api(store, now=lambda: datetime.now(UTC), intake=None, reader_of=_reader_of))
    assert {web.get(f"/leave/{given}").status_code, web.post(f"/leave/{given}").status_code} == {404}
    assert ask(store, "select from digest_readers where unsubscribed_at is not null") == []


def test_a_digest_goes_to_its_own_channels_and_may_keep_silent(replayed: World) -> None:
    hear(replayed, history(), T0 + timedelta(days=10))
    flow(replayed)
    with replayed.store.transaction() as tx:
        for name in ("one", "two"):
            deliveries.add_channel(tx, name, "webhook", {})
        about = {"schedule": "0 7 * * *", "timezone": "Europe/Berlin", "since": T0}
        assert deliveries.add_digest(tx, "loud", **about, channels=["two"], silent=True)
        assert not deliveries.add_digest(tx, "loud", **about)
        tx.execute("update digests set since = '2016-12-09' where digest = 'loud'")
    assert digest(replayed.rt).rows == 1
    sent = replayed.rows("select message_id, state, data from deliveries where kind = 'digest'")
    assert [(r["message_id"], r["state"]) for r in sent] == [("digest.loud.20161210T060000Z.two", "pending")]
    body = sent[0]["data"]
    assert (body["period"]["from"], body["timezone"]) == ("2016-12-09T06:00:00+00:00", "Europe/Berlin")
    assert body["frames"][0]["moved"] == "burst"
    assert body["alerts"][0]["typical"][0]["text"].startswith("theatre")
    chart = body["frames"][0]["chart"]
    assert (len(chart["units"]), chart["new"], max(chart["burst"]) >= chart["new"]) == (168, 144, True)
    with replayed.store.transaction() as tx:
        tx.execute("update digest_slots set slot = '2016-12-01'")
        tx.execute("delete from deliveries")
        tx.execute("delete from alerts")
        tx.execute("update digests set schedule = '0 3 5 * *' where digest = 'loud'")
    assert digest(replayed.rt).rows == 1
    assert replayed.rows("select state, reason from deliveries where kind = 'digest'") == [
        {"state": "silenced", "reason": "nothing to tell"}
    ]


def test_a_replay_that_was_not_judged_yet_has_no_digest(replayed: World) -> None:
    hear(replayed, history(), T0 + timedelta(days=10))
    with replayed.store.transaction() as tx:
        deliveries.add_digest(tx, "daily", schedule="0 7 * * *", timezone="UTC", since=T0)
    assert digest(replayed.rt).rows == 0
    flow(replayed)
    assert digest(replayed.rt).rows == 1
    assert isinstance(replayed.channel, FakeChannel)


def test_a_digest_tells_of_its_own_period(replayed: World) -> None:
    hear(replayed, history(), T0 + timedelta(days=10))
    flow(replayed)
    with replayed.store.transaction() as tx:
        evidence = alerts.read_alert(tx, alerts.list_alerts(tx, limit=1)[0]["alert_id"])["evidence"]
        slot = datetime.fromisoformat(evidence["until"]) + 2 * HOUR
        today, tomorrow = (Edition("own", slot + i * DAY, slot + (i - 1) * DAY, "UTC") for i in (0, 1))
        first, second = digesting.read_digest(tx, today), digesting.read_digest(tx, tomorrow)
        moved, still = first["frames"][0], second["frames"][0]
        assert (moved["moved"], moved["alert"], moved["condition"]) == ("burst", "new", "on alert")
        told = tx.execute(
            "select sum(units)::int as units, sum(expected) as expected from verdicts where frame = %s and bucket >= %s"
            " and bucket < %s and state in ('ok', 'burst')", (moved["id"], slot - DAY, slot),
        ).fetchone()  # fmt: skip
        assert moved["ratio"] == pytest.approx(told["units"] / told["expected"])
        assert f"{told['units']} voices hour by hour" in moved["against"]
        assert headlines.news(first).startswith(f"{moved['title']} on alert, ")
        assert (still["alert"], still["condition"], still["ratio"]) == ("on", "on alert", None)
        assert still["moved"] != "burst"
        # What the digest before could not tell of is news, however long ago it fired.
        deliveries.add_digest(tx, "own", schedule="0 7 * * *", timezone="UTC", since=T0)
        deliveries.fill_slot(tx, "own", slot, body={**first, "alerts": []}, now=slot)
        assert digesting.read_digest(tx, tomorrow)["frames"][0]["alert"] == "new"
        tx.execute("update digest_slots set body = %s", (Jsonb(first),))
        assert digesting.read_digest(tx, tomorrow)["frames"][0]["alert"] == "on"


def test_the_end_of_an_alert_is_told_once(replayed: World) -> None:
    hear(replayed, history(), T0 + timedelta(days=10))
    flow(replayed)
    with replayed.store.transaction() as tx:
        last = tx.execute("update alerts set state = 'resolved' returning last_bucket").fetchone()["last_bucket"]
        over = last + DAY + HOUR
        bodies = [
            digesting.read_digest(tx, Edition("own", over + i * DAY - HOUR, over + (i - 1) * DAY - HOUR, "UTC"))
            for i in (1, 2)
        ]
    assert [b["frames"][0]["alert"] for b in bodies] == ["over", None]
    assert headlines.news({**bodies[0], "totals": {"posts": 1}, "coverage": 1.0}).endswith(": alert over")
