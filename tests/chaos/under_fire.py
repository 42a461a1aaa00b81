"""Alerts under fire: worker processes that detect and deliver are killed at random while a receiver fails a third.

Used by the test beside it. A thousand transitions: python -m tests.chaos 334
"""

import json
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from services.analysis.identities import identities
from services.store import codebooks, counts, deliveries, feeds
from services.store.pool import Store
from services.store.posts import ensure_post_partitions

T0 = datetime(2016, 12, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
LEASE = timedelta(seconds=1)
QUIET_H, SPREAD_H, GROWS_H, END_H = 216, 12, 3, 60
WORK = multiprocessing.get_context("forkserver")
WORK.set_forkserver_preload(["tests.chaos.under_fire", "workers.stages.detect", "workers.stages.deliver"])

POSTS = """
with said as (
  select f, n, %(t0)s::timestamptz + h * interval '1 hour' + n * interval '40 seconds' as at
  from generate_series(0, %(frames)s - 1) f
  cross join lateral (
    select 10 + 50 * g + f %% 7 as h, g as n from generate_series(0, 3) g
    union all select %(quiet)s + f %% %(spread)s, n from generate_series(100, 109) n
    union all select %(quiet)s + %(grows)s + f %% %(spread)s, n from generate_series(110, 149) n) s
), keyed as (
  insert into post_keys (source, native_id, received_day, content_hash)
  select 'rss', f || '-' || n, %(day)s, '' from said returning native_id, post_id
), stored as (
  insert into posts select %(day)s, k.post_id, 1, 'rss', k.native_id, 'https://e.org/' || k.native_id, 'a' || k.native_id,
    'en', 'text ' || k.native_id, decode(md5(k.native_id), 'hex'), decode(md5(k.native_id), 'hex'), '', '{}', s.at,
    'stated', s.at
  from said s join keyed k on k.native_id = s.f || '-' || s.n
)
insert into carried select %(version)s, 'f' || s.f, s.at, k.post_id, date_bin('5 min', s.at, %(t0)s), 'rss', 'en',
  'a' || k.native_id, decode(md5(k.native_id), 'hex'), 0.9
from said s join keyed k on k.native_id = s.f || '-' || s.n
"""
POINTS = """
insert into trend_points
select version_id, coalesce(frame, '*'), bucket, source, lang, count(*), count(*), count(*)
from carried group by grouping sets ((version_id, frame, bucket, source, lang), (version_id, bucket, source, lang))
"""


class Receiver:
    """An HTTP receiver that fails a third of the time, sometimes after it has taken the message."""

    def __init__(self, seed: int) -> None:
        self.dice, self.lock = random.Random(seed), threading.Lock()
        self.first: dict[str, float] = {}
        self.bodies: dict[str, str] = {}
        self.repeats = self.failed = 0
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                self.send_response(receiver.take(self.headers["webhook-id"], body["data"]))
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self.server.server_address[1])

    def take(self, message_id: str, data: dict) -> int:
        with self.lock:
            roll = self.dice.random()
            self.failed += roll < 1 / 3
            if roll < 1 / 6:
                return 503
            told = [
                (message_id, data["alert_id"]),
                *((t["message_id"], t["alert_id"]) for t in data.get("together", ())),
            ]
            for key, alert in told:
                self.repeats += key in self.first
                self.first.setdefault(key, time.monotonic())
                assert self.bodies.setdefault(key, alert) == alert, "one id for two alerts"
            return 503 if roll < 1 / 3 else 204


def work(url: str, port: int, seed: int) -> None:
    """A worker process: detect and deliver until somebody kills it."""
    from services.channels import channel_for
    from services.fetch import Fetcher
    from workers.runtime import Runtime
    from workers.stages.deliver import deliver
    from workers.stages.detect import detect

    fetcher = Fetcher(allow_networks=f"127.0.0.1:{port}", contact="")
    nobody = dict.fromkeys(("source", "stream", "gone", "encoder", "learn", "read_heads", "wordings", "intake"))
    rt = Runtime(
        store=Store(url, size=10, name="under fire"), lease=LEASE, now=lambda: datetime.now(UTC),
        chance=random.Random(seed).random,
        channel=lambda kind, config: channel_for(kind, config, fetcher, public_url=""), **nobody,
    )  # fmt: skip
    while True:
        if not detect(rt).rows and not deliver(rt).rows:
            time.sleep(0.05)
        deliver(rt)


def seed(store: Store, frames: int, port: int) -> None:
    """A quiet week and more of every frame, then a burst that grows; heard up to the burst."""
    day = datetime.now(UTC).date()
    with store.transaction() as tx:
        ensure_post_partitions(tx, day, day)
        version, _ = codebooks.add_codebook(tx, codebook="fire", title="Fire", body="", state="current", now=T0)
        codebooks.add_frames(
            tx, version, [{"id": f"f{i}", "title": f"Frame {i}", "description": ""} for i in range(frames)]
        )
        about = {"source": "rss", "address": "https://e.org/feed", "title": "", "interval_s": 60, "clock": "feed"}
        feeds.add_feed(tx, now=T0, **about)
        tx.execute("update feeds set state = 'ended'")
        deliveries.add_channel(tx, "hook", "webhook", {"url": f"http://127.0.0.1:{port}/hook", "secret": ""})
        values = {"frames": frames, "t0": T0, "quiet": QUIET_H, "spread": SPREAD_H, "grows": GROWS_H}
        tx.execute(POSTS, {**values, "day": day, "version": version})
        tx.execute(POINTS)
    hear(store, QUIET_H)


