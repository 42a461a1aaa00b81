"""Likeness by vectors: what all posts share says nothing, near misses push away, and voices are counted as in trends."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from services.analysis.likeness import STRICTNESS, Found, by_step, cut, direction, distinct

START = datetime(2026, 5, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
NUMBERS = st.floats(-1, 1, width=32)


def rows(*vectors):
    return np.array(vectors, np.float32)


def test_what_all_posts_share_says_nothing():
    mean = rows([10, 0, 0])[0]
    towards = direction(mean, rows([10, 1, 0]), rows())
    assert towards.likeness(rows([10, 2, 0], [10, 0, 5], [10, -1, 0])) == pytest.approx([1, 0, -1])


def test_near_misses_push_away():
    like, unlike, mean = rows([1, 0, 0]), rows([0, 1, 0]), np.zeros(3, np.float32)
    posts = rows([1, 1, 0])
    with_them = direction(mean, like, unlike).likeness(posts)
    assert with_them < direction(mean, like, rows()).likeness(posts)


@given(arrays(np.float32, (7, 3), elements=NUMBERS), arrays(np.float32, (2, 3), elements=NUMBERS))
def test_likeness_is_a_cosine_whatever_comes(posts, like):
    said = direction(posts.mean(axis=0), like, like[:0]).likeness(posts)
    assert np.isfinite(said).all()
    assert (np.abs(said) <= 1.0001).all()


def test_the_stricter_the_fewer():
    likeness = np.random.default_rng(0).standard_normal(10_000).astype(np.float32)
    counted = [(likeness >= cut(likeness, name)).sum() for name in ("loose", "usual", "strict")]
    assert sorted(counted, reverse=True) == counted
    assert counted[1] == pytest.approx(228, abs=40), "2 of a normal's standard deviations"
    assert set(STRICTNESS) == {"loose", "usual", "strict"}


@pytest.mark.parametrize("likeness", [np.zeros(0, np.float32), np.ones(5, np.float32)])
def test_where_all_are_alike_nothing_is(likeness):
    assert not (likeness >= cut(likeness, "loose")).any()


def found(i, minutes, unit="a", author="x"):
    return Found(i, START + timedelta(minutes=minutes), unit.encode(), author, 0.5)


def test_a_voice_is_counted_as_trends_count_it():
    told = by_step([found(1, 1), found(2, 2, "b"), found(3, 59, "c", "y"), found(4, 61)], HOUR)
    assert {at: (h.posts, h.units, h.authors) for at, h in told.items()} == {START: (3, 2, 2), START + HOUR: (1, 1, 1)}


def test_one_post_a_voice_is_shown():
    assert [f.post_id for f in distinct([found(1, 0), found(2, 1), found(3, 2, "b"), found(4, 3, "c")], 2)] == [1, 3]
