"""Posts that are hardly posts: each has an answer, and none breaks the run."""

import json
from pathlib import Path

import numpy as np
import pytest

from schemas import codebook as files
from services.analysis.text import clean_text, text_for_encoder
from services.classifier import CARRIES, learn_codebook

BOOK = Path("services/demo/palmyra-2016.yaml")
DEMO = Path("services/demo/palmyra-2016.jsonl")


@pytest.fixture(scope="module")
def palmyra(encoder):
    return learn_codebook(encoder, files.parse(BOOK.read_text(encoding="utf-8")), text_for_encoder)


def carried(encoder, heads, *posts):
    """Frames of each post, cleaned as every post is on its way in."""
    texts = [text_for_encoder(clean_text(post)[0]) for post in posts]
    probabilities = heads.scores(encoder.encode(texts), texts)
    assert np.isfinite(probabilities).all()
    return [{f for f, a in zip(heads.frames, row, strict=True) if a == CARRIES} for row in heads.answers(probabilities)]


@pytest.mark.parametrize(
    "post",
    ["", " \n\t", "https://example.org/palmyra", "@someone", "👏🎭🎬🎭", "?!…", "\ud800\udfff", "\x00", "\u200b\ufeff"],
    ids=ascii,
)
def test_a_post_with_nothing_to_read_carries_nothing(encoder, palmyra, post):
    assert carried(encoder, palmyra, post) == [set()]


@pytest.mark.parametrize(
    "post",
    ["bread " * 16_667, "x" * 100_000, "\u0301" * 100_000, "хлеб и bread و خبز", "ok \ud83d", "ᚠᛇᚻ ᛒᛦᚦ"],
    ids=["words", "one-word", "marks", "mixed", "surrogate", "runes"],
)
def test_an_odd_post_about_nothing_carries_nothing(encoder, palmyra, post):
    assert carried(encoder, palmyra, post) == [set()]


def test_a_lone_surrogate_and_a_link_change_nothing(encoder, palmyra):
    told = "It was staged for the cameras: both sides had a script and the whole battle of Palmyra is theatre"
    plain, odd = carried(encoder, palmyra, told, f"\ud83d {told} https://example.org/1")
    assert plain == odd == {"staged-theatrics"}


def test_a_codebook_in_english_finds_russian_and_arabic_posts(encoder):
    whole = files.parse(BOOK.read_text(encoding="utf-8"))
    english = whole.model_copy(update={
        "frames": tuple(f.model_copy(update={part: tuple(t for t in getattr(f, part) if is_latin(t))
                                             for part in ("examples", "counterexamples")}) for f in whole.frames),
        "background": tuple(t for t in whole.background if is_latin(t)),
    })  # fmt: skip
    heads = learn_codebook(encoder, english, text_for_encoder)
    posts = [json.loads(line) for line in DEMO.read_text(encoding="utf-8").splitlines()]
    posts = [p for p in posts if p["lang"] in ("ru", "ar")][:120]
    said = carried(encoder, heads, *(p["text"] for p in posts))
    right = sum(len(s & set(p["frames"])) for s, p in zip(said, posts, strict=True))
    assert 2 * right / (sum(map(len, said)) + sum(len(p["frames"]) for p in posts)) > 0.4


def is_latin(text: str) -> bool:
    return sum("a" <= c <= "z" for c in text.lower()) > len(text) / 2
