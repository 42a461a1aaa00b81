"""Episodes, ids, support: one burst is one alert."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.analysis.alerting import CALM, Rule, alert_id, episodes, supported

T0 = datetime(2016, 12, 10, tzinfo=UTC)
STEP = timedelta(hours=1)
QUARTER = CALM / 4
STATES = st.lists(st.sampled_from(["ok", "burst", "learning", "insufficient coverage"]), max_size=40)


def verdicts(states: list[str]) -> list[dict]:
    return [{"bucket": T0 + i * STEP, "state": s} for i, s in enumerate(states)]


def test_a_short_calm_does_not_end_an_episode_and_a_long_one_does() -> None:
    night, day = ["ok"] * 12, ["ok"] * 24
    found = episodes(verdicts(["ok", "burst", *night, "burst", *day, "burst"]), STEP)
    assert [(e.onset - T0) / STEP for e in found] == [1, 39]
    assert found[0].over == T0 + 39 * STEP
    assert found[1].over is None


def test_a_gap_ends_nothing() -> None:
    states = ["burst", *["insufficient coverage"] * 20, "burst"]
    found = episodes(verdicts(states), STEP)
    assert len(found) == 1


@given(STATES)
def test_onsets_do_not_change_when_more_is_known(states: list[str]) -> None:
    """The id of an alert hangs on its onset: evaluating again, later, must find the same ones."""
    whole = [e.onset for e in episodes(verdicts(states), QUARTER)]
    for cut in range(len(states)):
        part = [e.onset for e in episodes(verdicts(states[:cut]), QUARTER)]
        assert part == whole[: len(part)]


@given(STATES)
def test_every_burst_lies_in_exactly_one_episode(states: list[str]) -> None:
    found = episodes(verdicts(states), QUARTER)
    for i, state in enumerate(states):
        inside = [e for e in found if e.onset <= T0 + i * STEP <= e.last]
        assert len(inside) <= 1
        if state == "burst":
            assert len(inside) == 1
    assert states.count("burst") >= len(found)


def test_an_id_depends_on_rule_frame_and_onset_and_on_nothing_else() -> None:
    a = alert_id("burst", "palmyra", "staged", T0.isoformat())
    assert a == alert_id("burst", "palmyra", "staged", T0.isoformat())
    assert a != alert_id("burst", "palmyra", "staged", (T0 + STEP).isoformat())
    assert alert_id("ab", "c") != alert_id("a", "bc")


def test_support_wants_posts_authors_and_not_one_source_alone() -> None:
    rule = Rule()
    enough = {"posts": 5, "authors": 3}
    assert supported(rule, enough, sources=2, sources_heard=2)
    assert not supported(rule, enough, sources=1, sources_heard=2)
    assert supported(rule, enough, sources=1, sources_heard=1)
    assert not supported(rule, {"posts": 4, "authors": 4}, sources=2, sources_heard=2)
    assert not supported(rule, {"posts": 50, "authors": 2}, sources=2, sources_heard=2)


def test_the_budget_is_shared_by_all_frames() -> None:
    rule = Rule(budget=2.0)
    assert rule.alpha(8) * 8 * 168 == 2.0
