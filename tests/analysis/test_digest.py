"""What a digest says is news, and what it says of what was not heard."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.analysis import digest
from services.analysis.sparkline import BLOCKS, UNKNOWN, sparkline
from services.analysis.unsubscribing import reader_of, token

SLOT = datetime(2016, 12, 12, 23, 30, tzinfo=UTC)
BOOK = {"id": "palmyra", "version": 1, "title": "Palmyra"}
ABOUT = {
    "timezone": "Europe/Berlin", "coverage": 1.0, "gaps": [], "suggestions": [],
    "period": {"from": "2016-12-11T23:30:00+00:00", "until": "2016-12-12T23:30:00+00:00"},
}  # fmt: skip


def total(frame, posts):
    return {"frame": frame, "title": frame.title(), "posts": posts, "units": posts, "authors": posts}


def alert(frame, **more):
    return {"kind": "burst", "codebook": "palmyra", "frame": frame, "onset": SLOT.isoformat(), "ratio": 6.6} | more


def composed(now, before, *, alerts=(), states=None, scored=(1000, 1000), **about):
    part = digest.Part(
        BOOK, [total(*t) for t in now.items()], [total(*t) for t in before.items()], scored, 1, states or {}
    )
    return digest.compose({**ABOUT, **about}, [part], alerts=list(alerts))


def test_news_comes_first_and_is_the_subject():
    now = {"calm": 20, "rising": 90, "theatre": 40, "old": 60}
    told = [alert("theatre"), alert("old", onset="2016-12-01T00:00:00+00:00", ratio=400.0)]
    body = composed(now, {"calm": 21, "rising": 10, "theatre": 40, "old": 60}, alerts=told)
    assert [(f["id"], f["moved"]) for f in body["frames"]] == [
        ("theatre", "burst"), ("old", "burst"), ("rising", "up"), ("calm", "steady"),
    ]  # fmt: skip
    told = "Theatre 7× the usual, Old over 100× the usual · Palmyra, 13 Dec 2016"
    assert digest.subject(body, SLOT) == told, "the day is the reader's"


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (composed({"a": 5}, {"a": 6}), "All calm"),
        (composed({"a": 90}, {"a": 10}), "A up 8.0 points"),
        (composed({"a": 9, "b": 90}, {"a": 90, "b": 9}), "B up 8.1 points and 1 more shift"),
        (composed({"a": 0}, {"a": 6}, scored=(0, 1000)), "Nothing was heard"),
        (composed({"a": 0}, {"a": 6}, coverage=0.0), "Nothing was heard"),
        (composed({"a": 9, "b": 8, "c": 7}, {}, alerts=[alert(f, ratio=None) for f in "abc"]), "A bursts, B bursts and 1 more"),
    ],
)  # fmt: skip
def test_the_news_in_one_line(body, told):
    assert digest.news(body) == told


def test_an_hour_of_burst_without_an_alert_is_no_news():
    body = composed({"a": 5}, {"a": 6}, states={"a": "burst"})
    assert body["frames"][0]["moved"] == "steady"
    assert body["frames"][0]["state"] == "burst"


def test_what_was_not_heard_has_not_moved():
    assert composed({"a": 0}, {"a": 600}, coverage=0.0)["frames"][0]["moved"] == "unknown"
    assert composed({"a": 9}, {"a": 0}, scored=(1000, 0))["frames"][0]["moved"] == "unknown"


@pytest.mark.parametrize("gone", [{"alerts": [alert("a")]}, {"gaps": [{}]}, {"suggestions": [{}]}, {"coverage": 0.9},
                                  {"coverage": None}])  # fmt: skip
def test_a_digest_is_empty_only_when_nothing_happened_and_all_was_heard(gone):
    assert digest.nothing_new(composed({"a": 5}, {"a": 6}))
    assert not digest.nothing_new(composed({"a": 5}, {"a": 6}, **gone))
    assert not digest.nothing_new(composed({"a": 90}, {"a": 6}))


@given(st.integers(0, 500), st.integers(1, 500), st.integers(0, 500), st.integers(1, 500))
def test_sigma_turns_its_sign_with_the_periods(a, more_a, b, more_b):
    now, before = (a, a + more_a), (b, b + more_b)
    there, back = digest.sigma(now, before), digest.sigma(before, now)
    assert there == pytest.approx(-back)
    assert (there > 0) == (a * before[1] > b * now[1])
    assert digest.sigma((0, 0), before) is None


def test_sigma_is_the_textbooks():
    assert digest.sigma((60, 100), (50, 100)) == pytest.approx(1.4213, abs=1e-4)


@given(st.lists(st.one_of(st.none(), st.integers(0, 1000)), max_size=300), st.integers(1, 80))
def test_a_sparkline_shows_what_is_and_marks_what_is_not_known(values, width):
    line = sparkline(values, width)
    assert len(line) == min(width, len(values))
    assert set(line) <= {*BLOCKS, UNKNOWN}
    known = [v for v in values if v is not None]
    assert (BLOCKS[-1] in line) == (max(known, default=0) > 0)
    if len(values) <= width:
        assert [c == UNKNOWN for c in line] == [v is None for v in values]
        assert [c == BLOCKS[0] for c in line] == [v == 0 for v in values]


@given(st.integers(1, 10**17), st.binary(min_size=1), st.binary(min_size=1))
def test_a_token_is_its_readers_and_its_houses_own(number, ours, theirs):
    made = token(ours, number)
    assert reader_of(ours, made) == number
    assert reader_of(ours, f"{number + 1}{made[made.index('-') :]}") is None
    assert reader_of(ours, made[:-1]) is None
    if ours.rstrip(b"\0") != theirs.rstrip(b"\0"):
        assert reader_of(theirs, made) is None


@pytest.mark.parametrize("given_", ["", "-", "1-", "x", "0-" + "A" * 22, "٣-" + "A" * 22, "9" * 40 + "-" + "A" * 22])
def test_what_is_no_token_is_nobodys(given_):
    assert reader_of(b"key", given_) is None
