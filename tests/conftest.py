"""Real servers for the whole run: one Postgres with a migrated template, and a copy of it for each test."""

import itertools
import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psutil
import psycopg
import pytest
from hypothesis import settings

from services.embedded.postgres import Postgres
from services.store.migrate import prepare
from services.store.pool import Store

# Several processes share a run, and where a server is given they share that too: each makes databases of its own.
TEMPLATE = f"framewatch_tests_{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"
_numbers = itertools.count(1)

RELAXED = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "max_wal_size": "160MB"}
MEMORY, ROOM = Path("/dev/shm"), 2 * 2**30

# A process a core is enough: threads of one that wait for those of another turn milliseconds into minutes.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# Properties draw the same examples each time, so that a red run is the change's doing; `--hypothesis-profile=explore` draws
# new ones.
settings.register_profile("same", derandomize=True)
settings.register_profile("explore", max_examples=300)
settings.load_profile("same")

# Servers the operator names serve the tests too (each makes databases of its own there); no test sees the names.
GIVEN = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("FRAMEWATCH_")}


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if given := GIVEN.get("FRAMEWATCH_DATABASE_URL"):
        yield given
        return
    home = in_memory() or tmp_path_factory.mktemp("postgres")
    server = Postgres(home)
    server.start()
    with psycopg.connect(server.url, autocommit=True) as connection:
        # Nobody crashes this one on purpose, and to make and drop hundreds of databases is mostly waiting for the disk.
        for name, value in RELAXED.items():
            connection.execute(f"alter system set {name} = '{value}'")
        connection.execute("select pg_reload_conf()")
    yield server.url
    server.stop()
    shutil.rmtree(home, ignore_errors=True)


def in_memory() -> Path | None:
    """A folder in memory for a server's files: a database is eight hundred of them. None where there is no room."""
    if not MEMORY.is_dir() or shutil.disk_usage(MEMORY).free < ROOM or not os.access(MEMORY, os.W_OK):
        return None
    for left in MEMORY.glob("framewatch-tests-*"):
        owner = int(left.name.rpartition("-")[2])
        if owner == os.getpid() or not psutil.pid_exists(owner):
            shutil.rmtree(left, ignore_errors=True)
    found = MEMORY / f"framewatch-tests-{os.getpid()}"
    found.mkdir(mode=0o700)
    return found


@pytest.fixture(scope="session")
def template(postgres_url: str) -> str:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"drop database if exists {TEMPLATE}")
        connection.execute(f"create database {TEMPLATE}")
    prepare(named(postgres_url, TEMPLATE), datetime.now(UTC).date())
    return TEMPLATE


@pytest.fixture
def database_url(postgres_url: str, template: str) -> Iterator[str]:
    name = f"{TEMPLATE}_{next(_numbers)}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"drop database if exists {name}")
        connection.execute(f"create database {name} template {template}")
    yield named(postgres_url, name)
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"drop database {name} with (force)")


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    # A broken lock must fail a test, not hang it.
    store = Store(database_url, size=8, name="tests", statement_timeout_s=20)
    yield store
    store.close()


def named(url: str, database: str) -> str:
    """The same server's address for another database."""
    base, _, query = url.partition("?")
    return f"{base.rsplit('/', 1)[0]}/{database}" + (f"?{query}" if query else "")
