"""The detector: causal, calm on noise, awake on bursts, silent while it learns or cannot hear."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from services.analysis import bursts, tails

HOUR = 3600.0
MONDAY = 1_480_291_200.0  # 2016-11-28 00:00 UTC
ALPHA = 1 / (8 * 168)
WEEK = 7 * 86_400.0


def series(counts: np.ndarray, coverage: np.ndarray | None = None) -> bursts.Series:
    starts = MONDAY + HOUR * np.arange(len(counts))
    return bursts.Series(starts, HOUR, counts.astype(float), np.ones(len(counts)) if coverage is None else coverage)


def judge(counts: np.ndarray, coverage: np.ndarray | None = None) -> bursts.Verdicts:
    return bursts.judge(series(counts, coverage), alpha=ALPHA, learning_s=WEEK)


def noise(level: float, days: int, seed: int = 1, k: float = 2.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    hours = np.arange(days * 24)
    mean = level * (1 + 0.6 * np.sin(hours / 24 * 2 * np.pi))
    return rng.poisson(mean * rng.gamma(k, 1 / k, len(hours)))


def test_a_burst_is_found_in_the_hour_it_comes() -> None:
    counts = noise(1.0, 21, k=10.0)
    counts[400:406] += 15
    states = judge(counts).state
    assert states[400] == "burst"
    assert set(states[200:400]) == {"ok"}


def test_a_rare_frame_needs_few_posts_to_stand_out_and_one_is_not_enough() -> None:
    counts = np.zeros(21 * 24)
    counts[[30, 100, 160]] = 1
    counts[300] = 1
    counts[400] = 6
    states = judge(counts).state
    assert states[300] == "ok"
    assert states[400] == "burst"


def test_nothing_is_called_a_burst_while_learning() -> None:
    counts = noise(1.0, 10)
    counts[100] = 90
    verdicts = judge(counts)
    assert verdicts.state[100] == "learning"
    assert set(verdicts.state[: 7 * 24]) == {"learning"}
    assert verdicts.state[8 * 24 + 1] in ("ok", "burst")


def test_what_was_not_heard_is_not_judged_and_not_learned_from() -> None:
    counts = noise(4.0, 28)
    coverage = np.ones(len(counts))
    coverage[300:420] = 0.0
    counts[300:420] = 0
    blind = judge(counts, coverage)
    assert set(blind.state[300:420]) == {"insufficient coverage"}
    assert blind.expected[500] == pytest.approx(judge(noise(4.0, 28)).expected[500], rel=0.35)
    coverage[:] = np.nan
    assert set(judge(counts, coverage).state) == {"insufficient coverage"}


@settings(max_examples=25, deadline=None)
@given(st.integers(10 * 24, 16 * 24 - 1), st.integers(0, 500))
def test_the_future_changes_no_verdict(cut: int, surge: int) -> None:
    counts = noise(1.5, 16)
    changed = counts.copy()
    changed[cut:] += surge
    a, b = judge(counts), judge(changed)
    assert a.state[:cut] == b.state[:cut]
    np.testing.assert_array_equal(a.probability[:cut], b.probability[:cut])


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 60), st.integers(1, 60))
def test_more_posts_are_never_less_of_a_burst(count: int, more: int) -> None:
    counts = noise(1.5, 15)
    counts[340] = count
    low = judge(counts).probability[340]
    counts[340] = count + more
    assert judge(counts).probability[340] <= low


@settings(max_examples=50, deadline=None)
@given(st.floats(0.01, 200), st.floats(0.05, 5), st.integers(0, 300))
def test_the_tail_is_that_of_scipys_negative_binomial(mean: float, dispersion: float, count: int) -> None:
    size = 1 / dispersion
    expected = stats.nbinom.sf(count - 1, size, size / (size + mean))
    got = tails.tail(np.array([float(count)]), np.array([mean]), np.array([dispersion]))[0]
    assert got == pytest.approx(expected, rel=1e-6, abs=1e-12)


def test_noise_alone_stays_inside_the_budget() -> None:
    """24 frames, 5 weeks without a burst: at most the 95 % bound of what the budget of one a week allows."""
    frames, weeks = 24, 5
    alpha = 1 / (frames * 168)
    alarms = 0
    for seed in range(frames):
        counts = noise(0.5, (weeks + 2) * 7, seed)
        verdicts = bursts.judge(series(counts), alpha=alpha, learning_s=WEEK)
        burst = np.array([s == "burst" for s in verdicts.state[2 * 168 :]])
        # A run is one alarm, and one post or two are never told: the support rule wants five.
        onsets = burst & ~np.roll(burst, 1)
        alarms += int((onsets & (np.convolve(counts, np.ones(6))[2 * 168 : len(counts)] >= 5)).sum())
    assert alarms <= stats.poisson.ppf(0.95, weeks)


def test_the_upper_bound_is_the_largest_count_that_is_no_burst_by_itself() -> None:
    counts = noise(2.0, 20)
    verdicts = judge(counts)
    at = 19 * 24 + 12
    for extra, state in ((0, "ok"), (1, "burst")):
        counts[at - 6 : at] = 0
        counts[at] = verdicts.upper[at] + extra
        assert judge(counts).state[at] == state
