"""The state machine of alerts, quiet hours, waves: what must hold whatever comes."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.analysis import coordination, quiet, telling
from services.analysis.coverage import uncovered
from services.analysis.rechecking import differences
from services.analysis.telling import Growth, Hush, Measure, Seen, Standing, Target, address, advance, after

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
STEPS = st.lists(
    st.tuples(st.integers(0, 30), st.booleans(), st.sampled_from(["ok", "silent"])), max_size=40
)  # fmt: skip


def run(steps, growth=None):
    """Every move of an alert whose voices only grow; (moves, growth told between two messages)."""
    growth = growth or Growth()
    standing, units, moves = Standing(), 5, []
    for more, over, silence in steps:
        units += more
        seen = Seen(Measure(units, units // 3, units / 4), over=over)
        move = advance(standing, seen, growth, silent=silence == "silent")
        standing = after(standing, move, seen.measure, told=silence != "silent")
        moves.append((move, units))
    return moves


@given(STEPS)
def test_each_message_has_an_id_of_its_own_and_the_end_comes_once_and_last(steps):
    ids = [move.message_id("a") for move, _ in run(steps) if move.message]
    assert len(ids) == len(set(ids))
    assert ids[:1] in ([], ["a:firing"])
    assert "a:resolved" not in ids[:-1]


@given(STEPS)
def test_nothing_is_told_again_without_five_more_voices(steps):
    told = [units for move, units in run(steps) if move.message in ("firing", "escalated")]
    silenced = any(s == "silent" for *_, s in steps)
    assert silenced or all(b - a >= Growth().floor for a, b in pairwise(told))


@given(STEPS)
def test_evaluating_again_with_nothing_new_says_nothing(steps):
    standing, measure = Standing(), Measure(9, 3, 5.0)
    first = advance(standing, Seen(measure), Growth())
    standing = after(standing, first, measure, told=True)
    assert advance(standing, Seen(measure), Growth()).message is None
    assert telling.from_row("firing", telling.to_row(standing)) == standing


def test_the_way_from_learning_to_resolved():
    known = Seen(Measure(9, 3, 5.0))
    assert advance(Standing(), Seen(Measure(), known=False), Growth()).state == "learning"
    assert advance(Standing(), Seen(Measure(), supported=False), Growth()).state == "ok"
    fired = after(Standing(), advance(Standing(), known, Growth()), known.measure, told=True)
    grown = advance(fired, Seen(Measure(15, 6, 5.0)), Growth())
    assert (grown.state, grown.number, "from 3 to 6" in grown.why) == ("escalated", 1, True)
    assert advance(fired, Seen(Measure(14, 3, 10.0)), Growth()).message == "escalated"
    assert advance(fired, Seen(Measure(13, 9, 50.0)), Growth()).message is None, "too few voices came to it"
    assert advance(fired, Seen(Measure(34, 3, 5.0)), Growth()).message == "escalated"
    over = advance(fired, Seen(known.measure, over=True), Growth())
    assert over.message_id("a") == "a:resolved"
    assert advance(after(fired, over, known.measure, told=True), known, Growth()).message is None


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)), st.sampled_from(["Europe/Berlin", "Asia/Kolkata", "UTC"])
)
def test_quiet_hours_end_soon_and_outside_of_themselves(at, zone):
    hours = quiet.parse(f"22:30-06:15 {zone}")
    now = at.replace(tzinfo=UTC)
    end = hours.until(now)
    local = now.astimezone(hours.zone).time()
    assert (end is not None) == (local >= hours.begins or local < hours.ends)
    if end is not None:
        assert timedelta(0) < end - now <= timedelta(hours=9)
        assert hours.until(end) is None


def test_why_nobody_is_told():
    hush = Hush(snoozed_until=NOW + timedelta(hours=1), acknowledged=True)
    assert hush.reason("escalated", NOW) == "snoozed until 01 Mar 2026 13:00 UTC"
    assert hush.reason("escalated", NOW + timedelta(hours=1)) == "acknowledged"
    assert hush.reason("resolved", NOW + timedelta(hours=1)) is None
    assert Hush(muted=True).reason("resolved", NOW) == "muted"
    rows = address([], now=NOW, silence=None, quiet=None)
    assert [(r.channel_id, r.state, r.reason) for r in rows] == [(None, "silenced", "no channel")]
    both = address([Target(1, "a", quiet.parse("10:00-14:00 UTC")), Target(2, "b")], now=NOW, silence=None, quiet=None)
    assert [r.due for r in both] == [NOW + timedelta(hours=2), NOW]
    assert [r.state for r in both] == ["pending", "pending"]


def posts(number, seconds=3.0, fresh=True, text="k"):
    return [
        {"unit_key": text, "author": f"a{i}", "published_at": NOW + timedelta(seconds=i * seconds), "fresh": fresh}
        for i in range(number)
    ]


def test_a_wave_is_one_text_by_many_new_accounts_within_a_minute():
    (wave,) = coordination.waves(posts(8), 0.1)
    assert (wave.authors, wave.fresh, wave.span_s) == (8, 8, 21.0)
    assert coordination.waves(posts(4), 0.1) == []
    assert coordination.waves(posts(8, seconds=20), 0.1) == []
    assert coordination.waves(posts(8, fresh=False), 0.1) == []
    assert coordination.waves(posts(8), 0.9) == [], "where most accounts are new, new accounts say nothing"


@given(st.permutations(posts(9) + posts(6, text="z") + posts(3, text="few")))
def test_the_order_of_rows_changes_no_wave(rows):
    assert [(w.unit_key, w.authors) for w in coordination.waves(rows, 0.1)] == [("k", 9), ("z", 6)]


@pytest.mark.parametrize(
    ("heard", "runs"),
    [
        ([1, 0, 0, 1, 1], [(1, 3, True)]),
        ([1, 0, 1, 1, 1], []),
        ([0, 0, 0, 1, 1], []),
        ([1, 0, 1, 0, 1, 1], [(1, 4, True)]),
        ([1, 1, 0, 0, 0], [(2, 5, False)]),
        ([1, float("nan"), float("nan"), 1], []),
    ],
)
def test_a_gap_is_a_run_of_what_was_not_heard(heard, runs):
    import numpy as np

    found = uncovered(np.arange(len(heard), dtype=float), np.array(heard, float), covered=0.5, least=2)
    assert [(r.begin, r.end, r.over) for r in found] == runs


def test_a_bundle_does_not_differ_from_itself():
    bundle = {
        "counts": {"posts": 3, "texts": 2, "units": 2, "authors": 2, "publishers": 1}, "scored": 9,
        "sources": [{"source": "rss", "posts": 3}], "languages": [], "links": [],
        "first_carriers": [{"post_id": 1, "text": "x"}], "typical": [],
    }  # fmt: skip
    assert differences(bundle, bundle, {}) == []
    other = {**bundle, "counts": {**bundle["counts"], "posts": 2}, "first_carriers": []}
    told = differences(bundle, other, {1: "it was deleted on 1 Mar"})
    assert [d["field"] for d in told] == ["counts.posts", "first_carriers.1"]
    assert told[1]["told"].endswith("it was deleted on 1 Mar")
