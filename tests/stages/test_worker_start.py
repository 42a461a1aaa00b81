"""A process becomes a worker before its first task, or says why it cannot; beat, which only ticks, stays small."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from services.embedded.redis import Redis
from tests.waiting import wait
from workers.boot import EX_CONFIG

Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "worker.log"


@pytest.fixture
def start(database_url: str, tmp_path: Path, log: Path) -> Iterator[Start]:
    """Starts a worker of the model queue, as `framewatch up` does, with a model."""
    redis = Redis(tmp_path / "home")
    redis.start()
    started: list[subprocess.Popen[bytes]] = []

    def worker(model: str) -> subprocess.Popen[bytes]:
        env = {"PATH": "/usr/bin:/bin", "FRAMEWATCH_HOME": str(tmp_path), "FRAMEWATCH_AUTHOR_KEY": "a key of the tests",
               "FRAMEWATCH_DATABASE_URL": database_url, "FRAMEWATCH_REDIS_URL": redis.url, "FRAMEWATCH_MODEL": model}  # fmt: skip
        argv = [sys.executable, "-m", "celery", "--app", "workers.app", "worker", "--pool", "solo", "--queues", "model"]
        with log.open("wb") as out:
            started.append(subprocess.Popen(argv, env=env, stdout=out, stderr=out))
        return started[-1]

    yield worker
    for process in started:
        with suppress(ProcessLookupError):
            process.kill()
        process.wait()
    redis.stop()


def test_a_model_worker_has_its_model_before_anybody_asks(start: Start, log: Path) -> None:
    process = start("noop")
    wait(lambda: "model_loaded" in log.read_text() or process.poll() is not None, 60)
    assert process.poll() is None, log.read_text()


def test_a_model_worker_without_its_model_says_so_and_is_not_started_again(start: Start, log: Path) -> None:
    assert start("/nowhere/a-model.onnx").wait(60) == EX_CONFIG
    assert "cannot_start" in log.read_text()


def test_what_beat_imports_is_small() -> None:
    told = "import sys, workers.tasks; print(*(m for m in ('workers.boot', 'psycopg', 'numpy', 'httpx') if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
