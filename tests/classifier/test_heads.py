import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from schemas.errors import PermanentError, Reason
from services.classifier import ABSENT, CARRIES, UNCERTAIN, FrameExamples, Heads, learn
from services.classifier.calibration import FLATTEST, best_threshold, fit_line
from services.classifier.heads import centred

D = 24
EMPTY = np.empty((0, D), np.float32)


def cloud(chance, centre, count, spread=0.15):
    points = centre + spread * chance.standard_normal((count, D))
    return (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)


def toy(examples=12, background=80, frames=3, seed=0):
    """Frames as clouds that share a strong common direction, as e5's vectors do."""
    chance = np.random.default_rng(seed)
    common = 3 * np.eye(D)[0]
    centres = [common + np.eye(D)[1 + i] for i in range(frames)]
    given = [
        FrameExamples(f"f{i}", cloud(chance, c, 1)[0], cloud(chance, c, examples), cloud(chance, common, 2))
        for i, c in enumerate(centres)
    ]
    test = np.concatenate([cloud(chance, c, 40) for c in centres] + [cloud(chance, common, 200)])
    truth = np.concatenate([np.repeat(np.eye(frames, dtype=bool), 40, axis=0), np.zeros((200, frames), bool)])
    return given, cloud(chance, common, background) if background else EMPTY, test, truth


@pytest.fixture(scope="module")
def heads() -> Heads:
    return learn(*toy()[:2])


def f1(said, truth):
    return 2 * (said & truth).sum(0) / (said.sum(0) + truth.sum(0))


@pytest.mark.parametrize(
    ("examples", "background", "least"), [(12, 80, 0.9), (12, 0, 0.7), (3, 80, 0.7), (3, 5, 0.6), (1, 40, 0.3)]
)
def test_frames_are_told_apart(examples, background, least):
    given, others, test, truth = toy(examples, background)
    heads = learn(given, others)
    probabilities = heads.scores(test)
    assert probabilities.shape == truth.shape
    assert f1(probabilities >= heads.thresholds, truth).min() >= least
    assert all(probabilities[truth[:, f], f].mean() > 2 * probabilities[~truth[:, f], f].mean() for f in range(3))


def test_one_example_each_and_nothing_else():
    given, _, test, _ = toy(examples=1, background=0, frames=2)
    heads = learn(given, EMPTY)
    assert heads.weak == ("f0", "f1")
    probabilities = heads.scores(test)
    assert (probabilities[:40, 0] > probabilities[:40, 1]).mean() > 0.9


def test_probabilities_are_about_right():
    given, others, _, _ = toy(examples=30, background=200)
    _, _, test, truth = toy(seed=1)
    probabilities = learn(given, others).scores(test)
    assert abs(probabilities.mean() - truth.mean()) < 0.1
    assert ((probabilities - truth) ** 2).mean() < 0.05


def test_weak_frames_are_named(heads):
    assert heads.weak == ()
    assert learn(*toy(examples=4)[:2]).weak == ("f0", "f1", "f2")


def test_learning_uses_no_chance(heads):
    assert learn(*toy()[:2]).to_bytes() == heads.to_bytes()


def test_a_fixed_threshold_is_kept():
    given, others, _, _ = toy()
    given[1] = FrameExamples("f1", given[1].description, given[1].examples, EMPTY, threshold=0.8)
    assert learn(given, others).thresholds[1] == np.float32(0.8)


def test_a_post_given_for_two_frames_is_no_counterexample():
    given, others, _, _ = toy(frames=2)
    both = FrameExamples("both", given[0].description, given[0].examples, EMPTY)
    probabilities = learn([given[0], given[1], both], others).scores(given[0].examples)
    assert (probabilities[:, [0, 2]] > 0.5).mean() > 0.9


def test_a_frame_without_examples_is_refused():
    empty = FrameExamples("bare", np.ones(D, np.float32), EMPTY, EMPTY)
    with pytest.raises(PermanentError, match=r"bare has no example") as caught:
        learn([empty, *toy()[0]], EMPTY)
    assert caught.value.reason == Reason.BAD_CODEBOOK


def test_a_frame_alone_is_refused():
    alone = FrameExamples("alone", np.ones(D, np.float32), np.eye(D, dtype=np.float32)[:3], EMPTY)
    with pytest.raises(PermanentError, match="told apart"):
        learn([alone], EMPTY)


@given(arrays(np.float32, st.tuples(st.integers(0, 5), st.just(D)), elements=st.floats(-1e3, 1e3, width=32)))
def test_any_vector_has_probabilities_and_an_answer(heads, vectors):
    probabilities = heads.scores(vectors)
    assert probabilities.shape == (len(vectors), 3)
    assert ((probabilities >= 0) & (probabilities <= 1)).all()
    assert np.isin(heads.answers(probabilities), [ABSENT, CARRIES, UNCERTAIN]).all()


def test_answers_around_the_threshold(heads):
    near = np.stack([heads.band[:, 0] - 0.01, heads.thresholds, heads.band[:, 1] + 0.01])
    assert heads.answers(near).tolist() == [[ABSENT] * 3, [UNCERTAIN] * 3, [CARRIES] * 3]
    assert heads.answers(near).dtype == np.int8


def test_the_mean_itself_can_be_scored(heads):
    assert np.isfinite(heads.scores(heads.mean[None])).all()
    assert not centred(heads.mean[None], heads.mean).any()


def test_vectors_that_are_not_finite_are_a_bug(heads):
    with pytest.raises(ValueError, match="finite"):
        heads.scores(np.full((1, D), np.nan, np.float32))


def test_heads_are_frozen(heads):
    with pytest.raises(ValueError, match="read-only"):
        heads.weights[0, 0] = 1


def test_bytes_round_trip(heads):
    back = Heads.from_bytes(heads.to_bytes())
    assert (back.frames, back.weak) == (heads.frames, heads.weak)
    assert back.to_bytes() == heads.to_bytes()
    vectors = toy()[2]
    assert np.array_equal(back.scores(vectors), heads.scores(vectors))
    assert all(getattr(back, name).dtype == np.float32 for name in ("weights", "bias", "mean", "thresholds", "band"))


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
