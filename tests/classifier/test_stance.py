import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import PermanentError, Reason
from schemas.stance import ANSWERS, STANCES, UNCLEAR
from services.analysis.stance import promoting, toward
from services.analysis.text import text_for_encoder
from services.classifier import StanceReader
from services.classifier.cues import COUNT, MOST, cues
from services.classifier.noop import NoopEncoder
from services.classifier.stance_learning import _held_out, learn_stance, lessons, study_stance

POSTS = [
    json.loads(line)
    for line in Path("tests/classifier/data/stance-labelled.jsonl").read_text(encoding="utf-8").splitlines()
]
SAMPLES = [
    ("Really? Russia blames the US? For a town its own army was supposed to guard?", "disputes"),
    ("There is no evidence for this at all, the clip is fake and six years old. Stop sharing it.", "disputes"),
    ("Lavrov says Washington is responsible for the fall of Palmyra", "reports"),
    ("Opposition accuses Damascus of handing the city to ISIS", "reports"),
    (
        "They opened the road, they looked away, and now they play surprised. Same people, same trick, every time",
        "promotes",
    ),
    ("Враньё, никаких доказательств нет, ролик снят в другой стране. Хватит разносить этот фейк", "disputes"),
    ("МИД РФ заявил, что ответственность лежит на США", "reports"),
    ("كلام فارغ ولا دليل عليه، المقطع قديم ومن بلد آخر", "disputes"),
    ("موسكو تتهم واشنطن بالمسؤولية عن سقوط المدينة", "reports"),
]


@pytest.fixture(scope="module")
def lesson(encoder):
    return study_stance(encoder, text_for_encoder)


@pytest.fixture(scope="module")
def reader(lesson) -> StanceReader:
    return lesson.reader


@pytest.fixture(scope="module")
def told(encoder, reader):
    texts = [text_for_encoder(p["text"]) for p in POSTS]
    return texts, encoder.encode(texts)


@pytest.fixture(scope="module")
def blind() -> StanceReader:
    """Learned on vectors without meaning: quick, and of the same form."""
    return learn_stance(NoopEncoder(), text_for_encoder)


def macro_f1(said, true):
    found = [2 * ((said == s) & (true == s)).sum() / ((said == s).sum() + (true == s).sum()) for s in STANCES]
    return float(np.mean(found))


@pytest.mark.parametrize(("text", "stance"), SAMPLES)
def test_sample_sentences_of_three_languages(encoder, reader, text, stance):
    assert reader.stances(encoder.encode([text]), [text]) == [stance]


def test_posts_written_for_testing_are_read_better_than_by_words_alone(reader, told):
    texts, vectors = told
    true = np.array([p["stance"] for p in POSTS])
    said = np.array(reader.stances(vectors, texts))
    assert macro_f1(said, true) >= 0.6
    shuffled = np.random.default_rng(0).permutation(vectors)
    assert macro_f1(np.array(reader.stances(shuffled, texts)), true) < 0.6


def test_what_is_answered_is_righter_than_what_is_not(reader, told):
    texts, vectors = told
    true, said = np.array([p["stance"] for p in POSTS]), np.array(reader.stances(vectors, texts))
    likeliest = np.array(STANCES)[reader.probabilities(vectors, texts).argmax(1)]
    answered = said != UNCLEAR
    assert 0.5 < answered.mean() < 0.95
    assert (likeliest == true)[answered].mean() > (likeliest == true)[~answered].mean() + 0.1


def test_a_bolder_reader_answers_the_same_and_more(reader, told):
    texts, vectors = told
    said = np.array(
        [replace(reader, least=np.array(p, np.float32)).stances(vectors, texts) for p in (0.0, 0.6, 0.9, 1.1)]
    )
    for bold, shy in pairwise(said):
        assert ((shy == bold) | (shy == UNCLEAR)).all()
    assert (said[0] == UNCLEAR).sum() < (said[1] == UNCLEAR).sum() < (said[2] == UNCLEAR).sum()
    assert not np.isin(said[3], ["promotes", "disputes"]).any()


def test_tests_and_lessons_share_no_post_and_no_narrative():
    learned = {text_for_encoder(t) for t in lessons().texts}
    assert not learned & {text_for_encoder(p["text"]) for p in POSTS}
    assert not learned & {text for text, _ in SAMPLES}
    assert len(POSTS) >= 300
    assert {(p["lang"], p["stance"]) for p in POSTS} == {(lang, s) for lang in ("en", "ru", "ar") for s in STANCES}


