"""What people are told of a frame: one word, and an alert outranks the hour."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.wire_detection import State
from services.analysis.conditions import CONDITIONS, Open, condition, place
from services.analysis.times import clock

NOON = datetime(2016, 12, 14, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
STATES = st.sampled_from(["learning", "insufficient coverage", "ok", "burst"])
TIMES = st.integers(-100, 100).map(lambda hours: NOON + hours * HOUR)
ALERTS = st.builds(Open, st.sampled_from(["burst", "coordinated"]), TIMES, TIMES, st.booleans(), st.none() | TIMES)


@pytest.mark.parametrize(
    ("state", "alert", "word", "detail"),
    [
        ("ok", None, "calm", "within what the past explains"),
        ("burst", None, "burst", "its last judged hour has more voices than the past explains, and no alert goes on"),
        ("learning", None, "learning", "too little history to judge"),
        ("insufficient coverage", None, "too little heard", "too little was heard to judge"),
        ("ok", Open("burst", NOON - 30 * HOUR, NOON - 8 * HOUR), "on alert",
         "since 13 Dec 06:00; last burst 14 Dec 04:00, since then within what the past explains"),
        ("burst", Open("burst", NOON - 3 * HOUR, NOON), "on alert",
         "since 14 Dec 09:00, and in a burst in its last judged hour"),
        ("insufficient coverage", Open("burst", NOON - 3 * HOUR, NOON - HOUR, acked=True), "on alert",
         "since 14 Dec 09:00; last burst 14 Dec 11:00, since then too little was heard to judge; acknowledged"),
        ("ok", Open("coordinated", NOON - HOUR, NOON - HOUR, snoozed_until=NOON + 9 * HOUR), "on alert",
         "since 14 Dec 11:00: one text by many authors; snoozed until 14 Dec 21:00"),
    ],
)  # fmt: skip
def test_the_word_and_what_stands_behind_it(state: State, alert: Open | None, word: str, detail: str) -> None:
    told = condition(state, NOON, alert)
    assert (told.condition, told.detail) == (word, detail)


def test_a_rule_that_is_told_more_readily_than_the_verdict_is_in_a_burst_as_its_alert_says() -> None:
    assert "in a burst" in condition("ok", NOON, Open("burst", NOON - HOUR, NOON)).detail


@given(STATES, st.none() | TIMES, st.none() | ALERTS)
def test_an_alert_outranks_the_hour_and_the_words_are_closed(
    state: State, judged: datetime | None, alert: Open | None
) -> None:
    told = condition(state, judged, alert)
    assert told.condition in CONDITIONS
    assert (told.condition == "on alert") == (alert is not None)
    assert told.detail


def test_what_is_on_alert_stands_first() -> None:
    order = [place("on alert", "burst"), place("on alert", "ok"), place("burst", "burst"), place("calm", "ok")]
    assert order == sorted(set(order))
    assert place("learning", "learning") == place("too little heard", "insufficient coverage") == place("calm", "ok")


def test_times_are_those_of_the_readers_clocks() -> None:
    assert clock(NOON, "Europe/Berlin") == "14 Dec 13:00"
    assert "13:00" in condition("ok", NOON, Open("burst", NOON, NOON - HOUR), "Europe/Berlin").detail
