"""Estimates of precision and recall: published examples, what must always hold, and intervals that hold what they say."""

import math
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.analysis import judging
from services.analysis.judging import Judged, effective, wilson

WEEK = date(2016, 12, 5)
shares = st.floats(0, 1)


def judged(number: int, yes: float, stratum: str = "carried", size: int = 100, **more: object) -> Judged:
    about = {"week": WEEK, "carried": stratum != "rest", "probability": 0.9, **more}
    return Judged(stratum=stratum, size=size, unit_key=str(number).encode(), yes=yes, **about)  # type: ignore[arg-type]


# Newcombe, Two-sided confidence intervals for the single proportion (1998), table I, method 3.
@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_as_newcombe_printed_it(hits: int, of: int, low: float, high: float) -> None:
    assert wilson(hits / of, of) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


@settings(deadline=None)
@given(shares, st.floats(0, 1e6))
def test_wilson_lies_in_0_and_1_and_around_the_share(share: float, count: float) -> None:
    low, high = wilson(share, count)
    assert 0 <= low <= share + 1e-9
    assert share - 1e-9 <= high <= 1


@settings(deadline=None)
@given(shares, st.floats(1, 1e4))
def test_more_judged_is_never_less_sure(share: float, count: float) -> None:
    low, high = wilson(share, count)
    surer_low, surer_high = wilson(share, 2 * count)
    assert surer_high - surer_low <= high - low + 1e-9


@settings(deadline=None)
@given(st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=30))
def test_weights_never_say_more_than_their_number(weights: list[float]) -> None:
    assert 1 - 1e-9 <= effective(np.array(weights)) <= len(weights) + 1e-9


def test_equal_weights_are_the_plain_share() -> None:
    found = judging.precision([judged(n, float(n < 15)) for n in range(20)])
    assert found is not None
    assert found.value == 0.75
    assert (found.low, found.high) == pytest.approx(wilson(0.75, 20))
    assert found.judged == 20


def test_a_stratum_counts_for_as_many_units_as_it_holds() -> None:
    near = [judged(n, float(n < 4), "near", 10) for n in range(8)]
    clear = [judged(100 + n, 1.0, "carried", 90) for n in range(8)]
    found = judging.precision(near + clear)
    assert found is not None
    assert found.value == pytest.approx(0.1 * 0.5 + 0.9)
    unweighted = judging.share_of(near + clear, np.ones(16), [True] * 16)
    assert unweighted is not None
    assert unweighted.value == 0.75, "what a mean over the sample would have said"


def test_what_a_version_does_not_carry_is_none_of_its_precision() -> None:
    found = judging.precision(
        [judged(n, 1.0) for n in range(6)] + [judged(50 + n, 0.0, carried=False) for n in range(6)]
    )
    assert found is not None
    assert found.value == 1.0


def test_a_few_judged_say_nothing() -> None:
    assert judging.precision([judged(n, 1.0) for n in range(judging.FEW - 1)]) is None
    assert judging.precision([]) is None


def test_a_unit_of_two_weeks_is_one_witness() -> None:
    once = judging.precision([judged(n, 1.0) for n in range(10)])
    twice = judging.precision([judged(n, 1.0, week=WEEK + timedelta(weeks=w)) for n in range(10) for w in (0, 1)])
    assert once is not None
    assert twice is not None
    assert twice.low == pytest.approx(once.low)


SIZES = [("near", 60), ("carried", 240), ("rest", 700)]


def whole(yes_rest: int = 0, rest: int = 60) -> list[Judged]:
    return [
        *(judged(n, float(n < 6), "near", 60) for n in range(10)),
        *(judged(100 + n, float(n < 9), "carried", 240) for n in range(10)),
        *(judged(200 + n, float(n < yes_rest), "rest", 700) for n in range(rest)),
    ]


