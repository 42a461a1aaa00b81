"""Scattered numbers: each once, spread over all of the range, and in an order that outlives its growth."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from services.analysis.scattering import PIECE, scattered

first = st.integers(0, 2**60)


def drawn(begin: int, end: int, most: int = 10**6) -> list[int]:
    found: list[int] = []
    for piece in scattered(begin, end):
        assert len(piece) <= PIECE
        found += piece.tolist()
        if len(found) >= most:
            break
    return found[:most]


@given(first, st.integers(0, 9_000))
def test_every_number_comes_once(begin: int, more: int) -> None:
    found = drawn(begin, begin + more)
    assert sorted(found) == list(range(begin, begin + more + 1))
    assert found == drawn(begin, begin + more)


@given(st.integers(0, 50), st.integers(0, 2_000), st.integers(0, 2_000), st.integers(0, 30))
def test_what_comes_and_goes_leaves_the_order_of_the_others(block: int, more: int, later: int, gone: int) -> None:
    """Between two powers of two, of which 4,096 is one."""
    begin = block * 8_192 + 100
    end = begin + 4_200 + more
    before, after = drawn(begin, end), drawn(begin + gone, min(end + later, begin + gone + 8_000))
    assert [n for n in before if n >= begin + gone] == [n for n in after if n <= end]


@given(first, st.integers(13, 48).flatmap(lambda bits: st.integers(2**bits, 2 ** (bits + 1))))
def test_the_first_thousand_are_spread_as_chance_would(begin: int, more: int) -> None:
    """Distance of Kolmogorov and Smirnov below what chance exceeds once in 10^6 draws; and no step that hides a kind."""
    some = np.sort(np.array(drawn(begin, begin + more, 1_000)) - begin) / (more + 1)
    assert np.abs(some - np.arange(1, 1_001) / 1_000).max() < 0.085
    numbers = drawn(begin, begin + more, 1_000)
    for step in (2, 3, 7, 16, 300):
        kinds = np.bincount(np.array(numbers) % step, minlength=step)
        assert (np.square(kinds - 1_000 / step) / (1_000 / step)).sum() < step + 7 * np.sqrt(2 * step) + 20
