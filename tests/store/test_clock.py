"""One time for all workers: the database's."""

from datetime import UTC, datetime, timedelta

import pytest

from services.store.clock import FRESH_S, SharedClock
from services.store.pool import Store


class Ticks:
    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


def test_the_time_is_the_databases_and_goes_on_by_itself(store: Store) -> None:
    ticks = Ticks()
    clock = SharedClock(store, ticks)
    first = clock()
    assert first.utcoffset() == timedelta(0)
    assert abs(first - datetime.now(UTC)) < timedelta(seconds=30), "tests and database share a machine"
    ticks.at += 50
    assert clock() == first + timedelta(seconds=50)


def test_a_machine_whose_clock_runs_away_is_brought_back(store: Store) -> None:
    ticks = Ticks()
    clock = SharedClock(store, ticks)
    first = clock()
    ticks.at += FRESH_S + 3600
    assert clock() - first < timedelta(seconds=30)


def test_without_the_database_the_last_look_is_carried_on(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = Ticks()
    clock = SharedClock(store, ticks)
    first = clock()
    away = Store("postgresql://127.0.0.1:1/nowhere", size=1, name="away")
    monkeypatch.setattr(away._pool, "timeout", 0.3)
    monkeypatch.setattr(clock, "_store", away)
    ticks.at += FRESH_S + 1
    assert clock() == first + timedelta(seconds=FRESH_S + 1)
    away.close()
