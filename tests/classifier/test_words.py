"""Words and feeder: what is remembered or done elsewhere gives exactly what the tokenizer gives."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.analysis.text import clean_text, text_for_encoder
from services.classifier import feeder, words
from services.classifier.feeder import Feeder
from services.classifier.folder import read_folder
from services.classifier.tokens import Tokens

REACHING = [
    "",
    " ",
    "a ",
    " a",
    "a  b",
    "´ x",
    "x ´",
    "a\u200d b",
    "a \u200d",
    "\u200d",
    "x<s>y z",
    "<s>",
    "<pad> <mask>",
]
REACHING += [
    "a▁b",
    "c ▁b",
    "\x01",
    "a \x01",
    "a \x01 b",
    "a\nb\n c",
    "\u3000 x",
    "ｆｕｌｌ　ｗｉｄｅ",
    "a\u0301 \u0301b",
    "\udc80 z",
]
LONG = ["слово " * 400, "x" * 9000, "ﷺ ﷺ " * 90, "e\u0301" * 500, "👩‍👩‍👧‍👦 x", "query: query:", "دخل الجيش المدينة"]
PIECES = [
    "a",
    "Z9",
    " ",
    "  ",
    "ж",
    "ﷺ",
    "´",
    "\u200d",
    "\u0301",
    "▁",
    "<s>",
    "</s>",
    "\x01",
    "\n",
    "🎭",
    "مرحبا",
    "ﾊﾞ",
    "\xa0",
]


@pytest.fixture(scope="module")
def tokens(converted) -> Tokens:
    return Tokens(read_folder(next(converted.cache.glob("multilingual-e5-small-*")), "multilingual-e5-small"))


@pytest.fixture(scope="module")
def remembering(tokens) -> words.Words:
    return words.Words(tokens.backend, "query: ", tokens.pad)


def split(ragged: words.Ragged) -> list[list[int]]:
    flat, lengths = ragged
    assert flat.dtype == lengths.dtype == np.int32
    return [part.tolist() for part in np.split(flat, np.cumsum(lengths)[:-1])]


def test_the_bundled_tokenizer_looks_at_words_alone(tokens):
    assert words.fits(tokens.backend)


@pytest.mark.parametrize("text", REACHING + LONG)
def test_any_text_has_the_ids_that_the_tokenizer_gives(tokens, remembering, text):
    assert split(remembering.ragged([text, text])) == tokens.ids([text, text])


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join))
def test_made_texts_too(tokens, remembering, text):
    assert split(remembering.ragged([text])) == tokens.ids([text])


def test_a_full_memory_is_emptied_and_nothing_changes(tokens, monkeypatch):
    monkeypatch.setattr(words, "MOST_WORDS", 3)
    few = words.Words(tokens.backend, "query: ", tokens.pad)
    texts = [f"one two three {i} four" for i in range(20)]
    assert split(few.ragged(texts)) == tokens.ids(texts)
    assert len(few._known) <= 4


def test_other_tokenizers_are_asked_for_the_whole_text(tiny):
    tokens = Tokens(read_folder(tiny, "tiny"))
    assert not words.fits(tokens.backend)
    texts = ["abc d", "", "z" * 90]
    assert split(words.Words(tokens.backend, "", tokens.pad).ragged(texts)) == tokens.ids(texts)


def test_other_processes_give_the_same_in_order(tokens, monkeypatch):
    monkeypatch.setattr(feeder, "FEW", 10)
    monkeypatch.setattr(feeder, "AHEAD", 1)
    chunks = [[f"RT @me: {i} #StopWar https://t.co/{k} \x00" for i in range(k + 1)] for k in range(7)]
    fed = Feeder(tokens, "query: ", 2)
    try:
        found = [split(ragged) for ragged in fed.ragged(chunks, raw=True)]
        cleaned = [[text_for_encoder(clean_text(text)[0]) for text in chunk] for chunk in chunks]
        assert found == [tokens.ids(chunk) for chunk in cleaned]
        with pytest.raises(TypeError):
            list(fed.ragged([[None] * 11], raw=False))
    finally:
        fed.close()


def test_few_texts_need_no_other_process(tokens):
    fed = Feeder(tokens, "query: ", 16)
    assert [split(ragged) for ragged in fed.ragged([["a"], ["b c"]], raw=False)] == [
        tokens.ids(["a"]),
        tokens.ids(["b c"]),
    ]
    assert fed._pool is None
