"""The quick detector says what the plain one says, whatever the step, the holes and the bursts."""

import numpy as np
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from services.analysis import bursts
from tests.analysis import plain

MONDAY = 1_480_291_200.0
DAY = 86_400.0


# A seed has nothing that shrinking would make plainer, and it takes minutes.
@settings(max_examples=12, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(
    seed=st.integers(0, 10_000), step=st.sampled_from([3600.0, 6 * 3600.0, DAY, 3 * DAY]),
    level=st.sampled_from([0.2, 3.0, 400.0]), counts=st.booleans(), gaps=st.booleans(),
)  # fmt: skip
def test_days_judged_together_are_judged_as_one_by_one(
    seed: int, step: float, level: float, counts: bool, gaps: bool
) -> None:
    rng = np.random.default_rng(seed)
    rows = int(min(max(45 * DAY / step, 90), 1000))
    starts = MONDAY + step * np.arange(rows)
    seen = rng.poisson(level * (1 + 0.5 * np.sin(starts / DAY * 2 * np.pi)) * rng.gamma(3, 1 / 3, rows)).astype(float)
    for _ in range(3):
        at, lasts = int(rng.integers(rows)), int(rng.integers(1, rows // 4))
        seen[at : at + lasts] = seen[at : at + lasts] * rng.choice([0, 3, 12]) + rng.integers(4)
    heard = np.where(rng.random(rows) < 0.1, rng.choice([0.0, 0.4, 0.7, np.nan], rows), 1.0) if gaps else np.ones(rows)
    seen = seen if counts else seen / 7 + rng.normal(0, 1, rows)
    expected, spike, rise, probability = plain.judge(starts, seen, heard, counts=counts, learning_s=7 * DAY).T
    told = bursts.Detector(bursts.Asked(1e-9, 7 * DAY, step, counts=counts)).feed(starts, seen, heard)
    judged = ~np.isnan(spike)
    np.testing.assert_allclose(told.expected, expected, rtol=1e-9)
    np.testing.assert_allclose(told.spike, spike, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(told.rise, rise, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(told.probability[judged], probability[judged], rtol=1e-6, atol=1e-300)
    assert judged.any()
