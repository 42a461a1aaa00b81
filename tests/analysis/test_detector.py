"""The detector as it runs: portion by portion, causal, on counts and values, with a score from the first day on."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from services.analysis import baseline, budget, bursts, calibrating, onsets, sustained, tails
from services.analysis.kinds import counted

MONDAY = 1_480_291_200.0
DAY = 86_400.0
WEEK = 7 * DAY


def volume(rows: int, step: float = 300.0, level: float = 20.0, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    starts = MONDAY + step * np.arange(rows)
    mean = level * (1 + 0.6 * np.sin(starts / DAY * 2 * np.pi))
    return starts, rng.poisson(mean * rng.gamma(5, 1 / 5, rows)).astype(float)


def feed(starts: np.ndarray, seen: np.ndarray, cuts: list[int] | None = None) -> list[tuple]:
    """What is said of each row, the series being cut into portions."""
    detector = bursts.Detector(bursts.Asked(1.0 / WEEK, 2 * DAY))
    edges = [0, *sorted(cuts or []), len(starts)]
    told = []
    for a, b in pairwise(edges):
        v = detector.feed(starts[a:b], seen[a:b], np.ones(b - a))
        told += list(zip(v.expected.tolist(), v.probability.tolist(), v.score.tolist(), v.state, strict=True))
    return told


def same(a: list[tuple], b: list[tuple]) -> bool:
    return all(x[3] == y[3] and np.array_equal(x[:3], y[:3], equal_nan=True) for x, y in zip(a, b, strict=True))


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(0, 1500), max_size=6), st.sampled_from([300.0, 3600.0]), st.booleans())
def test_portions_of_any_size_give_the_same_answers(cuts: list[int], step: float, counts: bool) -> None:
    starts, seen = volume(1500, step)
    seen = seen if counts else seen / 7 + 0.5
    assert same(feed(starts, seen), feed(starts, seen, cuts))


@settings(max_examples=15, deadline=None)
@given(st.integers(2, 1500), st.lists(st.floats(-1e6, 1e9), max_size=40), st.sampled_from([300.0, 3600.0, DAY]))
def test_rows_that_come_later_change_nothing(cut: int, later: list[float], step: float) -> None:
    starts, seen = volume(1500 if step < DAY else 90, step)
    cut = min(cut, len(starts))
    more = starts[cut - 1] + step * (1 + np.arange(len(later)))
    longer = feed(np.append(starts[:cut], more), np.append(seen[:cut], later))
    assert same(feed(starts[:cut], seen[:cut]), longer[:cut])


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.floats(-1e12, 1e12) | st.integers(0, 10**12), min_size=1, max_size=200),
    st.lists(st.floats(1, 1e6), min_size=200, max_size=200),
)
def test_any_numbers_at_any_times_get_a_score_between_0_and_1(values: list[float], gaps: list[float]) -> None:
    starts = MONDAY + np.cumsum(gaps[: len(values)])
    told = feed(starts, np.array(values, float))
    assert len(told) == len(values)
    assert all(0 <= score <= 1 for _, _, score, _ in told)
    assert {state for *_, state in told} <= {"learning", "ok", "burst"}


@pytest.mark.parametrize("level", [2.0, 20.0, 2000.0])
def test_an_onset_on_the_second_day_scores_above_all_before_at_any_volume(level: float) -> None:
    starts, seen = volume(600, level=level)
    seen[450:470] += np.ceil(12 * level)
    scores = np.array([score for _, _, score, _ in feed(starts, seen)])
    assert scores[450:455].max() > 0.4
    assert scores[450:455].max() > 1.2 * scores[100:450].max()
    # What follows is the same story.
    assert np.all(scores[462:560] == 0)


def test_a_value_is_watched_in_both_directions_and_a_count_in_one() -> None:
    rng = np.random.default_rng(1)
    starts = MONDAY + 300.0 * np.arange(4000)
    warm = 70 + rng.normal(0, 1, 4000)
    warm[3500:3520] = 40.0
    told = feed(starts, warm)
    assert told[3500][3] == "burst"
    assert told[3500][2] > max(score for _, _, score, _ in told[:3500])
    starts, seen = volume(4000, level=200.0)
    seen[3500:3520] = 0
    assert {state for *_, state in feed(starts, seen)[3500:3520]} == {"ok"}


def test_steps_smaller_than_chance_are_no_counts() -> None:
    rng = np.random.default_rng(2)
    assert counted(rng.poisson(60, 500).astype(float))
    assert not counted(np.round(60 + rng.normal(0, 2, 500)))
    assert not counted(np.array([1.0, 2.5]))
    assert not counted(np.array([1.0, -2.0]))


def test_a_regime_that_changed_is_the_new_usual() -> None:
    starts, seen = volume(30 * 24, 3600.0, 10.0)
    seen[18 * 24 :] *= 4
    fitted = baseline.counts(starts, seen, np.ones(len(seen)))
    assert fitted.level == pytest.approx(40, rel=0.25)
    seen[18 * 24 :] /= 4
    seen[29 * 24 :] *= 4
    assert baseline.counts(starts, seen, np.ones(len(seen))).level < 15


@settings(max_examples=50, deadline=None)
@given(st.floats(0.05, 50), st.floats(0.05, 3), st.floats(1, 20))
def test_the_bet_on_a_rise_is_fair_when_nothing_rises(mean: float, dispersion: float, memory: float) -> None:
    """The e-detector's bound rests on this: under the baseline a ratio is 1 on average, or less."""
    counts = np.arange(4000.0)
    size = 1 / dispersion
    chance = stats.nbinom.pmf(counts, size, size / (size + mean))
    fitted = baseline.Counts(mean, np.ones(24), np.ones(7), dispersion, 100.0, memory)
    ratios = fitted.ratios(counts, np.full(4000, mean))
    assert np.all(chance @ ratios <= 1.0 + 1e-6)


