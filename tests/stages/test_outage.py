"""Postgres gone for a while: stages wait, say so, and lose nothing."""

from pathlib import Path

import pytest

from schemas.errors import Reason, TransientError
from services.embedded.postgres import Postgres
from services.store.migrate import prepare
from services.store.pool import Store
from tests.stages.conftest import CODEBOOK, World, drift, page, post
from workers.stages.classify import classify
from workers.stages.collect import collect
from workers.stages.rollup import rollup


@pytest.fixture
def server(tmp_path: Path):
    server = Postgres(tmp_path)
    server.start()
    yield server
    server.stop()


def impatient(monkeypatch: pytest.MonkeyPatch, store: Store) -> None:
    """Nobody waits seconds for a server of which the test knows that it is away."""
    monkeypatch.setattr(store._pool, "timeout", 0.3)


def test_postgres_gone_for_a_while_loses_nothing(
    world: World, server: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare(server.url, world.clock().date())
    store = Store(server.url, size=4, name="tests")
    object.__setattr__(world.rt, "store", store)
    world.store = store
    world.apply(CODEBOOK)
    world.add_feed()
    world.due()
    world.source.pages = [page(post(1), post(2), cursor={"n": 1})]
    collect(world.rt)

    server.stop()
    impatient(monkeypatch, store)
    for stage in (collect, classify, rollup):
        with pytest.raises(TransientError) as away:
            stage(world.rt)
        assert away.value.reason is Reason.DATABASE_UNAVAILABLE
        assert "Postgres is not available" in str(away.value)

    monkeypatch.undo()
    server.start()
    assert classify(world.rt).rows == 2
    rollup(world.rt)
    world.due()
    world.source.pages = [page(post(2), post(3))]
    assert collect(world.rt).rows == 1
    classify(world.rt)
    rollup(world.rt)
    assert world.one("select count(*) from scores") == 3
    assert drift(world) == {}
    store.close()


def test_postgres_gone_between_fetch_and_settlement_keeps_the_cursor(
    world: World, server: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare(server.url, world.clock().date())
    store = Store(server.url, size=4, name="tests")
    object.__setattr__(world.rt, "store", store)
    world.store = store
    world.add_feed()
    world.due()

    def fetch(feed, now):
        server.stop()
        impatient(monkeypatch, store)
        return page(post(1), cursor={"n": 1})

    world.source.fetch = fetch  # type: ignore[method-assign]
    with pytest.raises(TransientError):
        collect(world.rt)
    monkeypatch.undo()
    server.start()
    assert world.one("select cursor from feeds") == {}
    assert world.one("select count(*) from posts") == 0
    # The lease runs out by itself; here it is hurried.
    world.rows("update feeds set lease_until = clock_timestamp() returning 1")
    world.source.fetch = lambda feed, now: page(post(1), cursor={"n": 1})  # type: ignore[method-assign]
    world.due()
    assert collect(world.rt).rows == 1
    store.close()
