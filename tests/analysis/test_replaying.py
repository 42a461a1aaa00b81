"""What a replay means beside live feeds: history that is filled in, waited for only where it was there first."""

from datetime import UTC, datetime, timedelta

import pytest

from services.analysis.replaying import GRACE, is_waited_for, live_since, told
from services.console.health import told as in_words

NOW = datetime(2026, 5, 1, tzinfo=UTC)
AGO = timedelta(days=3)


def feed(clock="feed", state="enabled", added_at=NOW - AGO):
    return {"clock": clock, "state": state, "added_at": added_at}


def test_there_is_a_live_feed_since_the_first_that_is_on():
    sooner, later = feed("wall", added_at=NOW - AGO), feed("wall", added_at=NOW)
    assert live_since([feed(), later, sooner]) == NOW - AGO
    assert live_since([feed("wall", "paused"), feed()]) is None


@pytest.mark.parametrize(
    ("replay", "since", "waited", "words"),
    [
        (feed(), None, True, ""),
        (feed(added_at=NOW), NOW - AGO, False, "its hours are not judged"),
        (feed(), NOW - GRACE / 3, True, "in 10 minutes at the latest"),
        (feed(), NOW - GRACE + timedelta(seconds=1), True, "in 1 minute at the latest"),
        (feed(), NOW - GRACE, False, "its hours are not judged"),
        (feed("wall"), NOW - AGO, True, ""),
        (feed(state="ended"), NOW - AGO, False, ""),
    ],
    ids=["alone", "joined a live feed", "was there first", "nearly", "too long", "live", "over"],
)
def test_whom_detection_waits_for(replay, since, waited, words):
    assert is_waited_for(replay, since, NOW) is waited
    assert words in told(replay, since, NOW)
    assert bool(told(replay, since, NOW)) == bool(words)


@pytest.mark.parametrize(("since", "words"), [(None, "A replay: "), (NOW - AGO, "A replay beside live feeds: ")])
def test_the_page_of_feeds_says_so(since, words):
    row = {"failures": 0, "warning": None, "heard_until": NOW, "mode": "poll", **feed()}
    assert in_words(row, NOW, since).startswith(words)
