"""When the silence of a sender is news: beyond its own habits, never by night, weekend or while we were away."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import senders
from services.analysis.silence import Silence, silence, told

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
WEEK = 168


def hours(count, sends, start=MONDAY):
    return [{"hour": start + i * HOUR, "sent": sends(start + i * HOUR)} for i in range(count)]


def office(at):
    return at.weekday() < 5 and 9 <= at.hour < 17


def judged(past, silent):
    """The silence after `past` when `silent` more hours pass with nothing."""
    last = past[-1]["hour"]
    rest = [{"hour": last + (i + 1) * HOUR, "sent": False} for i in range(silent)]
    return silence([*past, *rest], last + (silent + 1) * HOUR)


def test_a_sender_by_office_hours_may_be_silent_over_a_weekend_and_not_over_a_morning():
    past = hours(4 * WEEK + 4 * 24 + 17, office)
    assert not judged(past, 24 * 2 + 16).odd, "Friday evening to Monday morning"
    assert judged(past, 24 * 2 + 16 + 4).odd, "Monday at noon and nothing came"
    assert not judged(past[: -4 * 24], 16).odd, "a night"


@pytest.mark.parametrize(("passed", "odd"), [(2, False), (3, True)])
def test_one_that_always_sends_is_missed_within_hours(passed, odd):
    assert judged(hours(5 * WEEK, lambda at: True), passed).odd is odd


def test_a_weekly_letter_is_missed_in_its_third_week_at_the_latest():
    past = hours(8 * WEEK + 10, lambda at: at.weekday() == 0 and at.hour == 9)
    assert not judged(past, WEEK - 1).odd
    assert judged(past, 3 * WEEK).odd


@pytest.mark.parametrize(
    "past",
    [
        [],
        hours(3 * WEEK, lambda at: True),
        hours(8 * WEEK, lambda at: at == MONDAY),
        hours(8 * WEEK, lambda at: at < MONDAY + 4 * HOUR),
    ],
    ids=["never", "new", "once", "a morning"],
)
def test_of_whom_too_little_is_known_nothing_is_said(past):
    rest = [{"hour": MONDAY + (8 * WEEK + i) * HOUR, "sent": False} for i in range(500)]
    assert silence([*past, *rest], rest[-1]["hour"] + HOUR) is None


def test_time_in_which_we_were_away_is_nobodys_silence():
    past = hours(5 * WEEK, lambda at: True)
    away = past[-1]["hour"] + 500 * HOUR
    assert silence([*past, {"hour": away, "sent": False}], away + HOUR).missed < 1.1


def test_the_hour_that_runs_is_not_missed_yet():
    past = hours(5 * WEEK, lambda at: True)
    running = {"hour": past[-1]["hour"] + HOUR, "sent": False}
    assert silence([*past, running], running["hour"] + HOUR / 2).missed == 0


def test_one_long_silence_in_the_past_hides_no_other():
    past = hours(6 * WEEK, lambda at: not MONDAY + 300 * HOUR < at < MONDAY + 400 * HOUR)
    assert judged(past, 4).odd


@given(st.lists(st.booleans(), min_size=3 * WEEK, max_size=5 * WEEK), st.integers(0, 300), st.integers(0, 100))
def test_a_longer_silence_is_never_less_odd(sent, some, more):
    past = [{"hour": MONDAY + i * HOUR, "sent": s} for i, s in enumerate([*sent, True])]
    sooner, later = judged(past, some), judged(past, some + more)
    assert (sooner is None) == (later is None)
    if sooner and later:
        assert 0 <= sooner.missed <= later.missed <= some + more
        assert sooner.usual == later.usual
        assert later.odd or not sooner.odd


def test_it_tells_since_when_and_what_was_usual():
    words = told(Silence(6.2, 1.1, 8), MONDAY)
    assert words == (
        "nothing was sent since 02 Mar 2026 00:00 UTC. By the habits of 8 weeks before, posts would have come in about "
        "6 hours of that time; every silence but the longest went over 1 such hour at most"
    )
    assert "went over none" in told(Silence(3.0, 0.2, 8), MONDAY)


@pytest.mark.parametrize("kind", [senders.constant, senders.office, senders.daily, senders.weekly])
def test_regular_senders_raise_no_alarm_in_five_months(kind):
    assert senders.alarms(senders.simulated(kind, 22, seed=1)) == []
