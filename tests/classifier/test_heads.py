import io
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from schemas.errors import PermanentError, Reason
from services.classifier import ABSENT, CARRIES, UNCERTAIN, Heads, learning
from services.classifier.calibration import FLATTEST, best_threshold, fit_line
from services.classifier.heads import centred, thresholds_of
from services.classifier.learning import Material, learn
from services.classifier.review import doubts
from services.classifier.ridge import fit, told_by
from services.classifier.wording import flat_bins

D = 24
EMPTY = np.empty((0, D), np.float32)


def cloud(chance, centre, count, spread=0.15):
    points = centre + spread * chance.standard_normal((count, D))
    return (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)


WORDS = [f"{a}{b}{a}" for a in "bdfgklmnprst" for b in "aeiou"]


def text(chance) -> str:
    """A text whose wording says nothing of its frame."""
    return " ".join(chance.choice(WORDS, 6))


def toy(examples=12, background=80, frames=3, seed=0, thresholds=None):
    """Frames as clouds that share a strong common direction, as e5's vectors do; and posts to test on."""
    chance = np.random.default_rng(seed)
    common = 3 * np.eye(D)[0]
    centres = [common + np.eye(D)[1 + i] for i in range(frames)]
    about = np.concatenate([cloud(chance, c, 1) for c in centres]) if centres else EMPTY
    parts = [cloud(chance, c, examples) for c in centres] + [cloud(chance, common, background)]
    said = np.concatenate([np.repeat(2 * np.eye(frames) - 1, examples, axis=0), np.full((background, frames), -1)])
    count = frames * examples + background
    material = Material(
        [f"f{i}" for i in range(frames)], about, [text(chance) for _ in centres], np.concatenate(parts),
        [text(chance) for _ in range(count)], said.astype(np.int8), np.arange(count) >= frames * examples,
        np.zeros(count, bool), np.zeros(count, bool), np.zeros((count, frames), bool),
        thresholds or [None] * frames,
    )  # fmt: skip
    test = np.concatenate([cloud(chance, c, 40) for c in centres] + [cloud(chance, common, 200)])
    truth = np.concatenate([np.repeat(np.eye(frames, dtype=bool), 40, axis=0), np.zeros((200, frames), bool)])
    return material, test, truth


def with_everyday(material, vectors, stored=False):
    """The same, and everyday posts of these vectors."""
    chance, more = np.random.default_rng(3), len(vectors)
    frames = len(material.frames)
    return replace(
        material, vectors=np.concatenate([material.vectors, vectors]),
        texts=[*material.texts, *(text(chance) for _ in vectors)],
        said=np.concatenate([material.said, np.full((more, frames), -1, np.int8)]),
        background=np.concatenate([material.background, np.zeros(more, bool)]),
        everyday=np.concatenate([material.everyday, np.ones(more, bool)]),
        stored=np.concatenate([material.stored, np.full(more, stored)]),
        contradicted=np.concatenate([material.contradicted, np.zeros((more, frames), bool)]),
    )  # fmt: skip


def scored(heads, vectors, seed=9):
    chance = np.random.default_rng(seed)
    return heads.scores(vectors, [text(chance) for _ in vectors])


@pytest.fixture(scope="module")
def heads() -> Heads:
    return learn(toy()[0]).heads


def f1(said, truth):
    return 2 * (said & truth).sum(0) / (said.sum(0) + truth.sum(0))


@given(st.integers(0, 1200), st.integers(1, 900))
@settings(deadline=None, max_examples=15)
def test_a_post_scores_the_same_to_the_last_bit_in_any_company_live_or_from_what_is_stored(heads, start, count):
    chance = np.random.default_rng(3)
    vectors = cloud(chance, np.eye(D)[1], 1300).astype(np.float16)
    texts = [text(chance) for _ in vectors]
    stored = heads.stored_scores(vectors, *flat_bins(texts))
    some = slice(start, start + count)
    assert np.array_equal(heads.scores(vectors[some].astype(np.float32), texts[some]), stored[some])


