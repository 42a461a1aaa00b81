"""What a digest says is news, and what it says of what was not heard."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.analysis import digest, headlines
from services.analysis.conditions import Open, condition
from services.analysis.moving import Movement
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
    return {
        "alert_id": f"{frame}-1", "kind": "burst", "codebook": "palmyra", "frame": frame, "onset": "2016-12-12T20:00:00+00:00",
        "fired": "2016-12-12T22:00:00+00:00", "state": "firing", "ratio": 29.0,
    } | more  # fmt: skip


OLD = {"onset": "2016-12-10T17:00:00+00:00", "fired": "2016-12-10T20:00:00+00:00", "ratio": 400.0}
"""Of an alert that fired two days before the period."""


def moves(ratio, low):
    return Movement(9, 9 / ratio, ratio, low, 2 * ratio, 24, 3, SLOT)


def composed(now, before, *, alerts=(), states=None, scored=(1000, 1000), ratios=None, told_before=None, **about):
    states = states or {}
    words = {f: condition(states.get(f, "ok"), SLOT, Open("burst", SLOT, SLOT) if a["state"] != "resolved" else None)
             for a in alerts for f in [a["frame"]]}  # fmt: skip
    part = digest.Part(
        BOOK, [total(*t) for t in now.items()], [total(*t) for t in before.items()], scored, 1, states, conditions=words,
        moves={f: moves(*r) for f, r in (ratios or {}).items()},
    )  # fmt: skip
    return digest.compose({**ABOUT, **about}, [part], alerts=list(alerts), told_before=told_before)


def test_news_comes_first_and_is_the_subject():
    now = {"calm": 20, "rising": 90, "theatre": 40, "old": 60, "over": 5}
    told = [alert("theatre"), alert("old", **OLD), alert("over", **OLD, state="resolved")]
    body = composed(now, {"calm": 21, "rising": 10, "theatre": 40, "old": 60, "over": 5}, alerts=told,
                    ratios={"theatre": (6.6, 4.0)})  # fmt: skip
    assert [(f["id"], f["moved"], f["alert"]) for f in body["frames"]] == [
        ("theatre", "burst", "new"), ("rising", "up", None), ("old", "steady", "on"), ("over", "steady", "over"),
        ("calm", "steady", None),
    ]  # fmt: skip
    told = "Theatre on alert, 6.6× the usual · Palmyra, 13 Dec 2016"
    assert headlines.subject(body, SLOT) == told, "the day is the reader's"


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (composed({"a": 5}, {"a": 6}), "All calm"),
        (composed({"a": 90}, {"a": 10}), "A up 8.0 points"),
        (composed({"a": 9, "b": 90}, {"a": 90, "b": 9}), "B up 8.1 points and 1 more shift"),
        (composed({"a": 0}, {"a": 6}, scored=(0, 1000)), "Nothing was heard"),
        (composed({"a": 0}, {"a": 6}, coverage=0.0), "Nothing was heard"),
        (composed({"a": 9, "b": 8, "c": 7}, {}, alerts=[alert(f) for f in "abc"]), "A on alert; B on alert and 1 more"),
        (composed({"a": 9}, {}, alerts=[alert("a")], ratios={"a": (400.0, 90.0)}), "A on alert, over 100× the usual"),
        (composed({"a": 9}, {}, alerts=[alert("a")], ratios={"a": (1.7, 0.3)}), "A on alert"),
        (composed({"a": 9}, {"a": 9}, alerts=[alert("a", **OLD)]), "A still on alert since 10 Dec"),
        (composed({"a": 9}, {"a": 9}, alerts=[alert("a", **OLD)], ratios={"a": (2.2, 1.1)}),
         "A still on alert since 10 Dec, 2.2× the usual"),
        (composed({"a": 9, "b": 9}, {"a": 9, "b": 9}, alerts=[alert("b", **OLD), alert("a", **OLD, state="resolved")]),
         "B still on alert since 10 Dec; A: alert over"),
        (composed({"a": 90, "b": 9}, {"a": 9, "b": 9}, alerts=[alert("b", **OLD)]), "A up 8.1 points"),
    ],
)  # fmt: skip
def test_the_news_in_one_line(body, told):
    assert headlines.news(body) == told


def test_no_figure_of_an_alert_from_before_the_period_is_in_the_headline():
    body = composed({"a": 9}, {"a": 90}, alerts=[alert("a", **OLD)], ratios={"a": (0.4, 0.2)})
    assert headlines.news(body) == "A down 8.1 points"
    assert "400" not in str(body["frames"])
    assert body["frames"][0]["ratio"] == 0.4


def test_what_the_digest_before_told_is_no_news_and_what_it_could_not_tell_is():
    late = alert("a", **OLD)
    assert composed({"a": 9}, {"a": 9}, alerts=[late], told_before=frozenset())["frames"][0]["alert"] == "new"
    known = frozenset({"a-1"})
    assert composed({"a": 9}, {"a": 9}, alerts=[alert("a")], told_before=known)["frames"][0]["alert"] == "on"


HOURS = st.integers(0, 24 * 9).map(lambda h: datetime(2016, 12, 3, tzinfo=UTC) + timedelta(hours=h))


@given(HOURS, HOURS, st.lists(st.integers(1, 60), min_size=1, max_size=9))
def test_an_alert_is_news_in_exactly_one_of_digests_that_follow_each_other(fired, first, lengths):
    slots = [first]
    for hours in lengths:
        slots.append(slots[-1] + timedelta(hours=hours))
    told = {"alert_id": "x", "fired": fired.isoformat(), "state": "firing"}
    news = [s for s, e in pairwise(slots) if fired <= e and headlines.standing([told], s, None) == "new"]
    assert len(news) == (slots[0] < fired <= slots[-1])


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
