"""Long nightly work waits for nobody and nobody waits for it: real workers, a real broker, a run that does not end."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from celery import Celery

from services.embedded.redis import Redis
from services.store import counts
from services.store.pool import Store
from tests.waiting import wait
from workers.app import app as ours
from workers.schedule import QUEUES, TICKS

WORKER = """
import pathlib, sys, time
from workers.app import app
from workers.runtime import Outcome
from workers.stages import suggest
began, over = map(pathlib.Path, sys.argv[2:])
def suggesting(rt):
    began.touch()
    while not over.exists():
        time.sleep(0.05)
    return Outcome(rows=1)
suggest.suggest = suggesting
app.worker_main(["worker", "--pool", "solo", "--queues", sys.argv[1], "--hostname", sys.argv[1] + "@%h",
                 "--without-gossip", "--without-mingle", "--without-heartbeat"])
"""


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Redis]:
    server = Redis(tmp_path / "home")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def broker(redis: Redis) -> str:
    return redis.url


@pytest.fixture
def start(broker: str, database_url: str, tmp_path: Path) -> Iterator[Callable[[str], None]]:
    """Starts a worker of one queue; in it, suggest begins and lasts until somebody says that it is over."""
    started: list[subprocess.Popen[bytes]] = []
    env = {k: v for k, v in os.environ.items() if not k.startswith("FRAMEWATCH_")}
    env |= {"FRAMEWATCH_HOME": str(tmp_path), "FRAMEWATCH_AUTHOR_KEY": "a key of the tests",
            "FRAMEWATCH_DATABASE_URL": database_url, "FRAMEWATCH_REDIS_URL": broker}  # fmt: skip

    def worker(queue: str) -> None:
        argv = [sys.executable, "-c", WORKER, queue, str(tmp_path / "began"), str(tmp_path / "over")]
        with (tmp_path / f"{queue}.log").open("wb") as log:
            started.append(subprocess.Popen(argv, env=env, stdout=log, stderr=log))

    yield worker
    (tmp_path / "over").touch()
    for process in started:
        process.kill()
        process.wait()


def ran(store: Store) -> set[str]:
    with store.transaction() as tx:
        return {r["stage"] for r in counts.stage_runs(tx)}


def test_detect_does_not_wait_for_a_long_suggest(
    start: Callable[[str], None], broker: str, store: Store, tmp_path: Path
) -> None:
    app = Celery("test", broker=broker)
    app.conf.broker_transport_options = {"global_keyprefix": "framewatch:"}

    def ask(stage: str) -> None:
        app.send_task(stage, queue=QUEUES[stage], ignore_result=True)

    for queue in {QUEUES["suggest"], QUEUES["detect"]}:
        start(queue)
    ask("suggest")
    wait((tmp_path / "began").exists, 60)
    ask("detect")
    wait(lambda: "detect" in ran(store), 30)
    assert "suggest" not in ran(store)
    (tmp_path / "over").touch()
    wait(lambda: "suggest" in ran(store), 30)


def test_a_worker_whose_broker_went_away_hears_it_again(
    start: Callable[[str], None], redis: Redis, store: Store, tmp_path: Path
) -> None:
    app = Celery("test", broker=redis.url)
    app.conf.broker_transport_options = {"global_keyprefix": "framewatch:"}
    start(QUEUES["detect"])
    app.send_task("detect", queue=QUEUES["detect"], ignore_result=True)
    wait(lambda: "detect" in ran(store), 30)
    redis.stop()
    wait(lambda: "Connection refused" in (tmp_path / "light.log").read_text(), 30)
    redis.start()
    app.send_task("digest", queue=QUEUES["digest"], ignore_result=True)
    wait(lambda: "digest" in ran(store), 30)


def test_what_is_nudged_or_ticks_within_a_minute_has_queues_without_long_work() -> None:
    long = QUEUES["suggest"]
    assert {stage for stage, queue in QUEUES.items() if queue == long and TICKS[stage] < 60} == set()


def test_every_stage_has_a_task_a_queue_and_a_tick_that_finds_its_rows_again() -> None:
    ours.loader.import_default_modules()
    stages = {path.stem for path in Path("workers/stages").glob("[a-z]*.py")}
    assert stages == set(QUEUES) == set(TICKS) == {name for name in ours.tasks if "." not in name}


ALONE = """
from workers.boot import nudge, run_stage
from workers.runtime import Outcome
run_stage("rollup", lambda rt: Outcome(rows=7, wake=("detect",), again=True))
"""


def test_without_a_broker_a_run_does_its_work_and_is_written_down(
    database_url: str, store: Store, tmp_path: Path
) -> None:
    env = {"PATH": "/usr/bin:/bin", "FRAMEWATCH_HOME": str(tmp_path), "FRAMEWATCH_AUTHOR_KEY": "a key of the tests",
           "FRAMEWATCH_DATABASE_URL": database_url, "FRAMEWATCH_REDIS_URL": "redis://127.0.0.1:1/0"}  # fmt: skip
    done = subprocess.run([sys.executable, "-c", ALONE], env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    with store.transaction() as tx:
        assert [(r["stage"], r["rows"]) for r in counts.stage_runs(tx)] == [("rollup", 7)]
