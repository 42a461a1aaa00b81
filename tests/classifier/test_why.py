"""The bundled model explains itself: the sum is exact, the texts are the anchors, and the right words are named."""

from contextlib import contextmanager, nullcontext

import numpy as np
import pytest

from schemas import codebook as files
from schemas.errors import PermanentError, Reason, TransientError
from services import demo
from services.analysis.text import text_for_encoder as clean
from services.classifier import Heads, learn_codebook
from services.classifier.codebook import taught_by
from services.classifier.everyday import WRITTEN
from services.classifier.heads import centred
from services.classifier.why import sums
from services.usecases.why import Subject, explain

SHOW = "The whole battle was choreographed for the cameras https://t.co/x, with extras. Tickets sold out"
BOOK = """
codebook: small
title: Small
frames:
  - {id: show, title: Show, description: A play., examples: [the same, a stage], counterexamples: [a real play, the other]}
  - {id: other, title: Other, description: Else., examples: ['the  same', the other]}
background: [nothing, 'a real play']
"""


@pytest.fixture(scope="module")
def book():
    return files.parse(demo.codebook_text())


@pytest.fixture(scope="module")
def heads(encoder, book):
    return Heads.from_bytes(learn_codebook(encoder, book, clean).to_bytes())


@pytest.fixture(scope="module")
def ask(encoder, book, heads):
    def ask(text, frame=None, **about):
        subject = Subject(text, book, heads, about.pop("model", encoder.name), **about)
        return explain(subject, lambda: nullcontext(encoder), frame)

    return ask


def test_the_texts_told_are_the_anchors_in_their_order(encoder, book, heads):
    taught = taught_by(book, clean)
    points = centred(encoder.encode([t.clean for t in taught]), heads.mean)
    cosines = np.einsum("nd,nd->n", points, heads.anchors.astype(np.float32))
    assert cosines.min() > 0.97, "but for what a batch's companions change"
    assert np.median(cosines) > 0.99


def test_a_text_listed_twice_is_told_once_with_all_that_is_said_of_it():
    taught = {t.clean: t for t in taught_by(files.parse(BOOK), clean)}
    assert taught["the same"].carries == ("show", "other")
    assert (taught["the other"].carries, taught["the other"].against) == (("other",), ("show",))
    assert taught["a real play"].background
    assert taught["Show. A play."].describes == "show"
    everyday = set(WRITTEN.read_text(encoding="utf-8").splitlines())
    assert len(taught) == 5 + len(everyday) + 2
    assert all(taught[clean(text)].background for text in everyday)


def test_the_parts_add_up_to_the_score_that_heads_give(encoder, book, heads):
    texts = [clean(t) for t in (SHOW, "مسرحية أمام الكاميرات", "Снова концерт на развалинах", "lentil soup recipe")]
    texts.append(book.frames[0].examples[0])
    vectors, taught = encoder.encode(texts), taught_by(book, clean)
    odds = heads.log_odds(vectors, texts)
    for text, vector, row in zip(texts, vectors, odds, strict=True):
        for frame, of in sums(heads, taught, vector, text).items():
            told = of.start + sum(n.push for n in of.neighbours)
            assert told == pytest.approx(row[heads.frames.index(frame)], abs=0.01)
            assert sum(of.by_kind.values()) == pytest.approx(sum(n.push for n in of.neighbours), abs=1e-4)


def test_an_example_is_its_own_nearest(encoder, book, heads):
    text = book.frames[0].examples[0]
    told = sums(heads, taught_by(book, clean), encoder.encode([clean(text)])[0], clean(text))[book.frames[0].id]
    first = told.neighbours[0]
    assert (first.taught.text, first.kind) == (text, "example")
    assert first.wording == pytest.approx(1, abs=1e-5)
    assert first.meaning > 0.97


def test_heads_of_another_codebook_are_refused(encoder, heads):
    with pytest.raises(PermanentError, match="Apply the codebook again"):
        sums(heads, taught_by(files.parse(BOOK), clean), np.zeros(384, np.float32), "x")


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (SHOW, "choreographed"),
        ("Весь бой был постановкой для камер, массовка и занавес", "постановкой"),
        ("مسرحية رخيصة: دخلوا المدينة أمام الكاميرات وخرجوا قبل الغروب", "مسرحية"),
    ],
)
def test_the_word_that_carries_a_frame_is_named_in_three_languages(ask, text, word):
    told = ask(text, "staged-theatrics")
    (reason,) = told.reasons
    assert reason.answer == "carries"
    assert any(word in w.text for w in reason.words[:3])
    assert reason.words[0].without < reason.probability
    assert all(text[w.start : w.end] == w.text for w in reason.words)
    assert not any("t.co" in w.text for w in reason.words), "links are not read, so they move nothing"
    assert {n.kind for n in reason.examples} == {"example"}
    assert reason.log_odds == pytest.approx(sum(reason.shares.model_dump().values()), abs=0.01)


def test_without_a_frame_named_those_it_carries_are_explained_else_the_likeliest(ask):
    told = ask(SHOW)
    assert {r.frame for r in told.reasons} == {f.frame for f in told.frames if f.answer != "does not"}
    (likeliest,) = ask("lentil soup with lemon").reasons
    assert likeliest.probability == max(f.probability for f in ask("lentil soup with lemon").frames)
    assert likeliest.answer == "does not"


def test_a_stored_vector_tells_the_score_that_was_stored(ask, encoder, heads):
    vector = encoder.encode([clean(SHOW)])[0].astype("<f2").astype(np.float32)
    stored = heads.scores(vector[None], [clean(SHOW)])[0]
    assert [f.probability for f in ask(SHOW, vector=vector).frames] == pytest.approx(stored.tolist(), abs=1e-6)


@pytest.mark.parametrize("text", ["", "🎭", "https://t.co/x", "\ud800", "؟!"])
def test_a_text_without_a_letter_is_explained_too(ask, text):
    (reason,) = ask(text).reasons
    assert (reason.answer, reason.log_odds, reason.words) == ("does not", None, ())


def test_one_word_alone_and_a_very_long_text_are_explained(ask):
    assert ask("choreographed", "staged-theatrics").reasons[0].words[0].text == "choreographed"
    told = ask("soup " * 20_000, "staged-theatrics")
    assert all(word.end <= told.words_until + 60 for word in told.reasons[0].words)


def test_another_model_and_a_busy_one_are_told_instead_of_words(ask, encoder, book, heads):
    vector = encoder.encode([clean(SHOW)])[0]
    told = ask(SHOW, vector=vector, model="another@1/int8")
    assert told.reasons[0].words is None
    assert "another@1" in told.words_missing
    assert told.reasons[0].examples
    assert ask(SHOW, vector=vector, model=encoder.name.replace("int8", "fp32")).words_missing is None

    @contextmanager
    def busy():
        raise TransientError(Reason.TIMEOUT, "busy")
        yield

    told = explain(Subject(SHOW, book, heads, encoder.name, vector), busy)
    assert (told.words_missing, told.reasons[0].words) == ("busy", None)
    with pytest.raises(TransientError):
        explain(Subject(SHOW, book, heads, encoder.name), busy)


def test_a_frame_that_is_not_there_is_refused(ask):
    with pytest.raises(PermanentError, match="there is no frame nope"):
        ask(SHOW, "nope")
