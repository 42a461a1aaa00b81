"""Over real HTTP: the web process without its Postgres, told as a problem; and back again."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import httpx
import psycopg
import pytest

from services.serve import create_app
from services.settings import Settings
from tests.waiting import serving, wait


@pytest.fixture
def served():
    """Serve an app over real HTTP; its address."""
    with ExitStack() as running:
        yield lambda conf: running.enter_context(serving(lambda _: create_app(conf), timeout_graceful_shutdown=1))


def test_without_postgres_every_face_says_so_and_when_to_come_back(served, database_url, postgres_url):
    address = served(Settings(database_url=database_url))
    assert httpx.get(f"{address}/api/v1/feeds").status_code == 200
    name = database_url.rpartition("/")[2].partition("?")[0]
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        paths = ["/api/v1/frames", "/api/v1/trends?frame=*", "/readyz", "/", "/alerts/x"]
        connection.execute(f"alter database {name} allow_connections false")
        connection.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", (name,))
        assert httpx.get(f"{address}/healthz").status_code == 200
        with ThreadPoolExecutor(len(paths)) as pool:
            answers = list(pool.map(lambda p: httpx.get(address + p, timeout=30), paths))
        connection.execute(f"alter database {name} allow_connections true")
    for path, answer in zip(paths, answers, strict=True):
        assert answer.status_code == 503, path
        assert int(answer.headers["retry-after"]) > 0
        assert "postgresql://" not in answer.text
        html = path in ("/", "/alerts/x")
        assert answer.headers["content-type"].startswith("text/html" if html else "application/problem+json")
    # A pool that has just failed to connect may need a moment.
    wait(lambda: httpx.get(f"{address}/api/v1/feeds", timeout=30).status_code == 200, 30, 0.2)


def test_real_http_answers_are_small_and_anonymous(served, palmyra):
    address = served(Settings(database_url=palmyra))
    answer = httpx.get(f"{address}/api/v1/trends?frame=*&step=5m")
    assert answer.status_code == 200
    assert answer.headers["content-encoding"] == "gzip"
    assert "vary" in answer.headers
    assert httpx.get(f"{address}/", headers={"Host": "evil.example"}).status_code == 421
