"""A threshold chosen from labels: reaches what was wanted, says what it costs, and refuses where it cannot know."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import PermanentError
from services.analysis import thresholds
from services.analysis.judging import Judged

WEEK = date(2016, 12, 5)
SIZES = [("near", 200), ("carried", 400), ("rest", 5_000)]
CUT = 0.5


def judged(number: int, probability: float, *, yes: bool) -> Judged:
    stratum = "rest" if probability < CUT else "near" if probability < 0.65 else "carried"
    size = dict(SIZES)[stratum]
    return Judged(WEEK, stratum, size, str(number).encode(), float(yes), probability >= CUT, probability)


def calibrated(count: int, seed: int = 1) -> list[Judged]:
    """Posts with scores from 0.4 to 1 that mean what they say."""
    rng = np.random.default_rng(seed)
    scores = rng.uniform(0.4, 1, count)
    return [judged(i, float(p), yes=bool(rng.random() < p)) for i, p in enumerate(scores)]


def truth(threshold: float) -> float:
    """Precision above a threshold where scores are spread evenly and mean what they say: their mean."""
    return (threshold + 1) / 2


def test_it_reaches_what_was_wanted_and_says_what_it_costs() -> None:
    found = [thresholds.choose(calibrated(300, seed), 0.9, SIZES) for seed in range(15)]
    true = [truth(f.threshold) for f in found]
    assert np.mean(true) == pytest.approx(0.9, abs=0.03)
    said = [f.precision for f in found if f.precision is not None]
    assert np.mean([p.value for p in said]) == pytest.approx(np.mean(true), abs=0.04)
    assert sum(p.low <= t <= p.high for p, t in zip(said, true, strict=True)) >= 13
    for f in found:
        assert f.precision_before is not None
        assert f.precision_before.value < 0.85, "the mean of scores from 0.5 to 1 is 0.75"
        assert f.kept is not None
        assert 0.1 < f.kept.value < 0.8


def test_more_wanted_is_never_a_lower_threshold() -> None:
    samples = calibrated(200)
    found = [thresholds.choose(samples, wanted, SIZES).threshold for wanted in (0.7, 0.8, 0.9)]
    assert found == sorted(found)


def test_what_is_said_of_the_choice_is_not_flattered_by_the_labels_that_made_it() -> None:
    """Scores that say nothing: the best threshold of the labels looks good on them, and is not."""
    flattered, honest = [], []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        samples = [judged(i, float(p), yes=bool(rng.random() < 0.6)) for i, p in enumerate(rng.uniform(0.5, 1, 60))]
        try:
            found = thresholds.choose(samples, 0.75, SIZES)
        except PermanentError:
            continue
        above = [s for s in samples if s.probability >= found.threshold]
        flattered.append(sum(s.yes for s in above) / len(above))
        if found.precision is not None:
            honest.append(found.precision.value)
    assert len(honest) > 10
    assert np.mean(flattered) > 0.66, "truth is 0.6"
    assert abs(np.mean(honest) - 0.6) < 0.08


def test_one_post_that_stands_for_dozens_does_not_decide() -> None:
    """One post of the rest that carries the frame, below the threshold of now: it weighs as much as all above it."""
    samples = [judged(i, 0.5 + i / 100, yes=i >= 15) for i in range(50)]
    lone = [judged(100, 0.3, yes=True), *(judged(101 + i, 0.01, yes=False) for i in range(9))]
    found = thresholds.choose(samples + lone, 0.9, SIZES)
    assert found.threshold > 0.55


@pytest.mark.parametrize(
    ("samples", "told"),
    [
        ([], "0 judged posts cannot choose"),
        (calibrated(29), "29 judged posts cannot choose a threshold; 30 are the least"),
        (
            [judged(i, 0.5 + i / 100, yes=True) for i in range(40)],
            "of the judged posts 40 carry the frame and 0 do not",
        ),
        ([judged(i, 0.5 + i / 100, yes=i % 2 == 0) for i in range(40)], "reaches a precision of 95%"),
    ],
)
def test_it_refuses_with_the_reason(samples: list[Judged], told: str) -> None:
    with pytest.raises(PermanentError, match=told):
        thresholds.choose(samples, 0.95, SIZES)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1, width=32), st.booleans()), max_size=80), st.floats(0.5, 0.99))
def test_whatever_was_judged_there_is_a_threshold_or_a_reason(told: list[tuple[float, bool]], wanted: float) -> None:
    samples = [judged(i, p, yes=yes) for i, (p, yes) in enumerate(told)]
    try:
        found = thresholds.choose(samples, wanted, SIZES)
    except PermanentError:
        return
    assert 0 < found.threshold <= 1
    assert sum(s.probability >= found.threshold for s in samples) >= 5