def test_many_lots_score_as_one(heads, monkeypatch):
    chance = np.random.default_rng(3)
    vectors, texts = cloud(chance, np.eye(D)[1], 2100), [text(chance) for _ in range(2100)]
    whole = heads.scores(vectors, texts)
    monkeypatch.setattr("services.classifier.heads.LOT", 512)
    assert np.array_equal(heads.scores(vectors, texts), whole)


@pytest.mark.parametrize(
    ("examples", "background", "least"), [(12, 80, 0.9), (12, 0, 0.7), (3, 80, 0.7), (3, 5, 0.6), (1, 40, 0.3)]
)
def test_frames_are_told_apart(examples, background, least):
    material, test, truth = toy(examples, background)
    heads = learn(material).heads
    probabilities = scored(heads, test)
    assert probabilities.shape == truth.shape
    assert f1(probabilities >= heads.thresholds, truth).min() >= least
    assert all(probabilities[truth[:, f], f].mean() > 2 * probabilities[~truth[:, f], f].mean() for f in range(3))


def test_one_example_each_and_nothing_else():
    material, test, _ = toy(examples=1, background=0, frames=2)
    heads = learn(material).heads
    assert heads.weak == ("f0", "f1")
    probabilities = scored(heads, test)
    assert (probabilities[:40, 0] > probabilities[:40, 1]).mean() > 0.9


def test_probabilities_are_about_right():
    heads = learn(toy(examples=30, background=200)[0]).heads
    _, test, truth = toy(seed=1)
    probabilities = scored(heads, test)
    assert abs(probabilities.mean() - truth.mean()) < 0.1
    assert ((probabilities - truth) ** 2).mean() < 0.05


def test_weak_frames_are_named(heads):
    assert heads.weak == ()
    assert learn(toy(examples=4)[0]).heads.weak == ("f0", "f1", "f2")


def test_learning_uses_no_chance(heads):
    assert learn(toy()[0]).heads.to_bytes() == heads.to_bytes()


def test_a_fixed_threshold_is_kept():
    assert learn(toy(thresholds=[None, 0.8, None])[0]).heads.thresholds[1] == np.float32(0.8)


def test_wording_counts_where_meaning_is_the_same():
    chance = np.random.default_rng(3)
    same = np.tile(cloud(chance, np.eye(D)[0], 1), (40, 1))
    texts = [f"{text(chance)} soros" if i < 20 else text(chance) for i in range(40)]
    said = np.where(np.arange(40)[:, None] < 20, 1, -1).astype(np.int8)
    vectors = same + cloud(chance, np.zeros(D), 40)  # far enough from each other to be different posts
    nobody = np.zeros(len(said), bool)
    material = Material(
        ["f"], same[:1], ["soros"], vectors, texts, said, said[:, 0] < 0, nobody, nobody, said == 0, [None]
    )
    low, high = learn(material).heads.scores(same[:2], ["bread and butter", "the soros plan"])[:, 0]
    assert high > low + 0.05


def test_an_example_said_again_as_background_is_contradictory():
    material, _, _ = toy()
    vectors = material.vectors.copy()
    vectors[-1] = vectors[0]
    lesson = learn(replace(material, vectors=vectors))
    assert lesson.heads.contradictory == ("f0",)
    assert lesson.clashes.sum() == 1
    (doubt,) = [d for d in doubts(material, lesson) if d.kind == "contradiction"]
    assert (doubt.frame, doubt.text) == ("f0", material.texts[-1])


def test_an_example_among_strangers_is_far_off():
    material, _, _ = toy()
    said = material.said.copy()
    said[-1, 1] = 1
    material = replace(material, said=said)
    found = doubts(material, learn(material))
    assert (found[0].frame, found[0].kind, found[0].text) == ("f1", "far-off", material.texts[-1])


def test_an_example_of_two_frames_that_say_the_same_contradicts_neither():
    material, test, _ = toy(frames=2)
    vectors = material.vectors.copy()
    vectors[12:24] = vectors[:12]
    heads = learn(replace(material, vectors=vectors)).heads
    assert heads.contradictory == ()
    assert (scored(heads, test[:40]) >= heads.thresholds).mean() > 0.8


