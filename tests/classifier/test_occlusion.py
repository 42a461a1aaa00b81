"""What is left out is what the answer hangs on: words, phrases, a needle in a long text; and the model is asked little."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.classifier import occlusion
from services.classifier.occlusion import occlude


class Model:
    """Log odds by rule, and a count of what was asked."""

    def __init__(self, rule):
        self.rule, self.calls, self.texts = rule, 0, 0

    def __call__(self, texts):
        self.calls, self.texts = self.calls + 1, self.texts + len(texts)
        return np.array([[self.rule(text), 0.0] for text in texts], np.float32)


def told(text, rule, column=0):
    found = occlude(text, Model(rule), [column])
    return [(found.text[a:b], round(left.change, 2)) for left in found.told(column) for a, b in [left.span]]


def test_each_word_has_what_it_adds_strongest_first():
    weights = {"theatre": 2.0, "cheap": 0.75, "not": -1.0, "the": 0.1}
    rule = lambda text: sum(w for word, w in weights.items() if word in text.split())  # noqa: E731
    assert told("the cheap theatre is not here", rule) == [("theatre", 2.0), ("not", -1.0), ("cheap", 0.75)]
    assert told("the cheap theatre is not here", rule, column=1) == []


def test_words_that_stand_in_for_each_other_are_told_together():
    rule = lambda text: 3.0 if "stage" in text or "theatre" in text else 0.0  # noqa: E731
    assert told("a stage theatre in town", rule) == [("stage theatre", 3.0)]


def test_a_needle_in_a_long_text_is_found_with_few_questions():
    hay = [f"word{i}" for i in range(250)]
    hay[137] = "needle"
    model = Model(lambda text: 4.0 if "needle" in text else -1.0)
    found = occlude(" ".join(hay), model, [0])
    (left,) = found.told(0)
    assert found.text[slice(*left.span)] == "needle"
    assert (left.change, left.without) == (5.0, -1.0)
    assert model.calls <= occlusion.ROUNDS
    assert model.texts <= occlusion.MOST + occlusion.ROUNDS


def test_a_text_of_megabytes_costs_no_more_than_a_long_one():
    lengths = []
    occlude("слово " * 200_000, lambda texts: lengths.extend(map(len, texts)) or np.zeros((len(texts), 1)), [0])
    assert max(lengths) <= occlusion.READ
    assert len(lengths) <= occlusion.FEWEST + occlusion.ROUNDS


@pytest.mark.parametrize("text", ["", " ", "...", "\n"])
def test_a_text_without_words_asks_nothing(text):
    model = Model(lambda text: 1.0)
    assert occlude(text, model, [0]).told(0) == []
    assert model.calls == 0


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(["a", "bb", "ccc", "слово", "مسرحية", "🎭", ","]), max_size=150), st.integers(0, 9))
def test_what_is_told_never_overlaps_and_counts(parts, seed):
    chance = np.random.default_rng(seed)
    model = lambda texts: chance.normal(0, 2, (len(texts), 1))  # noqa: E731
    found = occlude(" ".join(parts), model, [0])
    spans = sorted(left.span for left in found.told(0))
    assert all(one[1] <= other[0] for one, other in pairwise(spans))
    assert all(abs(left.change) >= occlusion.LEAST for left in found.told(0))
