"""The pure parts: a gap is drawn as a gap, cookies end, and things are worded for people."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.wire import Frame, UsualPoint
from services.analysis.conditions import Open, condition
from services.console import chart, plot, words
from services.console.pages import frames

START = datetime(2016, 12, 1, tzinfo=UTC)


def point(i, units=0, **about):
    told = {
        "posts": units,
        "units": units,
        "authors": units,
        "share": 0.1,
        "coverage": 1.0,
        "expected": 1.0,
        "upper": 3.0,
    }
    return UsualPoint(**{"at": START + timedelta(hours=i), "state": "ok", **told, **about})


def gap(i):
    nothing = dict.fromkeys(("posts", "units", "authors", "share", "expected", "upper"))
    return point(i, **nothing, coverage=0.0, state="insufficient coverage")


def test_a_gap_has_no_bar_no_line_and_a_place():
    drawn = chart.draw([point(0, 2), gap(1), gap(2), point(3, 1)])
    assert drawn.gaps == (chart.Span(250.0, 500.0),)
    assert drawn.bars.count("M") == 2
    assert drawn.expected.count("M") == drawn.band.count("M") == 2
    assert "2 hours not heard" in drawn.summary


def test_a_share_has_the_range_of_shares_and_a_gap_has_none():
    told = {"share": 0.1, "expected_share": 0.05, "upper_share": 0.2, "expected": 4.0, "upper": 9.0}
    silent = {**dict.fromkeys(("posts", "units", "share")), "coverage": 0.0}
    points = [point(0, 2, **told), point(1, **{**told, **silent}), point(2, 1, **told), point(3, 1)]
    drawn = chart.draw(points, measure="share")
    assert drawn.top == pytest.approx(0.15), "the limit fits as far as it makes no bar small"
    assert drawn.band.count("M") == drawn.expected.count("M") == 2
    assert drawn.band.split("h")[0] == "M0.00 100V0.0", "the band is up to the limit"
    assert drawn.expected.startswith("M0.00 66.7"), "0.05 of 0.15, and not 4 of them"
    assert [r.usual for r in drawn.rows] == [0.2, None, 0.2, None]
    told = json.loads(plot.columns(points, measure="share", step=timedelta(hours=1)))
    assert (told["expected"], told["upper"]) == ([0.05, None, 0.05, None], [0.2, None, 0.2, None])
    units = json.loads(plot.columns(points, measure="units", step=timedelta(hours=1)))
    assert units["upper"] == [9.0, None, 9.0, 3.0]
    assert "upper" not in json.loads(plot.columns(points, measure="posts", step=timedelta(hours=1)))
    assert chart.draw(points, measure="posts").band == ""


def test_a_burst_is_marked_by_more_than_colour():
    drawn = chart.draw([point(0, 1), point(1, 9, state="burst"), point(2, 0, state="burst")])
    assert drawn.bursts.count("M") == 1
    assert drawn.strip.count("M") == 2
    assert drawn.top == 9
    assert "2 hours in a burst" in drawn.summary


def test_time_before_anybody_listened_is_left_out_but_for_a_little():
    silent = [point(i, coverage=None, expected=None, upper=None) for i in range(200)]
    drawn = chart.draw([*silent, point(200, 1)])
    assert drawn.since == START + timedelta(hours=201 - chart.LEAST)
    assert len(drawn.unheeded) == 1
    assert chart.draw([]) is None


def test_much_that_was_not_heard_is_seen_and_told_to_the_script():
    silent = point(2, coverage=None, expected=None, upper=None)
    points = [point(0, 2), point(1, 1, coverage=0.4), silent, point(3, 1, coverage=0.95)]
    drawn = chart.draw(points)
    assert (drawn.partly, drawn.unheeded) == ((chart.Span(250.0, 250.0),), (chart.Span(500.0, 250.0),))
    told = json.loads(plot.columns(points, measure="units", step=timedelta(hours=1)))
    assert (told["coverage"], told["well"]) == ([1.0, 0.4, None, 0.95], 0.9)


PRESENT = datetime(2016, 12, 15, 9, 30, tzinfo=UTC)


@given(st.sampled_from(sorted(frames.PERIODS)), st.dates(date(2015, 1, 1), date(2017, 1, 1)))
def test_periods_follow_each_other_without_a_hole(days, day):
    view = frames.View(days, "1d", "units", "", day.isoformat())
    since, until = view.period(PRESENT)
    assert (until is None) == (day >= PRESENT.date())
    assert (until or PRESENT) - since == view.length
    before = replace(view, until=parse_qs(view.earlier(PRESENT)[1:])["until"][0])
    begun, ended = before.period(PRESENT)
    assert ended is not None
    assert timedelta(0) <= ended - since < timedelta(days=1)
    assert begun < since
    later = parse_qs(before.later(PRESENT)[1:]).get("until", [""])[0]
    assert later == (view.until if until else "") or ended - since > timedelta(0)


def test_a_day_that_was_not_heard_has_no_posts_in_the_table():
    drawn = chart.draw([gap(i) for i in range(24)] + [point(24 + i, 1) for i in range(24)])
    assert [(r.posts, r.most, r.coverage) for r in drawn.rows] == [(None, None, 0.0), (24, 1, 1.0)]


def frame(title, state="ok", change=0.0, **about):
    told = {"codebook": "c", "version": 1, "codebook_title": "", "frame": title, "title": title, "description": "",
            "posts": 1, "units": 1, "authors": 1, "share": 0.1, "previous_share": 0.1, "coverage": 1.0, "verdict": None,
            "alert_id": None}  # fmt: skip
    alert = Open("burst", PRESENT, PRESENT) if about.get("alert_id") else None
    said = condition(state, None, alert)
    told |= {"state": state, "change": change, "condition": said.condition, "detail": said.detail}
    return Frame(**{**told, **about})


def test_alerts_come_first_then_bursts_then_change():
    told = [frame("a", change=0.3), frame("b", change=None), frame("c", alert_id="x"), frame("d", "burst", change=-0.1),
            frame("e", "burst", alert_id="y")]  # fmt: skip
    assert [f.title for f in words.ranked(told)] == ["e", "c", "d", "a", "b"]


@pytest.mark.parametrize(
    ("frames", "said"),
    [
        ([], "No codebook is current yet."),
        ([frame("a")], "Nothing moves now."),
        ([frame("a", "learning")], "Still learning what is usual."),
        ([frame("a", posts=None)], "Too little was heard to say what moves."),
        ([frame("a", state="insufficient coverage")], "Too little was heard to say what moves."),
        ([frame("a", alert_id="x"), frame("b", "burst")], "a is on alert."),
        ([frame("a", "burst"), frame("b", "burst")], "a and b are in a burst."),
        ([frame(t, "burst", alert_id="x") for t in "abcde"], "a, b, c and 2 more are on alert."),
    ],
)
def test_the_headline(frames, said):
    assert words.headline(frames) == said


def test_times_are_worded():
    now = START + timedelta(days=3)
    assert words.ago(None, now) == "never"
    assert words.ago(now, now) == words.ago(now + timedelta(hours=1), now) == "just now"
    assert words.ago(now - timedelta(minutes=61), now) == "1 hour ago"
    assert words.ago(START, now) == "3 days ago"
    assert words.odds(7.8e-07) == "1 in 1.3 million"
    assert words.odds(0.00074) == "1 in 1,400"
    assert words.odds(3.2e-10) == "1 in 3.1 billion"
    assert words.odds(0.25) == "25%"
    assert words.odds(0.0) == "less than 1 in a trillion"
    assert words.odds(None) == "–"
    assert words.moment("2016-12-14T23:54:34+00:00") == "14 Dec 2016 23:54"
    assert words.moment("nonsense") == words.moment(None) == "–"
