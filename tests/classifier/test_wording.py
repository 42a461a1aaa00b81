import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.classifier.wording import BINS, LONGEST, bins_of, bins_of_all, flat_bins, packed, rarity_of, weighed


@given(st.text(alphabet=st.characters(), max_size=80))
def test_any_text_has_bins(text):
    bins = bins_of(text)
    assert (np.diff(bins) > 0).all()
    assert not len(bins) or 0 <= bins[0] <= bins[-1] < BINS


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Staged!", "staged"),
        ("ёлка", "елка"),
        ("مُسرحية", "مسرحيه"),
        ("أخبار", "اخبار"),
        ("a  b-c", "a b c"),
        ("x #y", "X y"),
    ],
)
def test_spellings_of_one_text(one, other):
    assert np.array_equal(bins_of(one), bins_of(other))


def test_only_the_beginning_of_a_long_text_is_looked_at():
    assert np.array_equal(bins_of("ab " * 50_000), bins_of("ab " * LONGEST))


def test_nothing_to_read():
    assert not any(len(bins_of(text)) for text in ("", "🎭🎬", "… !"))


def test_what_is_rare_weighs_more():
    texts = [bins_of(text) for text in ("abc", "abc", "xyz")]
    rarity = rarity_of(texts)
    common, rare, unseen = rarity[texts[0]].max(), rarity[texts[2]].min(), rarity.max()
    assert common < rare < unseen
    assert all(np.linalg.norm(values) == pytest.approx(1) for values in weighed(texts, rarity))


def test_bins_are_the_same_for_ever():
    assert bins_of("ab").tolist() == sorted({int(b) for b in bins_of(" AB ")})
    assert bins_of("abcd").tolist() == EVER


EVER = [52815, 54715, 58841]


@given(st.lists(st.text(max_size=40), max_size=8))
def test_what_is_stored_of_a_text_is_its_bins(texts):
    stored = packed(texts)
    assert [np.frombuffer(blob, "<u2").tolist() for blob in stored] == [bins_of(text).tolist() for text in texts]
    bins, counts = flat_bins(texts)
    assert bins.tolist() == [b for text in texts for b in bins_of(text).tolist()]
    assert counts.tolist() == [len(blob) // 2 for blob in stored]


@given(st.lists(st.text(max_size=40), max_size=8))
def test_many_texts_at_once_have_the_bins_each_has_alone(texts):
    rows, bins = bins_of_all(texts)
    for row, text in enumerate(texts):
        assert bins[rows == row].tolist() == bins_of(text).tolist()