def test_more_posts_than_are_learned_from(monkeypatch):
    monkeypatch.setattr(learning, "MOST", 60)
    material, test, truth = toy()
    lesson = learn(material)
    assert len(lesson.heads.anchors) == 63
    assert f1(scored(lesson.heads, test) >= lesson.heads.thresholds, truth).min() > 0.8
    assert doubts(material, lesson) == []


def test_a_frame_without_examples_is_refused():
    material, _, _ = toy()
    said = material.said.copy()
    said[:, 1] = -1
    with pytest.raises(PermanentError, match=r"f1 has no example") as caught:
        learn(replace(material, said=said))
    assert caught.value.reason == Reason.BAD_CODEBOOK


def test_a_frame_alone_is_refused():
    with pytest.raises(PermanentError, match="told apart"):
        learn(toy(frames=1, background=0)[0])


def test_posts_held_out_in_closed_form_are_posts_left_out():
    chance = np.random.default_rng(5)
    points, softness = chance.standard_normal((12, 4)), np.full(12, 0.7)
    kernel, targets = points @ points.T + 1, chance.integers(-1, 2, (12, 1)).astype(np.int8)
    found = fit(kernel, targets, softness).held_out[:, 0]
    for i in range(12):
        rest = np.array([j for j in range(12) if j != i and targets[j] != 0])
        solid = kernel[np.ix_(rest, rest)] + 0.7 * np.eye(len(rest))
        assert found[i] == pytest.approx(kernel[i, rest] @ np.linalg.solve(solid, targets[rest, 0]))


@given(arrays(np.float32, st.tuples(st.integers(0, 5), st.just(D)), elements=st.floats(-1e3, 1e3, width=32)))
def test_any_vector_has_probabilities_and_an_answer(heads, vectors):
    probabilities = scored(heads, vectors)
    assert probabilities.shape == (len(vectors), 3)
    assert ((probabilities >= 0) & (probabilities <= 1)).all()
    assert np.isin(heads.answers(probabilities), [ABSENT, CARRIES, UNCERTAIN]).all()


@given(st.text(alphabet=st.characters(), max_size=60))
def test_any_text_has_probabilities(heads, any_text):
    assert np.isfinite(heads.scores(heads.mean[None], [any_text])).all()


def test_nothing_to_read_carries_nothing(heads):
    nothing = ["", " ", "👏👏🎭", "...", "\u200b"]
    assert not heads.scores(toy()[1][:5], nothing).any()


def test_answers_around_the_threshold(heads):
    near = np.stack([heads.band[:, 0] - 0.01, heads.thresholds - 0.005, heads.thresholds])
    assert heads.answers(near).tolist() == [[ABSENT] * 3, [UNCERTAIN] * 3, [CARRIES] * 3]
    assert heads.answers(near).dtype == np.int8


def test_the_mean_itself_can_be_scored(heads):
    assert np.isfinite(scored(heads, heads.mean[None])).all()
    assert not centred(heads.mean[None], heads.mean).any()


def test_as_many_texts_as_vectors(heads):
    with pytest.raises(ValueError, match="1 vectors for 0 texts"):
        heads.scores(heads.mean[None], [])


def test_vectors_that_are_not_finite_are_a_bug(heads):
    with pytest.raises(ValueError, match="finite"):
        heads.scores(np.full((1, D), np.nan, np.float32), ["a"])


def test_heads_are_frozen(heads):
    with pytest.raises(ValueError, match="read-only"):
        heads.pulls[0, 0] = 1


def test_bytes_round_trip(heads):
    back = Heads.from_bytes(heads.to_bytes())
    assert (back.frames, back.weak, back.contradictory) == (heads.frames, heads.weak, heads.contradictory)
    assert back.to_bytes() == heads.to_bytes()
    vectors = toy()[1]
    assert np.array_equal(scored(back, vectors), scored(heads, vectors))
    assert all(getattr(back, name).dtype == np.float32 for name in ("pulls", "bias", "mean", "thresholds", "band"))


def other_format(heads):
    with np.load(io.BytesIO(heads.to_bytes())) as stored:
        changed = dict(stored) | {"format": np.array(99)}
    target = io.BytesIO()
    np.savez(target, **changed)
    return target.getvalue()


def with_pickle(heads):
    target = io.BytesIO()
    np.savez(target, format=np.array(1), frames=np.array([{"a": 1}], dtype=object))
    return target.getvalue()