def hear(store: Store, until: int) -> None:
    """The stream has come so many hours far; what waits for a retry is due."""
    at = T0 + until * HOUR
    with store.transaction() as tx:
        feeds.extend_expected(tx, 1, T0, at)
        feeds.add_heard(tx, 1, T0, at)
        tx.execute("update feeds set heard_until = %s", [at])
    hurry(store)


def hurry(store: Store) -> None:
    """Hours pass: what waits for its next attempt is due now."""
    with store.transaction() as tx:
        tx.execute("update deliveries set next_attempt_at = clock_timestamp() where state = 'pending' and attempts > 0")


def judged(store: Store, until: int) -> bool:
    with store.transaction() as tx:
        row = tx.execute(
            "select bool_and(coalesce(evaluated_until >= %s, false)) as done from watches", [T0 + until * HOUR]
        ).fetchone()
    return bool(row and row["done"])


def numbers(store: Store) -> dict:
    with store.transaction() as tx:
        return dict(counts.alert_identity(tx))


def drifts(store: Store) -> bool:
    """Whether the identity of alerts is broken at this moment."""
    found = numbers(store)
    return found["raised"] != sum(found[k] for k in ("delivered", "pending", "parked", "silenced"))


def under_fire(url: str, frames: int, *, kills: int, seconds: float) -> tuple[Receiver, int]:
    """Run all of it until everything is told; the receiver, and how many processes were killed."""
    dice, receiver, store = random.Random(frames), Receiver(frames), Store(url, size=2, name="test")
    seed(store, frames, receiver.port)
    workers = [_worker(url, receiver.port, i) for i in range(2)]
    killed, hour, end = 0, QUIET_H, time.monotonic() + seconds
    try:
        while time.monotonic() < end:
            time.sleep(dice.uniform(0.05, 0.4))
            assert not drifts(store)
            if hour < QUIET_H + END_H and judged(store, hour):
                hour += 3
                hear(store, hour)
            hurry(store)
            if killed < kills:
                which = dice.randrange(len(workers))
                os.kill(workers[which].pid or 0, signal.SIGKILL)
                workers[which].join()
                workers[which] = _worker(url, receiver.port, killed + 10)
                killed += 1
            elif hour >= QUIET_H + END_H and judged(store, hour) and _all_told(store, frames):
                break
    finally:
        for worker in workers:
            worker.kill()
            worker.join()
        receiver.server.shutdown()
        receiver.server.server_close()
    check(store, receiver, frames)
    store.close()
    return receiver, killed


def check(store: Store, receiver: Receiver, frames: int) -> None:
    """Each alert came, with its end, under one id each; none twice; everything adds up."""
    with store.transaction() as tx:
        raised = {r["alert_id"]: r for r in tx.execute("select alert_id, frame, onset from alerts").fetchall()}
        made = {r["message_id"] for r in tx.execute("select message_id from deliveries").fetchall()}
        states = {r["state"] for r in tx.execute("select distinct state from deliveries").fetchall()}
        alerts_add_up = identities(counts.identity_rows(tx))[-1]
    assert sorted(r["frame"] for r in raised.values()) == sorted(f"f{i}" for i in range(frames)), "one alert a frame"
    assert (alerts_add_up.left, alerts_add_up.parts["delivered"], alerts_add_up.drift) == (frames, frames, 0)
    assert states == {"sent"}
    assert receiver.first.keys() == made, "what was told is what was written down"
    for alert, row in raised.items():
        beginning, end = (f"{alert}:{step}.hook" for step in ("firing", "resolved"))
        assert receiver.first[beginning] < receiver.first[end], "the end came before the beginning"
        # Growth is told of each that fired before it grew.
        early = row["onset"] == T0 + (QUIET_H + 1 + int(row["frame"][1:]) % SPREAD_H) * HOUR
        assert (f"{alert}:escalated:1.hook" in made) == early, row
    assert sum(":firing." in k for k in receiver.first) == frames


def _worker(url: str, port: int, number: int) -> multiprocessing.process.BaseProcess:
    process = WORK.Process(target=work, args=(url, port, number), daemon=True)
    process.start()
    return process


def _all_told(store: Store, frames: int) -> bool:
    with store.transaction() as tx:
        row = tx.execute(
            "select (select count(*) from deliveries where state = 'pending') as waiting,"
            " (select count(*) from alerts where state = 'resolved') as over"
        ).fetchone()
    return bool(row and row["waiting"] == 0 and row["over"] == frames)


def main() -> None:
    from services.embedded.postgres import Postgres
    from services.store.migrate import prepare

    frames = int(sys.argv[1]) if len(sys.argv) > 1 else 334
    with tempfile.TemporaryDirectory() as folder:
        server = Postgres(Path(folder))
        server.start()
        try:
            prepare(server.url, datetime.now(UTC).date())
            began = time.monotonic()
            receiver, killed = under_fire(server.url, frames, kills=frames // 3, seconds=3600)
        finally:
            server.stop()
    print(
        f"{frames} alerts, {len(receiver.first)} messages, {receiver.failed} failed answers, {receiver.repeats} repeats, "
        f"{killed} processes killed, {time.monotonic() - began:.0f} s: each came under its one id, none was raised twice"
    )