def test_recall_is_what_is_found_of_all_that_is_there() -> None:
    found = judging.recall(whole(yes_rest=6), SIZES)
    assert found is not None
    there = 0.6 * 60 + 0.9 * 240
    assert found.value == pytest.approx(there / (there + 70))
    assert 0 <= found.low < found.value < found.high <= 1


def test_none_missed_among_a_few_is_no_full_recall() -> None:
    found = judging.recall(whole(), SIZES)
    assert found is not None
    assert found.value == 1.0
    # One in 17 of the 700 may be missed (Wilson's limit of 0 in 60).
    assert found.low < 252 / (252 + 700 * 0.055)


def test_recall_is_unknown_where_the_sample_cannot_say() -> None:
    vast = [("near", 60), ("carried", 240), ("rest", 100_000)]
    few = [judged(200 + n, 0.0, "rest", 100_000) for n in range(5)]
    assert judging.recall(whole(rest=0) + few, vast) is None, "five of a hundred thousand"
    assert judging.recall(whole(rest=0), vast) is None, "none of the rest was judged"
    assert judging.recall([], SIZES) is None
    assert judging.recall([judged(n, 0.0) for n in range(20)], [("carried", 100)]) is None, "nothing was found"


cells = st.builds(
    lambda stratum, yes, carried: (stratum, yes, carried),
    st.sampled_from(["near", "carried", "rest"]),
    st.sampled_from([0.0, 0.5, 1.0]),
    st.booleans(),
)


@settings(deadline=None)
@given(st.lists(cells, max_size=40))
def test_estimates_are_shares_within_their_intervals(told: list[tuple[str, float, bool]]) -> None:
    sizes = dict(SIZES)
    samples = [judged(i, yes, name, sizes[name], carried=carried) for i, (name, yes, carried) in enumerate(told)]
    for found in (judging.precision(samples), judging.recall(samples, SIZES)):
        if found is not None:
            assert 0 <= found.low <= found.value + 1e-9
            assert found.value - 1e-9 <= found.high <= 1 + 1e-9
            assert math.isfinite(found.value)


def drawn(rng: np.random.Generator, populations: dict[str, np.ndarray], counts: dict[str, int]) -> list[Judged]:
    return [
        judged(1000 * i + int(n), float(population[n]), name, len(population))
        for i, (name, population) in enumerate(populations.items())
        for n in rng.choice(len(population), min(counts[name], len(population)), replace=False)
    ]


# true shares of near, carried and rest; how many of each are drawn.
@pytest.mark.parametrize(
    ("shares", "counts"),
    [
        ((0.6, 0.95, 0.004), {"near": 40, "carried": 40, "rest": 60}),
        ((0.3, 0.8, 0.02), {"near": 10, "carried": 10, "rest": 40}),
        ((0.5, 0.99, 0.01), {"near": 20, "carried": 20, "rest": 20}),
    ],
)
def test_intervals_hold_the_truth_as_often_as_they_say(
    shares: tuple[float, float, float], counts: dict[str, int]
) -> None:
    rng = np.random.default_rng(4)
    sizes = dict(SIZES)
    held = {"precision": 0, "recall": 0}
    told = {"precision": 0, "recall": 0}
    for _ in range(400):
        populations = {n: rng.random(sizes[n]) < p for n, p in zip(sizes, shares, strict=True)}
        found = int(populations["near"].sum() + populations["carried"].sum())
        truth = {"precision": found / 300, "recall": found / (found + int(populations["rest"].sum()))}
        samples = drawn(rng, populations, counts)
        estimates = {"precision": judging.precision(samples), "recall": judging.recall(samples, SIZES)}
        for name, estimate in estimates.items():
            if estimate is not None:
                told[name] += 1
                held[name] += estimate.low <= truth[name] <= estimate.high
    assert told["precision"] == 400
    assert held["precision"] / told["precision"] >= 0.95
    assert told["recall"] > 300
    assert held["recall"] / told["recall"] >= 0.95
