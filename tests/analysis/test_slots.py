"""Slots of a schedule: each once, in the reader's own time, whatever their clocks do."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import PermanentError, Reason
from services.analysis import slots

ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Kathmandu", "UTC")
SCHEDULES = ("30 2 * * *", "0 7 * * *", "15 * * * *", "30 1 * * *", "0 7 * * 1", "0 7 * * 1-5")
BEGIN = datetime(2024, 1, 1, tzinfo=UTC)


def walked(schedule, zone, at):
    """The last slot at or before `at`, by walking forward only."""
    found = at - timedelta(days=10)
    while (following := slots.after(schedule, zone, found)) <= at:
        found = following
    return found


@settings(deadline=None)
@given(st.sampled_from(SCHEDULES), st.sampled_from(ZONES), st.integers(30 * 1440, 365 * 1440))
def test_the_latest_slot_is_the_last_that_came(schedule, zone, minute):
    at = BEGIN + timedelta(minutes=minute)
    assert slots.latest(schedule, zone, at) == walked(schedule, zone, at)


@pytest.mark.parametrize("at", ["2024-10-27T01:19:00+00:00", "2024-10-27T00:31:00+00:00", "2024-10-27T05:00:00+00:00"])
def test_in_the_hour_that_comes_twice_the_slot_comes_once(at):
    slot = datetime(2024, 10, 27, 0, 30, tzinfo=UTC)
    assert slots.latest("30 2 * * *", "Europe/Berlin", datetime.fromisoformat(at)) == slot


def test_a_slot_in_the_hour_that_is_left_out_comes_right_after_it():
    slot = slots.latest("30 2 * * *", "Europe/Berlin", datetime(2024, 3, 31, 12, tzinfo=UTC))
    assert slot == datetime(2024, 3, 31, 1, tzinfo=UTC)


def test_seven_in_the_morning_stays_seven_in_the_morning():
    assert slots.latest("0 7 * * *", "Europe/Berlin", datetime(2024, 1, 10, 12, tzinfo=UTC)).hour == 6
    assert slots.latest("0 7 * * *", "Europe/Berlin", datetime(2024, 7, 10, 12, tzinfo=UTC)).hour == 5
    long = slots.before("0 7 * * *", "Europe/Berlin", datetime(2024, 10, 27, 6, tzinfo=UTC))
    assert datetime(2024, 10, 27, 6, tzinfo=UTC) - long == timedelta(hours=25)


@pytest.mark.parametrize(
    ("schedule", "zone", "told"),
    [("0 7 * *", "UTC", "no schedule"), ("0 7 30 2 *", "UTC", "'0 7 30 2 \\*'"), ("0 7 * * *", "Berlin", "no time zone"),
     ("0 7 * * *", "../etc/passwd", "no time zone")],
)  # fmt: skip
def test_what_cannot_be_kept_is_refused(schedule, zone, told):
    with pytest.raises(PermanentError, match=told) as caught:
        slots.check(schedule, zone, BEGIN)
    assert caught.value.reason == Reason.BAD_CONFIG
