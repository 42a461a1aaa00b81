"""How well a feed is heard: pace, usual rate, odd silence."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.analysis.hearing import FASTEST, SLOWEST, Pace, is_silent, next_pace, next_rate

HOUR = timedelta(hours=1)


def test_a_page_we_mostly_knew_slows_us_down() -> None:
    assert next_pace(1.0, 9, 10).factor > 1
    assert next_pace(1.0, 0, 0).factor > 1, "nothing new at all"


def test_a_page_we_mostly_did_not_know_hurries_us_and_is_told() -> None:
    pace = next_pace(1.0, 1, 20)
    assert pace.factor < 1
    assert "19 of the 20" in pace.warning
    assert "may be missing" in pace.warning


def test_a_feed_that_cannot_be_asked_more_often_is_told_with_the_way_out() -> None:
    assert "shorter interval" in next_pace(FASTEST, 0, 20).warning


@pytest.mark.parametrize(("known", "posts"), [(5, 10), (0, 4), (4, 4)])
def test_a_page_between_or_of_few_posts_changes_nothing(known: int, posts: int) -> None:
    assert next_pace(1.5, known, posts) == Pace(1.5)


@given(st.floats(FASTEST, SLOWEST), st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), max_size=40))
def test_the_pace_stays_within_bounds(factor: float, pages: list[tuple[int, int]]) -> None:
    for known, new in pages:
        factor = next_pace(factor, known, known + new).factor
        assert FASTEST <= factor <= SLOWEST


def test_the_rate_comes_to_what_the_feed_brings_however_often_it_is_asked() -> None:
    often = seldom = 0.0
    for _ in range(24 * 14):
        for _ in range(12):
            often = next_rate(often, 10, HOUR / 12)
        seldom = next_rate(seldom, 120, HOUR)
    assert often == pytest.approx(120, rel=0.02)
    assert seldom == pytest.approx(often, rel=0.001)


@given(st.none() | st.floats(0, 1e6), st.integers(0, 10**6), st.timedeltas(timedelta(0), timedelta(days=400)))
def test_the_rate_is_between_what_it_was_and_what_was_seen(rate: float | None, posts: int, span: timedelta) -> None:
    found = next_rate(rate, posts, span)
    seen = posts / (span / HOUR) if span else (rate or 0.0)
    assert min(rate or 0.0, seen) - 1e-6 <= found <= max(rate or 0.0, seen) + 1e-6


def test_silence_is_odd_only_when_many_posts_are_missing() -> None:
    assert is_silent(500, HOUR)
    assert not is_silent(5, 8 * HOUR), "a slow feed may be quiet for a night"
    assert not is_silent(100_000, timedelta(minutes=9)), "a hiccup is no silence"
    assert not is_silent(None, 100 * HOUR)
