"""Which frames are drawn: all of few; of many those that move, never too many, never none."""

from hypothesis import given
from hypothesis import strategies as st

from services.analysis.drawing import LEAST, MOST, drawn


@given(st.lists(st.booleans(), max_size=MOST))
def test_of_few_frames_all_are_drawn(moving):
    assert all(drawn(moving))


@given(st.lists(st.booleans(), min_size=MOST + 1, max_size=4 * MOST), st.integers(0, 4 * MOST))
def test_of_many_those_that_move_are_drawn_and_never_too_many_or_too_few(moving, most):
    moving = [moves and i < most for i, moves in enumerate(moving)]
    found = drawn(moving)
    count = sum(found)
    assert len(found) == len(moving)
    assert count == min(max(sum(moving), LEAST), MOST)
    left_out = [i for i, (moves, is_drawn) in enumerate(zip(moving, found, strict=True)) if moves and not is_drawn]
    assert not left_out or count == MOST
    for kind in (True, False):
        of = [is_drawn for moves, is_drawn in zip(moving, found, strict=True) if moves is kind]
        assert of == sorted(of, reverse=True), "the foremost first"
    assert sum(moving) < LEAST or not any(f and not m for m, f in zip(moving, found, strict=True))
