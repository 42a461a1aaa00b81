"""The detector as it runs: portion by portion, causal, on counts and values, with a score from the first day on."""

import json
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from services.analysis import baseline, budget, bursts, calibrating, onsets, sustained, tails
from services.analysis.days import Pace, days
from services.analysis.kinds import Kind, counted
from services.analysis.varying import Fitted
from services.analysis.windows import Windows

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
    parts = rng.poisson(60, 500).astype(float), np.round(60 + rng.normal(0, 2, 500)), [1.0, 2.5], [1.0, -2.0]
    ends = np.cumsum([len(part) for part in parts])
    told = counted(np.concatenate(parts), Windows(np.append(0, ends[:-1]), ends))
    assert told.tolist() == [True, False, False, False]
    for part, known in zip(parts, told, strict=True):
        one = Kind(counts=None)
        assert [one.counts(np.array([x])) for x in part][-1] == known, "bucket by bucket it is the same"


def test_a_regime_that_changed_is_the_new_usual() -> None:
    starts, seen = volume(30 * 24, 3600.0, 10.0)
    seen[18 * 24 :] *= 4
    whole = Windows(np.array([0]), np.array([len(seen)]))
    fitted = baseline.counts(starts, seen, np.ones(len(seen)), whole)
    assert fitted.level[0] == pytest.approx(40, rel=0.25)
    seen[18 * 24 :] /= 4
    seen[29 * 24 :] *= 4
    assert baseline.counts(starts, seen, np.ones(len(seen)), whole).level[0] < 15


def evidence(seen: np.ndarray, mean: float, dispersion: float, step: float = 3600.0) -> np.ndarray:
    """Evidence of a rise, bucket by bucket; each day knows how far the forecasts of the days before were off."""
    at = step * np.arange(len(seen))
    those = days(at, np.full(len(seen), True), Pace(step), over=0, before=0)
    told = sustained.Told(seen, np.full(len(seen), mean), np.full(len(seen), True))
    fitted = Fitted(np.full(len(those), dispersion), np.zeros(len(those)))
    return sustained.Sustained(step, counts=True).judge(those, told, fitted, over=len(those))[1]


@settings(max_examples=20, deadline=None)
@given(st.floats(0.05, 50), st.floats(0.05, 3), st.sampled_from([300.0, 3600.0, DAY]))
def test_the_bet_on_a_rise_is_fair_when_nothing_rises(mean: float, dispersion: float, step: float) -> None:
    """The e-detector's bound rests on this: under the baseline a ratio is 1 on average, or less."""
    counts = np.arange(4000.0)
    size = 1 / dispersion
    chance = stats.nbinom.pmf(counts, size, size / (size + mean))
    counts, chance = counts[chance > 1e-9], chance[chance > 1e-9]
    ratios = [np.exp(evidence(np.array([count]), mean, dispersion, step)[0]) for count in counts]
    bets = len(sustained.lengths(step))
    assert chance @ np.array(ratios) <= bets * (1.0 + 1e-6)


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


def test_a_rise_that_is_over_is_soon_forgotten() -> None:
    rng = np.random.default_rng(7)
    seen = rng.poisson(10.0 * rng.gamma(5, 1 / 5, 30 * 24)).astype(float)
    seen[20 * 24 : 20 * 24 + 6] *= 6
    told = evidence(seen, 10.0, 0.2)
    assert told[20 * 24 + 5] > 15
    assert np.median(told[20 * 24 + 18 : 21 * 24 + 6]) < 5, "twelve hours later it is over"
    assert told[22 * 24 + 6 :].max() < 8


def test_posts_that_come_in_moods_say_less() -> None:
    """The same six hours of three times the usual, after weeks of independent hours and after weeks of moods."""
    rng = np.random.default_rng(8)
    hours = rng.gamma(5, 1 / 5, 30 * 24)
    moods = np.repeat(rng.gamma(5, 1 / 5, 30 * 4), 6)
    said = []
    for intensity in (hours, moods):
        seen = rng.poisson(20.0 * intensity).astype(float)
        seen[-6:] = 60.0
        said.append(evidence(seen, 20.0, 0.2)[-1])
    assert said[1] < 0.6 * said[0]


def peaks(rng: np.random.Generator, scale: float, buckets: int = 700) -> np.ndarray:
    """How far beyond the peaks of an exponential test go."""
    said = rng.exponential(scale, buckets)
    at = np.flatnonzero(said > calibrating.BEYOND)
    return calibrating.peaks(at, said[at], 0)


def test_calibration_only_ever_lowers_evidence_and_knows_its_inverse() -> None:
    rng = np.random.default_rng(4)
    honest = calibrating.calibrate(peaks(rng, 1), 700, calibrating.Tail())
    wild = calibrating.calibrate(peaks(rng, 4), 700, calibrating.Tail())
    said = np.linspace(0, 40, 81)
    for calibration in (honest, wild):
        assert np.all(calibration.correct(said) <= said + 1e-12)
        assert np.all(np.diff(calibration.correct(said)) >= 0)
        assert calibration.correct(np.array([calibration.needed(11.0)]))[0] == pytest.approx(11.0)
    assert honest.scale < 1.5 < wild.scale


