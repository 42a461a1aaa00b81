"""Names of languages for people, and counts with their words: one tag is one name, and nothing is ever `1 posts`."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.analysis.naming import language, many, number
from services.sources.gdelt.words import LANGUAGES
from services.sources.language import identifier

TAGS = st.lists(st.text("abcdefXYZ0189", min_size=1, max_size=8), min_size=1, max_size=4).map("-".join)


@pytest.mark.parametrize(
    ("tag", "name"),
    [
        ("en", "English"), ("ru", "Russian"), ("ar", "Arabic"), ("uk", "Ukrainian"), ("EN", "English"),
        ("und", "undetermined"), ("", "undetermined"), ("mul", "Multiple languages"), ("zxx", "No linguistic content"),
        ("pt-BR", "Portuguese (Brazil)"), ("pt-br", "Portuguese (Brazil)"), ("sr-Latn", "Serbian (Latin)"),
        ("zh-Hant-TW", "Chinese (Traditional, Taiwan)"), ("es-419", "Spanish (Latin America)"),
        ("zh-yue", "Chinese (Cantonese)"), ("de-1996", "German (1996)"), ("en-US-x-ours", "English (United States, x-ours)"),
        ("iw", "Hebrew"), ("in", "Indonesian"), ("und-Cyrl", "undetermined (Cyrillic)"),
    ],
)  # fmt: skip
def test_a_tag_reads_as_people_say_it(tag, name):
    assert language(tag) == name


@pytest.mark.parametrize(
    "tag", ["qqq", "x-klingon", "i-klingon", "zz123", "a", "-", "en--US", "en_US", "<b>", "русский"]
)
def test_an_unknown_or_odd_tag_is_its_own_name(tag):
    assert language(tag) == tag


@given(st.text(max_size=40) | TAGS)
def test_no_tag_is_without_a_name(tag):
    assert language(tag)


@given(st.sampled_from(["en", "ru", "ar"]), TAGS, TAGS)
def test_two_tags_of_one_language_are_told_apart(code, one, other):
    """What is told of a tag tells it from every other but for the case of its letters, and for two codes of one place."""
    ours, theirs = f"{code}-x-{one}", f"{code}-x-{other}"
    assert (language(ours) == language(theirs)) == (ours == theirs)


def test_what_the_house_says_itself_has_a_name():
    """Of the languages a text is told to be, and those GDELT names: all but a few that CLDR does not know."""
    said = {*identifier().__self__.nb_classes, *LANGUAGES.values()}
    bare = {tag for tag in said if language(tag) == tag}
    assert len(said) > 90
    assert len(bare) <= 8
    assert all(len(tag) == 3 for tag in bare), "each language with a code of two letters has a name"


@pytest.mark.parametrize(
    ("count", "told"),
    [(0, "0 posts"), (1, "1 post"), (1.0, "1 post"), (1.04, "1 post"), (2, "2 posts"), (1200, "1,200 posts"),
     (0.025, "0.025 posts"), (None, "– posts")],
)  # fmt: skip
def test_a_count_comes_with_its_word_in_the_right_number(count, told):
    assert many(count, "post") == told


def test_words_of_their_own_are_said():
    assert [many(n, "try", "tries") for n in (1, 3)] == ["1 try", "3 tries"]


@given(st.integers(0, 10**12))
def test_one_alone_is_singular(count):
    told, word = many(count, "voice").split(" ")
    assert int(told.replace(",", "")) == count
    assert (word == "voice") == (count == 1)
    assert re.fullmatch(r"[0-9]{1,3}(,[0-9]{3})*", number(count))
