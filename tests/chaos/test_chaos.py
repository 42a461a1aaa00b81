"""A whole house while 20,000 posts flow: workers killed, Redis emptied, Postgres crashed, a worker put to sleep.

Afterwards nothing is lost, nothing is doubled, nothing drifts, and nobody had to lift a hand.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

import psutil
import pytest
import redis

from schemas.errors import FramewatchError
from services import demo
from services.embedded import child, cluster, privileges
from services.embedded.binaries import find_postgres
from services.embedded.redis import Redis
from services.store import codebooks, counts, feeds
from tests.living import Living, living
from tests.waiting import wait

POSTS = 20_000
KILLS = 20
WORKERS = ("worker-network", "worker-model", "worker-light")
LEASE_S = 3.0
FLOW_S = 50.0
"""The posts come over this long, so that every fault meets some."""


def posts() -> Iterator[dict]:
    """20,000 identities over some 2,500 distinct texts."""
    bundled = demo.posts()
    for i in range(POSTS):
        post, turn = bundled[i % len(bundled)], i // len(bundled)
        at = datetime.fromisoformat(post["published_at"]) + timedelta(seconds=turn)
        text = post["text"] + (f" ({turn % 4})" if turn % 4 else "")
        yield {**post, "id": f"{post['id']}-{turn}", "text": text, "published_at": at.isoformat()}


def write(path: Path) -> None:
    # In order of time, as a stream is.
    ordered = sorted(posts(), key=lambda p: p["published_at"])
    path.write_text("".join(json.dumps(p, ensure_ascii=False) + "\n" for p in ordered), encoding="utf-8")


def begin(house: Living, path: Path) -> None:
    (house.home / "book.yaml").write_text(demo.codebook_text(), encoding="utf-8")
    house.cli("codebook", "apply", str(house.home / "book.yaml"))
    store = house.store()
    with store.transaction() as tx:
        feeds.add_feed(
            tx, source="jsonl", address=str(path), title="chaos", now=datetime.now().astimezone(), interval_s=1,
            clock="feed", options=pace(path),
        )  # fmt: skip
    store.close()


def pace(path: Path) -> dict:
    with path.open(encoding="utf-8") as lines:
        first = json.loads(next(lines))["published_at"]
    now = datetime.now().astimezone().isoformat()
    return {"page": 250, "speed": 12 * 86_400 / FLOW_S, "started_at": now, "from": first}


def progress(house: Living) -> tuple[int, int]:
    """(stored, waiting); (-1, -1) while the database is away."""
    store = house.store()
    try:
        with store.transaction() as tx:
            found = counts.stored_identity(tx)
            return found["stored"], found["pending"]
    except FramewatchError:
        return -1, -1
    finally:
        store.close()


def kill(house: Living, name: str, number: int = signal.SIGKILL) -> int | None:
    pid = house.pid(name)
    if pid is None:
        return None
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        return None
    return pid


def kill_any(house: Living, dice: random.Random) -> int | None:
    alive = [name for name in WORKERS if house.pid(name)]
    return kill(house, dice.choice(alive)) if alive else None


def crash_postgres(house: Living) -> None:
    """pg_ctl stop -m immediate: no checkpoint, recovery from the log at the next start."""
    before = house.pid("postgres")
    programs = find_postgres()
    argv = [str(programs.folder / "pg_ctl"), "-D", str(house.home / "postgres"), "-m", "immediate", "stop"]
    identity = privileges.choose(programs.folder / "postgres", house.home)
    command = child.command(argv, death=signal.SIGKILL, mode=identity.mode)
    subprocess.run(command, check=True, capture_output=True, env=cluster.ENVIRONMENT, cwd="/")
    wait(lambda: house.pid("postgres") not in (None, before), 30)


def flush_redis(house: Living) -> None:
    client = redis.Redis.from_url(Redis(house.home).url)
    client.flushall()
    client.close()


def second_model_worker(house: Living) -> subprocess.Popen[bytes]:
    """Another worker on the model queue, to take over what a sleeper holds."""
    pid = house.pid("worker-model")
    env = dict(v.split("=", 1) for v in Path(f"/proc/{pid}/environ").read_text().split("\0") if "=" in v)
    argv = [sys.executable, "-m", "celery", "--app", "workers.app", "worker", "--pool", "solo", "--queues", "model"]
    with (house.home / "logs" / "second.log").open("ab") as log:
        return subprocess.Popen([*argv, "--hostname", "second@%h"], env=env, cwd=house.home, stdout=log, stderr=log)


def leased(house: Living) -> dict[int, int]:
    """Posts that the running model worker holds by lease alone.

    Those it is settling just now are locked, and nobody else's; older leases are those of a killed one.
    """
    store = house.store()
    try:
        with store.transaction() as tx:
            found = tx.execute(
                "select post_id, fence from queue where lease_until > clock_timestamp() + %s for update skip locked",
                [timedelta(seconds=LEASE_S - 0.7)],
            ).fetchall()
        return {r["post_id"]: r["fence"] for r in found}
    finally:
        store.close()


def taken_over(house: Living, held: dict[int, int]) -> bool:
    store = house.store()
    try:
        with store.transaction() as tx:
            found = tx.execute("select post_id, fence from queue where post_id = any(%s)", [list(held)]).fetchall()
        left = {r["post_id"]: r["fence"] for r in found}
        return any(left.get(post_id) != fence for post_id, fence in held.items())
    finally:
        store.close()


def put_to_sleep(house: Living) -> tuple[int, dict[int, int]] | None:
    """Stop the model worker, and keep it stopped if it holds posts that it has not settled.

    One killed a moment ago may still have its number, or lose it meanwhile: what it held is nobody's.
    """
    with suppress(ProcessLookupError, psutil.NoSuchProcess):
        if (pid := house.pid("worker-model")) is None:
            return None
        os.kill(pid, signal.SIGSTOP)
        if (held := leased(house)) and psutil.Process(pid).status() == psutil.STATUS_STOPPED:
            return pid, held
        os.kill(pid, signal.SIGCONT)
        time.sleep(0.05)
    return None


def fenced_off(house: Living) -> int:
    store = house.store()
    try:
        with store.transaction() as tx:
            return next((s["fenced_off"] for s in counts.stage_runs(tx) if s["stage"] == "classify"), 0)
    finally:
        store.close()


def sleep_past_the_lease(house: Living) -> None:
    """The model worker sleeps in the middle of its work until another has taken over, and is woken then."""
    pid, held = wait(lambda: put_to_sleep(house), 30, every=0.02)
    second = second_model_worker(house)
    try:
        wait(lambda: taken_over(house, held), LEASE_S + 25)
        os.kill(pid, signal.SIGCONT)
        wait(lambda: fenced_off(house), 20)
    finally:
        second.kill()
        second.wait()


@pytest.mark.chaos
@pytest.mark.timeout(240)
def test_nothing_is_lost_and_nothing_doubled_whatever_is_killed(tmp_path: Path) -> None:
    dice = random.Random(7)
    home = tmp_path / "home"
    path = home / "files" / "posts.jsonl"
    path.parent.mkdir(parents=True)
    write(path)
    with living(home, model="noop", lease_seconds=str(LEASE_S)) as house:
        begin(house, path)
        wait(lambda: progress(house)[0] > 0, 40)
        killed: list[int] = []
        flowing = 0
        events = {5: flush_redis, 9: crash_postgres, 13: flush_redis, 16: sleep_past_the_lease}
        for turn in range(KILLS):
            time.sleep(dice.uniform(0.2, 1.2))
            if event := events.get(turn):
                event(house)
            killed.append(wait(lambda: kill_any(house, dice), 20))
            flowing += progress(house)[0] < POSTS
        # Each fault is shown to have met work: a test of faults that hit nothing proves nothing.
        assert len(killed) == KILLS
        assert flowing >= KILLS * 0.8
        wait(lambda: progress(house) == (POSTS, 0), 100)
        wait(lambda: house.cli("verify", check=False).returncode == 0 and settled(house), 40)
        told = house.cli("verify").stdout
        assert "Everything adds up" in told
        store = house.store()
        with store.transaction() as tx:
            stored = counts.stored_identity(tx)
            assert (stored["stored"], stored["scored"], stored["parked"]) == (POSTS, POSTS, 0)
            assert counts.intake_identity(tx)["new"] == POSTS
            assert counts.totals(tx)["embeddings"] == distinct()
            assert codebooks.any_building(tx) is False
        store.close()
        assert fenced_off(house) > 0
        restarts = {n: p["restarts"] for n, p in house.run["processes"].items()}
        assert sum(restarts[n] for n in WORKERS) >= KILLS * 0.8
        assert restarts["postgres"] >= 1


def settled(house: Living) -> bool:
    store = house.store()
    try:
        with store.transaction() as tx:
            return not any(b["waiting"] for b in counts.backlog(tx) if b["stage"] != "collect")
    finally:
        store.close()


def distinct() -> int:
    from services.analysis.text import text_hash

    return len({text_hash(p["text"]) for p in posts()})
