"""What was judged is told hour by hour in order, however its rows lie and whatever plan finds them."""

from datetime import UTC, datetime, timedelta

import pytest

from services.store import alerts, over_time, overview
from tests.api import seeded

HOUR = timedelta(hours=1)
NOW = datetime(2026, 3, 5, 12, 0, tzinfo=UTC)
SINCE = NOW - timedelta(days=2)
HOURS = [SINCE + i * HOUR for i in range(48)]


def verdict(place):
    """Each hour with figures of its own."""
    return {
        "bucket": HOURS[place], "posts": place, "units": place, "expected": place / 2, "upper": place + 0.5,
        "probability": 0.5, "coverage": 1.0, "state": "burst" if place % 7 == 3 else "ok", "alpha": 1e-4,
        "learned_from": SINCE, "learned_s": 86_400.0,
    }  # fmt: skip


@pytest.fixture
def judged(store):
    """Two frames judged in two days, the newest hour written first; found by reading rows as they lie."""
    version_id = seeded.add_codebook(store, seeded.SMALL, NOW)
    with store.transaction() as tx:
        for frame in ("one", "two"):
            alerts.add_verdicts(tx, version_id, frame, [verdict(place) for place in reversed(range(48))])
    with store.transaction() as tx:
        for way in ("indexscan", "bitmapscan", "sort", "mergejoin", "nestloop"):
            tx.execute(f"set local enable_{way} = off")
        yield tx


def test_hours_of_a_series_come_in_order_whatever_the_plan(judged):
    told = overview.verdict_series(judged, SINCE, NOW)
    assert sorted(told) == [("small", "one"), ("small", "two")]
    for hours in told.values():
        assert [h.at for h in hours] == HOURS
        assert [(h.posts, h.upper, h.state) for h in hours] == [
            (v["posts"], v["upper"], v["state"]) for v in map(verdict, range(48))
        ]


def test_a_trend_tells_of_each_hour_what_was_judged_of_it(judged):
    told = over_time.read_trend(judged, NOW, frame="two", since=SINCE, until=NOW)
    assert [p.at for p in told.points] == HOURS
    assert [(p.expected, p.upper, p.state) for p in told.points] == [
        (v["expected"], v["upper"], v["state"]) for v in map(verdict, range(48))
    ]
    later = over_time.read_trend(judged, NOW, frame="two", since=HOURS[10], until=HOURS[20])
    assert [p.upper for p in later.points] == [place + 0.5 for place in range(10, 20)]


def test_a_trend_of_longer_steps_or_of_a_part_tells_no_verdicts(judged):
    for asked in ({"step": "1d"}, {"source": "rss"}, {"lang": "en"}):
        told = over_time.read_trend(judged, NOW, frame="one", since=SINCE, until=NOW, **asked)
        assert {(p.expected, p.upper, p.state) for p in told.points} == {(None, None, None)}
