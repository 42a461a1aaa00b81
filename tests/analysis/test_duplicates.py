import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.analysis.duplicates import unit_key

WORDS = st.lists(st.text("abcdefgäßжи0123", min_size=1, max_size=8), min_size=1, max_size=8)


@given(
    WORDS,
    st.sampled_from(["", "RT @x: ", "RT @a: RT @b.c: ", "@you ", "https://t.co/x1 ", "😱 ", "« "]),
    st.sampled_from([" ", "  ", "\n", " 👍🏽 ", " — ", " #", " @who ", ", ", " \u200b", " 1️⃣ "]),
    st.sampled_from(["", " http://e.org/y", "!!!", " 🇸🇾", " @x@y.org", "\ufe0f"]),
)
def test_wrapping_makes_no_new_unit(words, before, between, after):
    assert unit_key(before + between.join(words) + after) == unit_key(" ".join(words).upper().lower())


@given(WORDS, WORDS)
def test_other_words_make_another_unit(one, other):
    folded = ["".join(words).casefold() for words in (one, other)]
    assert (unit_key(" ".join(one)) == unit_key(" ".join(other))) == (folded[0] == folded[1])


@given(st.text() | st.text(st.characters(categories=["Cs", "So", "Mn"])))
def test_every_text_has_a_key_of_16_bytes(text):
    assert len(unit_key(text)) == 16


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("#StopTheWar now", "StopTheWar now"),
        ("#StopTheWar now", "stop the war NOW!"),
        ("𝐁𝐨𝐥𝐝 ｃｌａｉｍ", "bold claim"),
        ("مُحَمَّد", "محمد"),
    ],
)
def test_near_copies_are_one_unit(one, other):
    assert unit_key(one) == unit_key(other)


def test_texts_without_words_stay_apart():
    texts = ["😱", "😂", "https://t.co/a", "https://t.co/b", "", "@a"]
    assert len({unit_key(text) for text in texts}) == len(texts)
