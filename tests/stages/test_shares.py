"""The usual range of a share is told of what is stored: of steps, sources and languages, and of no gap."""

from datetime import UTC, datetime

import pytest

from services.analysis.alerting import Rule
from services.store import over_time
from services.store.pool import Store
from services.usecases.shares import with_usual_share
from tests.api import seeded
from tests.api.seeded import palmyra  # noqa: F401

PERIOD = {"since": datetime(2016, 12, 6, tzinfo=UTC), "until": datetime(2016, 12, 13, tzinfo=UTC)}


@pytest.fixture
def ranges(palmyra):  # noqa: F811
    store = Store(palmyra, name="tests")

    def told(**asked):
        with store.transaction() as tx:
            plain = over_time.read_trend(tx, seeded.NOW, **{"frame": "staged-theatrics", **PERIOD, **asked})
            usual = with_usual_share(tx, plain, rule=Rule()).points
        assert [p.model_dump(exclude={"expected_share", "upper_share"}) for p in usual] == [
            p.model_dump() for p in plain.points
        ]
        return usual

    yield told
    store.close()


@pytest.mark.parametrize("asked", [{"step": "1h"}, {"step": "5h"}, {"step": "1h", "lang": "en"}])
def test_a_range_is_told_of_what_was_heard(ranges, asked):
    points = ranges(**asked)
    known = [p for p in points if p.upper_share is not None]
    assert known
    assert all(0 <= p.expected_share <= p.upper_share <= 1 for p in known)
    assert all(p.share is not None and p.coverage >= 0.5 for p in known), "unknown is not usual"
    assert any(p.coverage == 0 for p in points)


def test_a_language_has_a_past_of_its_own_and_the_only_source_that_of_all(ranges):
    whole, english, source = (
        [p.expected_share for p in ranges(step="1h", **narrow)] for narrow in ({}, {"lang": "en"}, {"source": "jsonl"})
    )
    assert english != whole == source


def test_the_story_of_11_december_is_no_usual_share(ranges):
    (loud,) = ranges(
        since=datetime(2016, 12, 11, 12, tzinfo=UTC), until=datetime(2016, 12, 11, 18, tzinfo=UTC), step="6h"
    )
    assert loud.share > loud.upper_share > loud.expected_share > 0


@pytest.mark.parametrize("asked", [{"step": "15m"}, {"step": "1h", "frame": "*"}, {"step": "1w"}])
def test_nothing_is_said_where_nothing_is_known(ranges, asked):
    assert {p.upper_share for p in ranges(**asked)} == {None}