@pytest.mark.parametrize(
    "make", [other_format, with_pickle, lambda h: b"", lambda h: b"junk", lambda h: h.to_bytes()[:200]]
)
def test_other_bytes_are_refused(heads, make):
    with pytest.raises(PermanentError, match="Apply the codebook again"):
        Heads.from_bytes(make(heads))


@given(st.lists(st.tuples(st.floats(-20, 20), st.booleans()), min_size=1, max_size=40))
def test_a_line_always_rises(points):
    scores, labels = (np.array(part) for part in zip(*points, strict=True))
    slope, offset = fit_line(scores.astype(float), labels.astype(bool), (1.0, 0.0), 1.0)
    assert slope >= FLATTEST
    assert np.isfinite(offset)


def test_best_threshold_lies_in_the_gap():
    labels = np.array([True, True, False, False])
    assert best_threshold(np.array([0.9, 0.7, 0.3, 0.1]), labels) == pytest.approx(0.5)
    assert best_threshold(np.array([0.9, 0.7]), np.array([False, False])) == 0.5


def test_what_looks_like_everyday_posts_is_given_no_frame():
    material, _, _ = toy(background=30)
    chance = np.random.default_rng(5)
    strange = 3 * np.eye(D)[0] + 0.5 * np.eye(D)[1] + 0.8 * np.eye(D)[-1]
    met = cloud(chance, strange, 60)
    before = (learn(material).heads, learn(with_everyday(material, cloud(chance, strange, 40))).heads)
    given = [float((h.answers(scored(h, met)) == CARRIES).any(1).mean()) for h in before]
    assert given[1] < given[0] / 2


def test_an_everyday_post_close_to_an_example_speaks_not_against_its_frame():
    material, test, truth = toy()
    same = material.vectors[material.said[:, 0] == 1]
    heads = learn(with_everyday(material, same)).heads
    assert (heads.pulls[len(material.texts) :][: len(same), 0] == 0).all()
    assert f1(heads.answers(scored(heads, test)) == CARRIES, truth)[0] > 0.8


def test_stored_posts_teach_but_are_not_kept():
    material, test, truth = toy(background=5)
    stream = cloud(np.random.default_rng(8), 3 * np.eye(D)[0] + np.eye(D)[2] - np.eye(D)[6], 400)
    alone, taught = learn(material), learn(with_everyday(material, stream[:200], stored=True))
    assert taught.heads.anchors.shape == alone.heads.anchors.shape
    assert taught.held_out.shape == alone.held_out.shape == (len(material.texts), 3)
    given_one = [
        (lesson.heads.answers(scored(lesson.heads, stream[200:])) == CARRIES).any(1).mean()
        for lesson in (alone, taught)
    ]
    assert given_one[1] < given_one[0] / 2
    assert f1(taught.heads.answers(scored(taught.heads, test)) == CARRIES, truth).min() > 0.6


@given(st.integers(2, 12), st.integers(0, 2**32 - 1))
def test_some_rows_tell_what_all_were_taught_as_well_as_they_can(kept, seed):
    chance = np.random.default_rng(seed)
    points = chance.standard_normal((12, 3))
    kernel, pulls = points @ points.T + 1, chance.standard_normal((12, 2))
    rows = np.sort(chance.permutation(12)[:kept])
    wanted = kernel @ pulls
    told = kernel[:, rows] @ told_by(rows, kernel, pulls)
    # Three directions and a constant: four rows span everything there is to tell, unless they lie nearly in a plane.
    spread = np.linalg.svd(np.column_stack([points[rows], np.ones(kept)]), compute_uv=False)
    assume(kept < 4 or spread[-1] > 0.3)
    assert np.abs(told - wanted).mean() <= (0.05 if kept >= 4 else 1.0) * np.abs(wanted).mean() + 1e-6


def test_thresholds_are_read_alone(heads):
    told = thresholds_of(heads.to_bytes())
    assert told == {f: float(t) for f, t in zip(heads.frames, heads.thresholds, strict=True)}
    with pytest.raises(PermanentError, match="cannot be read"):
        thresholds_of(b"")