def test_a_rise_too_small_for_any_bucket_adds_up() -> None:
    rng = np.random.default_rng(5)
    starts = MONDAY + 3600.0 * np.arange(25 * 24)
    seen = rng.poisson(10.0, len(starts)).astype(float)
    seen[22 * 24 :] = rng.poisson(18.0, 3 * 24)
    told = bursts.judge(bursts.Series(starts, 3600.0, seen, np.ones(len(seen))), alpha=1e-5, learning_s=WEEK)
    spikes = tails.tail(seen, told.expected, told.dispersion)
    assert spikes[22 * 24 :].min() > 1e-5 / 2
    assert "burst" in told.state[22 * 24 :]
    assert "burst" not in told.state[: 22 * 24]


def test_evidence_is_spent_once_told() -> None:
    running = sustained.Sustained()
    told = running.follow(np.full((6, 4), 50.0), step_s=3600.0, limit=1e4)
    assert (told > 1e4).sum() >= 2
    assert max(running.sums) <= 1e4 * 4 * sustained.KEPT + 1e-6


def test_calibration_only_ever_lowers_evidence_and_knows_its_inverse() -> None:
    rng = np.random.default_rng(4)
    honest = calibrating.calibrate(rng.exponential(1, 700))
    wild = calibrating.calibrate(rng.exponential(4, 700))
    evidence = np.linspace(0, 40, 81)
    for calibration in (honest, wild):
        assert np.all(calibration.correct(evidence) <= evidence + 1e-12)
        assert np.all(np.diff(calibration.correct(evidence)) >= 0)
        assert calibration.correct(np.array([calibration.needed(11.0)]))[0] == pytest.approx(11.0)
    assert honest.scale < 1.5 < wild.scale


def test_a_budget_that_the_past_broke_is_kept_after_replay() -> None:
    rng = np.random.default_rng(6)
    wild = [np.exp(-2.5 * rng.exponential(1, 700)) for _ in range(100)]
    alpha = 1e-4
    held = budget.accepted(wild, alpha)
    assert held < alpha / 10
    fresh = [np.exp(-2.5 * rng.exponential(1, 700)) for _ in range(100)]
    seen = sum(budget.alarms(p, held) for p in fresh)
    assert seen <= 3 * alpha * 700 * 100
    assert budget.accepted([rng.random(700) for _ in range(100)], alpha) > alpha / 10
    assert budget.accepted([], alpha) == alpha
    assert budget.at_most(0) == pytest.approx(2.996, abs=0.01)


def test_a_gap_of_any_length_is_one_late_row() -> None:
    assert onsets.shares(30 * DAY) == onsets.shares(300 * DAY)
    starts, seen = volume(1200)
    starts[700:] += 5 * DAY
    scores = [score for _, _, score, _ in feed(starts, seen)]
    assert max(scores[700:760]) < 0.5
