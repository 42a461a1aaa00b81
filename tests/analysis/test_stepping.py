"""Steps of trends are read as people write them, and what cannot be counted is refused in words."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.analysis.stepping import BUCKET, LONGEST, length_of, usual_period


@pytest.mark.parametrize(
    ("step", "hours"), [("5m", 1 / 12), ("15m", 0.25), ("90m", 1.5), ("1h", 1), ("6h", 6), ("2d", 48), ("52w", 8736)]
)
def test_a_step_is_as_long_as_it_says(step, hours):
    assert length_of(step) == timedelta(hours=hours)


@pytest.mark.parametrize(
    "step", ["", "1", "h", "0h", "-1h", "7m", "1m", "53w", "9999w", "1.5h", "1H", "01h", "1h\n", "1y"]
)
def test_what_is_no_step_is_refused_in_words(step):
    with pytest.raises(ValueError, match="15m, 6h, 1d, 2w"):
        length_of(step)


@given(st.integers(1, 9999), st.sampled_from("mhdw"))
def test_every_step_is_whole_buckets_and_has_a_period_to_show(count, unit):
    try:
        length = length_of(f"{count}{unit}")
    except ValueError:
        return
    assert not length % BUCKET
    assert BUCKET <= length <= LONGEST
    assert 1 <= usual_period(length) / length <= 336
