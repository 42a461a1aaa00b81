"""How strongly a frame moves, and how a feed does: pure, and honest about what was not heard."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.analysis.health import LEAST, health, lag
from services.analysis.moving import movement

NOW = datetime(2026, 5, 1, tzinfo=UTC)
STATES = st.sampled_from(["ok", "burst", "learning", "insufficient coverage", None])
MAYBE = st.none() | st.integers(0, 50)


def hour(i=0, units=1, expected=1.0, state="ok"):
    return SimpleNamespace(at=NOW + timedelta(hours=i), units=units, expected=expected, state=state)


def test_voices_are_set_against_what_the_past_explains_for_the_same_hours():
    told = movement([hour(0, 4, 1.0), hour(1, 6, 1.0, "burst"), hour(2, 9, 2.0, "learning")])
    assert (told.units, told.expected, told.hours, told.bursts) == (10, 2.0, 2, 1)
    assert told.last_burst == NOW + timedelta(hours=1)
    assert told.low < told.ratio == 5.0 < told.high


def test_what_was_not_heard_counts_for_nothing():
    gap = hour(1, None, None, "insufficient coverage")
    assert movement([hour(0, 3), gap]) == movement([hour(0, 3)])
    assert movement([gap]) is movement([]) is None


@given(st.lists(st.builds(hour, st.integers(0, 99), MAYBE, st.none() | st.floats(0, 99), STATES)))
def test_the_interval_holds_the_ratio(hours):
    told = movement(hours)
    assert told is None or told.low <= told.ratio * (1 + 1e-9)
    assert told is None or told.ratio <= told.high * (1 + 1e-9)


def feed(**about):
    usual = {"state": "enabled", "failures": 0, "warning": None, "moved_to": None, "heard_until": NOW, "mode": "poll",
             "clock": "wall", "interval_s": 900, "pace": 1.0, "added_at": NOW - timedelta(days=3)}  # fmt: skip
    return {**usual, **about}


@pytest.mark.parametrize(
    ("about", "told"),
    [
        ({}, "heard"),
        ({"state": "paused", "failures": 9}, "paused"),
        ({"state": "ended"}, "ended"),
        ({"failures": 1, "warning": "x"}, "failing"),
        ({"warning": "posts were missed"}, "warning"),
        ({"moved_to": "https://b.example"}, "warning"),
        ({"heard_until": NOW - timedelta(minutes=44)}, "heard"),
        ({"heard_until": NOW - timedelta(minutes=46)}, "late"),
        ({"heard_until": NOW - timedelta(minutes=46), "pace": 4.0}, "heard"),
        ({"heard_until": NOW - timedelta(days=9), "mode": "push"}, "heard"),
        ({"warning": "nothing was sent since 9 May", "mode": "push"}, "late"),
        ({"heard_until": NOW - timedelta(days=9), "clock": "feed"}, "replaying"),
        ({"heard_until": None, "added_at": NOW - LEAST / 2}, "new"),
        ({"heard_until": None}, "late"),
        ({"heard_until": None, "mode": "push"}, "new"),
    ],
)
def test_the_health_of_a_feed(about, told):
    assert health(feed(**about), NOW) == told
    assert lag(feed(**about), NOW) >= timedelta(0)