def test_a_repost_has_the_stance_of_what_it_reposts(encoder, reader):
    for post in POSTS[:40]:
        texts = [text_for_encoder(t) for t in (post["text"], f"RT @someone: {post['text']} https://example.org/x")]
        assert len(set(reader.stances(encoder.encode(texts), texts))) == 1


@pytest.mark.parametrize("marks", ["«{}»", "“{}”", '"{}"', "«{}».", ' "{}" '])
def test_words_quoted_from_end_to_end_are_somebody_elses(blind, marks):
    text = marks.format("the Americans let them go on purpose")
    assert blind.stances(NoopEncoder().encode([text]), [text]) == ["reports"]


def test_of_several_frames_nobody_knows_which_is_disputed():
    assert [toward(s, 1) for s in ANSWERS] == list(ANSWERS)
    assert [toward(s, 2) for s in ANSWERS] == ["promotes", UNCLEAR, "reports", UNCLEAR]


def test_the_part_that_promotes_is_of_what_is_known():
    counts = {"promotes": {"posts": 3}, "reports": {"posts": 1}, "unclear": {"posts": 9}, "unread": {"posts": 5}}
    assert promoting(counts) == 0.75
    assert promoting({"unclear": {"posts": 9}}) == promoting({}) == 1.0
    assert promoting({"disputes": {"posts": 2}}) == 0.0


def test_nothing_to_read_is_unclear(blind):
    nothing = ["", " ", "👏👏🎭", "...", "\u200b"]
    assert blind.stances(NoopEncoder().encode(nothing), nothing) == [UNCLEAR] * len(nothing)


@given(st.text(alphabet=st.characters(), max_size=80))
def test_any_text_has_an_answer_and_probabilities_that_sum_to_one(blind, text):
    vectors = NoopEncoder().encode([text])
    (answer,) = blind.stances(vectors, [text])
    assert answer in ANSWERS
    assert blind.probabilities(vectors, [text]).sum() == pytest.approx(1)
    (signs,) = cues([text])
    assert signs.shape == (COUNT,)
    assert (signs >= 0).all()
    assert (signs[: COUNT - 6] <= MOST).all()


def test_a_long_text_costs_no_more_than_its_beginning():
    assert (cues(["why " * 10**6]) == cues(["why " * 10**4])).all()


def test_no_posts_have_no_stances(blind):
    assert blind.stances(np.empty((0, NoopEncoder().dimensions), np.float32), []) == []


def test_vectors_that_are_not_finite_or_of_other_texts_are_a_bug(blind):
    with pytest.raises(ValueError, match="finite"):
        blind.stances(np.full((1, NoopEncoder().dimensions), np.nan, np.float32), ["a"])
    with pytest.raises(ValueError, match="0 vectors for 1 texts"):
        blind.stances(np.empty((0, NoopEncoder().dimensions), np.float32), ["a"])


def test_learning_uses_no_chance_and_bytes_round_trip(blind):
    again = learn_stance(NoopEncoder(), text_for_encoder).to_bytes()
    assert again == blind.to_bytes()
    assert StanceReader.from_bytes(again).to_bytes() == again


@pytest.mark.parametrize("bad", [b"", b"junk", "cut"])
def test_other_bytes_are_refused(blind, bad):
    with pytest.raises(PermanentError) as caught:
        StanceReader.from_bytes(blind.to_bytes()[:300] if bad == "cut" else bad)
    assert caught.value.reason == Reason.MODEL_UNAVAILABLE


def test_a_narrative_held_out_in_closed_form_is_one_left_out():
    chance = np.random.default_rng(4)
    points, wanted, narrative = chance.standard_normal((12, 4)), chance.standard_normal((12, 3)), np.arange(12) // 3
    kernel, soft = points @ points.T + 1, 0.7
    inverse = np.linalg.inv(kernel + soft * np.eye(12))
    found = _held_out(inverse, inverse @ wanted, wanted, narrative)
    for one in range(4):
        inside, rest = np.flatnonzero(narrative == one), np.flatnonzero(narrative != one)
        pulls = np.linalg.solve(kernel[np.ix_(rest, rest)] + soft * np.eye(len(rest)), wanted[rest])
        assert found[inside] == pytest.approx(kernel[np.ix_(inside, rest)] @ pulls)
