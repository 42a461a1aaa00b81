"""Words are found whole in three scripts, and nothing of a text is lost or doubled when it is cut at them."""

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.analysis.spans import pieces, without, words

ANY = st.text(max_size=120) | st.lists(
    st.sampled_from(["الكاميرات", "وبالمسرحية", "مُحَمَّد", "слово", "don't", "https://a.example/x?y", "#StopWar", "@me",
                     "🎭", "👩‍👩‍👧", "—", "…", " ", "\n", "«", "».", "戦争", "\u202e", "\u200d"]), max_size=20,
).map("".join)  # fmt: skip


def found(text):
    return [text[a:b] for a, b in words(text, len(text))]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("They staged it, didn't they?", ["They", "staged", "it", "didn't", "they"]),
        ("«Спектакль» — для камер…", ["Спектакль", "для", "камер"]),
        ("وبالمسرحية، كُتِبَت للكاميرات!", ["وبالمسرحية", "كُتِبَت", "للكاميرات"]),
        ("(https://a.example/x?y=1) #StopWar @me 🎭!!", ["#StopWar", "@me", "🎭"]),
        ("here:https://a.example/" + "x" * 90, ["here"]),
        ("https:// www. x", ["https", "www", "x"]),
        ("戦争反対", ["戦争", "反対"]),
        ("\u202bالمدينة\u202c", ["المدينة"]),
        (" -- ... \n", []),
    ],
)
def test_words_are_whole(text, said):
    assert found(text) == said


@given(ANY, st.integers(0, 130))
@example("«слово", 1)
def test_words_are_in_order_apart_and_begin_in_time(text, until):
    spans = words(text, until)
    assert all(0 <= a < b <= len(text) and a < until for a, b in spans)
    assert all(one[1] <= other[0] for one, other in pairwise(spans))


@given(ANY, st.data())
def test_pieces_put_together_are_the_text(text, data):
    spans = words(text, len(text))
    if spans:
        spans = data.draw(st.lists(st.sampled_from(spans), unique=True))
    cut = pieces(text, spans)
    assert "".join(piece for piece, _ in cut) == text
    assert {n: piece for piece, n in cut if n is not None} == {n: text[a:b] for n, (a, b) in enumerate(spans)}


@given(ANY)
def test_leaving_out_takes_that_word_alone(text):
    for a, b in words(text, len(text)):
        assert without(text, (a, b)) == text[:a] + text[b:]
