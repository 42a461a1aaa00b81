"""Homes for real servers, and scripts run in a process of their own that can be killed."""

import contextlib
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import psycopg
import pytest

from services.embedded.postgres import Postgres
from tests.waiting import wait

ROOT = Path(__file__).parents[2]


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """A home whose database was made and stopped once, to copy."""
    home = tmp_path_factory.mktemp("made") / "home"
    server = Postgres(home)
    server.start()
    server.stop()
    return home


@pytest.fixture
def until():
    """Wait for something to become true."""
    return lambda condition, seconds=10.0: wait(condition, seconds, 0.02)


@pytest.fixture
def script():
    """Run Python text in a child that has the project on its path; killed at the end of the test."""
    started = []

    def run(text, *arguments, wrap=lambda argv: argv):
        text = f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{text}"
        child = subprocess.Popen(
            wrap([sys.executable, "-c", text, *map(str, arguments)]), stdout=subprocess.PIPE, text=True
        )
        started.append(child)
        return child

    yield run
    for child in started:
        with contextlib.suppress(ProcessLookupError):
            child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()


@pytest.fixture
def rows():
    """Count the rows of table t, after adding `add` rows."""

    def count(url, add=0):
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS t (i int)")
            for i in range(add):
                connection.execute("INSERT INTO t VALUES (%s)", (i,))
                connection.commit()
            return connection.execute("SELECT count(*) FROM t").fetchone()[0]

    return count


@pytest.fixture
def family():
    """A process and all its descendants, to ask later which of them still live."""

    def members(pid):
        root = psutil.Process(pid)
        return [root, *root.children(recursive=True)]

    return members