def test_series_that_are_alike_say_more_of_one_than_series_that_differ() -> None:
    rng = np.random.default_rng(9)
    alike = calibrating.pool([peaks(rng, 2.0) for _ in range(100)], 70_000)
    assert alike.scale == pytest.approx(2.0, rel=0.1)
    differ = calibrating.pool([peaks(rng, 1.0 + 3.0 * (i % 2)) for i in range(100)], 70_000)
    assert differ.weight < alike.weight / 4
    one = calibrating.pool([peaks(rng, 4.0)], 700)
    assert one.weight == calibrating.Tail().weight, "of one series nothing is known of how much series differ"


def wild(rng: np.random.Generator, scale: float, days: int = 56) -> budget.Told:
    return budget.sparse(rng.exponential(scale, days * 24), rng.exponential(1.0, days * 24), 24)


def test_a_budget_that_the_past_broke_is_kept_after_replay() -> None:
    rng, series = np.random.default_rng(6), 100
    alpha = 1 / (series * 168)
    past = [wild(rng, 2.5, 86) for _ in range(series)]
    held = budget.replay(past, 24, 56)
    limit = held.accept(alpha)
    later = np.concatenate([budget.runs(one, (56, 86), 24, held.known) for one in past])
    raw = np.concatenate([one.spikes for one in past])
    assert (raw > -np.log(alpha / 2)).sum() > 100, "without the replay there are many"
    assert (later > -np.log(limit)).sum() <= 30 / 7
    assert held.told(limit) <= held.told(alpha)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 99), st.floats(0.3, 4), st.floats(1e-9, 0.4), st.floats(1e-9, 0.4))
def test_a_replay_never_makes_detection_bolder_and_keeps_the_order_of_budgets(
    seed: int, scale: float, a: float, b: float
) -> None:
    rng = np.random.default_rng(seed)
    held = budget.replay([wild(rng, scale, 30) for _ in range(12)], 24, 30)
    low, high = sorted((a, b))
    assert held.accept(low) <= low
    assert held.accept(low) <= held.accept(high)
    assert budget.from_json(json.loads(json.dumps(budget.to_json(held)))) == held


def test_a_replay_looks_at_nothing_that_came_later() -> None:
    rng = np.random.default_rng(3)
    first, later = [wild(rng, 2.0, 40) for _ in range(20)], [wild(rng, 5.0, 10) for _ in range(20)]
    joined = [
        budget.Told(
            np.append(a.at, b.at + 40 * 24), np.append(a.spikes, b.spikes), np.append(a.rises, b.rises),
            np.append(a.days, b.days + 40), np.append(a.judged, b.judged),
        )
        for a, b in zip(first, later, strict=True)
    ]  # fmt: skip
    assert budget.replay(joined, 24, 40) == budget.replay(first, 24, 40)
    assert budget.replay(joined, 24, 50).peaks[-1] > budget.replay(first, 24, 40).peaks[-1]


def test_few_days_say_nothing_of_the_budget() -> None:
    rng = np.random.default_rng(5)
    few = budget.replay([wild(rng, 9.0, 6) for _ in range(50)], 24, 6)
    assert few.accept(1e-4) == 1e-4
    assert budget.replay([], 24, 6) == budget.Held()
    assert budget.at_most(0) == pytest.approx(2.996, abs=0.01)


def test_the_threshold_is_the_one_in_force_that_day() -> None:
    starts, seen = volume(30 * 24, 3600.0)
    held = budget.Held(series=1, days=28, buckets=672, peaks=tuple(np.linspace(30, 20, budget.PEAKS)))
    told = bursts.judge(
        bursts.Series(starts, 3600.0, seen, np.ones(len(seen))), alpha=1e-4, learning_s=WEEK,
        held=((starts[20 * 24], held),),
    )  # fmt: skip
    assert set(told.alpha[: 20 * 24]) == {1e-4}
    assert set(told.alpha[20 * 24 :]) == {held.accept(1e-4)}


def test_a_gap_of_any_length_is_one_late_row() -> None:
    assert onsets.shares(30 * DAY) == onsets.shares(300 * DAY)
    starts, seen = volume(1200)
    starts[700:] += 5 * DAY
    scores = [score for _, _, score, _ in feed(starts, seen)]
    assert max(scores[700:760]) < 0.5


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 99), st.sampled_from([0.2, 5.0]), st.sampled_from([1.0, 40.0]))
def test_a_total_that_never_changes_changes_no_verdict(seed: int, level: float, total: float) -> None:
    starts, seen = volume(30 * 24, 3600.0, level, seed)
    asked = bursts.Asked(1.0 / WEEK, WEEK, 3600.0, counts=True)
    every = np.full(len(seen), total)
    alone = bursts.Detector(asked).feed(starts, seen, np.ones(len(seen)))
    of_all = bursts.Detector(asked).feed(starts, seen, np.ones(len(seen)), every)
    assert alone.state == of_all.state
    np.testing.assert_allclose(alone.probability, of_all.probability, rtol=1e-9)
    np.testing.assert_allclose(alone.expected, of_all.expected, rtol=1e-9)
    np.testing.assert_allclose(alone.score, of_all.score, atol=1e-9)
