from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.analysis.scheduling import DELIVERY_WAITS, LONGEST_WAIT, next_fetch, retry_at

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
WAITS = st.timedeltas(timedelta(0), timedelta(days=10))
JITTER = st.floats(0, 1, exclude_max=True)


def test_a_healthy_feed_is_fetched_at_its_interval():
    assert next_fetch(NOW, HOUR) == NOW + HOUR


def test_a_feed_that_asks_for_rest_gets_it():
    assert next_fetch(NOW, HOUR, min_interval=3 * HOUR) == NOW + 3 * HOUR
    assert next_fetch(NOW, HOUR, min_interval=timedelta(minutes=1)) == NOW + HOUR


def test_failures_back_off_in_a_line_and_never_beyond_a_day():
    assert [(next_fetch(NOW, HOUR, failures=n) - NOW) / HOUR for n in (0, 1, 2, 10, 1000)] == [1, 2, 3, 11, 24]


def test_a_rate_limited_feed_waits_as_long_as_it_was_asked_to():
    assert next_fetch(NOW, HOUR, retry_after=5 * HOUR, failures=1) == NOW + 5 * HOUR
    assert next_fetch(NOW, HOUR, retry_after=88 * HOUR) == NOW + 24 * HOUR


def test_a_weekly_feed_stays_weekly():
    assert next_fetch(NOW, timedelta(days=7), failures=3) == NOW + timedelta(days=7)


@given(WAITS, st.none() | WAITS, st.integers(0, 100), st.none() | WAITS, JITTER)
def test_the_next_fetch_lies_between_the_policy_and_a_day(interval, min_interval, failures, retry_after, jitter):
    asked = {"min_interval": min_interval, "failures": failures, "retry_after": retry_after}
    wait = next_fetch(NOW, interval, **asked, jitter=jitter) - NOW
    assert interval <= wait <= max(interval, LONGEST_WAIT)
    assert wait >= next_fetch(NOW, interval, **asked) - NOW


def test_deliveries_follow_the_schedule_and_are_parked_after_ten_attempts():
    waits = [retry_at(NOW, n) for n in range(len(DELIVERY_WAITS))]
    assert waits == [NOW + wait for wait in DELIVERY_WAITS]
    assert retry_at(NOW, 10) is None
    assert retry_at(NOW, 11) is None


@given(st.integers(0, 9), st.none() | WAITS, JITTER)
def test_a_receiver_is_not_tried_before_the_time_it_asked_for(attempts, retry_after, jitter):
    wait = retry_at(NOW, attempts, retry_after=retry_after, jitter=jitter) - NOW
    assert wait >= min(retry_after or timedelta(0), LONGEST_WAIT)
    assert DELIVERY_WAITS[attempts] <= wait <= LONGEST_WAIT * 1.1


@pytest.mark.parametrize("failures", [-1, 10**9])
def test_odd_counts_do_no_harm(failures):
    assert NOW < next_fetch(NOW, HOUR, failures=failures) <= NOW + LONGEST_WAIT
