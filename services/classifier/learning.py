"""Learns heads from judged posts: kernel ridge on meaning and wording, calibrated on posts held out one by one.

Arrays in, Heads out; no encoder, no chance: the same posts give the same heads.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas.errors import PermanentError, Reason
from services.classifier.calibration import Line, band_below, best_threshold, fit_line, sigmoid
from services.classifier.cores import blas_threads, usable_cores
from services.classifier.heads import Heads, centred, nearness
from services.classifier.ridge import Fit, fit, told_by
from services.classifier.wording import BINS, bins_of, rarity_of, weighed

FEW = 5
"""A frame with fewer examples is reported as weak."""
ENOUGH_BACKGROUND = 20
"""Background posts from which their mean alone is the point everything is seen from."""
MOST = 8_000
"""Posts learned from; of more, that many are taken evenly."""
EXACT = 3_000
"""Posts up to which sums are in double precision; more take too much memory."""
WORDING = 1.25
"""What two posts of one wording count for each other."""
SOFTNESS = 1.5
"""How far the fit may stay from what is said of a post."""
SAID_TWICE = 6.0
"""How many examples a description is worth."""
PULL = 8.0
"""How many observations the line shared by all frames weighs against a frame's own."""
COMMON = 16.0
"""How many examples the threshold shared by all frames weighs against a frame's own."""
SHARPER, AROUND = 9.0, -1.3
"""Few examples, each held out from the others, look less alike than posts to come: log odds are stretched by
1 + SHARPER / examples around AROUND, which is what made probabilities true on posts never seen."""
BAND = 0.5
"""Width of the uncertain band, in log odds."""
SAME = 0.98
"""Cosine from which two posts say the same."""
CLOSE = 0.6
"""Cosine to an example from which an everyday post says nothing of that frame: it may well carry it."""
EVERYDAY = 2.0
"""How much softer everyday posts are than those of the codebook: they stand for a stream, and no person judged them."""
STORED = 8.0
"""The same of posts that were really heard: there are thousands of them, and some carry a frame."""


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """n judged posts and one description for each of F frames, as vectors of d numbers and as texts."""

    frames: Sequence[str]
    descriptions: NDArray[np.float32]
    """F × d: title and description; each serves as an example, never as a test."""
    wordings: Sequence[str]
    """F: the descriptions' texts."""
    vectors: NDArray[np.float32]
    """n × d."""
    texts: Sequence[str]
    """n."""
    said: NDArray[np.int8]
    """n × F: 1 carries the frame, -1 does not, 0 nothing is known."""
    background: NDArray[np.bool_]
    """n: posts that the codebook has stand for everything else."""
    everyday: NDArray[np.bool_]
    """n: posts of every day that are learned from beside the codebook's; nothing is calibrated or chosen by them."""
    stored: NDArray[np.bool_]
    """n, the last ones: everyday posts that were really heard. They teach, but the heads do not keep them."""
    contradicted: NDArray[np.bool_]
    """n × F: examples of the frame that are also said not to carry it."""
    thresholds: Sequence[float | None]
    """F: fixed by the codebook, or None to have one chosen."""


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """What was learned, and what it learned from looked like to it."""

    heads: Heads
    held_out: NDArray[np.float64]
    """n × F: probability of each post by heads that did not see it."""
    clashes: NDArray[np.bool_]
    """n × F: posts said not to carry the frame that say the same as one of its examples, or are one."""


def learn(material: Material) -> Lesson:
    """Heads for the frames of `material`.

    Raises PermanentError(BAD_CODEBOOK) when a frame has no example, or nothing to be told apart from.
    """
    material = _evenly(material)
    mean = _mean(material)
    said, clashes = _without_clashes(material, mean)
    _check(material.frames, said)
    points = centred(np.concatenate([material.vectors, material.descriptions]), mean)
    bins = [bins_of(text) for text in (*material.texts, *material.wordings)]
    rarity = rarity_of(bins[: len(material.texts)])
    wording = _sparse(bins, rarity)
    found, kept = _fitted(material, said, points, wording)
    said, own = said[~material.stored], ~material.everyday[~material.stored]
    held_out = found.held_out[: len(said)]
    lines = _lines(held_out[own], said[own])
    odds = sigmoid(held_out * [a for a, _ in lines] + [b for _, b in lines])
    thresholds = _thresholds(material, odds[own], said[own])
    few = [int((column == 1).sum()) < FEW for column in said.T]
    heads = Heads(
        frames=tuple(material.frames),
        mean=mean,
        anchors=points[kept].astype(np.float16),
        **_folded(found, wording[kept], rarity, lines),
        thresholds=thresholds.astype(np.float32),
        band=band_below(thresholds, BAND).astype(np.float32),
        weak=tuple(f for f, is_few in zip(material.frames, few, strict=True) if is_few),
        contradictory=tuple(f for f, of in zip(material.frames, clashes.T, strict=True) if of.any()),
    )
    return Lesson(heads, odds, clashes[~material.stored])


def _fitted(
    m: Material, said: NDArray[np.int8], points: NDArray[np.float32], wording: Any
) -> tuple[Fit, NDArray[np.intp]]:  # fmt: skip
    """The fit of posts and descriptions, as those tell it that are kept; and which these are."""
    kept = np.flatnonzero(~np.concatenate([m.stored, np.zeros(len(m.frames), bool)]))
    with blas_threads(usable_cores()):
        kernel = _kernel(points, wording)
        found = fit(kernel, _targets(said), _softness(said, m))
        if len(kept) < len(kernel):
            found = Fit(told_by(kept, kernel, found.pulls), found.held_out[kept])
    return found, kept


def learned_from(posts: int) -> list[int]:
    """Which of so many posts are learned from, in order: all, or MOST of them taken evenly."""
    if posts <= MOST:
        return list(range(posts))
    found: list[int] = np.unique(np.linspace(0, posts - 1, MOST).astype(int)).tolist()
    return found


def _evenly(m: Material) -> Material:
    """At most MOST posts: every k-th where there are more."""
    if len(m.texts) <= MOST:
        return m
    kept = learned_from(len(m.texts))
    texts = [m.texts[i] for i in kept]
    return replace(m, vectors=m.vectors[kept], texts=texts, said=m.said[kept], background=m.background[kept],
                   everyday=m.everyday[kept], stored=m.stored[kept], contradicted=m.contradicted[kept])  # fmt: skip


def _mean(material: Material) -> NDArray[np.float32]:
    enough = material.background.sum() >= ENOUGH_BACKGROUND
    others = material.stored if material.stored.any() else ~material.everyday
    everything = material.vectors[material.background if enough else others]
    mean: NDArray[np.float32] = everything.mean(axis=0, dtype=np.float64).astype(np.float32)
    return mean


def _without_clashes(material: Material, mean: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.bool_]]:
    """What is said, but nothing where a post is judged against another that says the same; and which contradict."""
    points = centred(material.vectors, mean)
    said = material.said.copy()
    clashes = np.zeros(said.shape, bool)
    others = material.background | ~(said == 1).any(1)
    same = np.where(material.everyday, CLOSE, SAME)
    for f in range(said.shape[1]):
        examples = points[said[:, f] == 1]
        if len(examples):
            clashes[:, f] = (said[:, f] == -1) & ((points @ examples.T).max(axis=1) >= same)
    said[clashes] = 0
    return said, clashes & (others & ~material.everyday)[:, None] | material.contradicted


def _check(frames: Sequence[str], said: NDArray[np.int8]) -> None:
    for frame, column in zip(frames, said.T, strict=True):
        if not (column == 1).any():
            raise PermanentError(Reason.BAD_CODEBOOK, f"the frame {frame} has no example; give at least one.")
        if not (column == -1).any():
            raise PermanentError(
                Reason.BAD_CODEBOOK,
                f"the frame {frame} has nothing to be told apart from; "
                "add counterexamples, background posts or a second frame.",
            )


def _sparse(bins: Sequence[NDArray[np.int32]], rarity: NDArray[np.float32]) -> Any:
    from scipy.sparse import csr_matrix

    ends = np.cumsum([0, *map(len, bins)])
    return csr_matrix((np.concatenate(weighed(bins, rarity)), np.concatenate(bins), ends), (len(bins), BINS))


def _kernel(points: NDArray[np.float32], wording: Any) -> NDArray[Any]:
    """How much each post counts for each other one; 1 is what all have in common."""
    exact = points if len(points) > EXACT else points.astype(np.float64)
    kernel: NDArray[Any] = nearness(exact, exact) + 1 + WORDING * (wording @ wording.T).toarray()
    return kernel


def _targets(said: NDArray[np.int8]) -> NDArray[np.int8]:
    own: NDArray[np.int8] = 2 * np.eye(said.shape[1], dtype=np.int8) - 1
    return np.concatenate([said, own])


def _softness(said: NDArray[np.int8], m: Material) -> NDArray[np.float64]:
    of_posts = np.where(m.everyday, np.where(m.stored, SOFTNESS * STORED, SOFTNESS * EVERYDAY), SOFTNESS)
    return np.concatenate([of_posts, np.full(said.shape[1], SOFTNESS / SAID_TWICE)])


def _lines(held_out: NDArray[np.float64], said: NDArray[np.int8]) -> list[Line]:
    """Each frame's line from score to log odds, pulled towards the one that fits all frames together."""
    shared = fit_line(held_out[said != 0], said[said != 0] == 1, prior=(1.0, 0.0), strength=1.0)
    return [
        _sharpened(
            fit_line(scores[known != 0], known[known != 0] == 1, prior=shared, strength=PULL), (known == 1).sum()
        )
        for scores, known in zip(held_out.T, said.T, strict=True)
    ]


def _sharpened(line: Line, examples: int) -> Line:
    slope, offset = line
    stretch = 1 + SHARPER / max(examples, FEW)
    return stretch * slope, stretch * (offset - AROUND) + AROUND


def _folded(found: Fit, wording: Any, rarity: NDArray[np.float32], lines: Sequence[Line]) -> dict[str, Any]:
    """The fit's arrays with the lines folded in, as Heads keeps them."""
    slopes, offsets = (np.array(part) for part in zip(*lines, strict=True))
    pulls = found.pulls * slopes
    return {
        "pulls": pulls.astype(np.float32),
        "words": (WORDING * (wording.T @ pulls)).astype(np.float16),
        "rarity": rarity,
        "bias": (pulls.sum(axis=0) + offsets).astype(np.float32),
    }


def _thresholds(material: Material, odds: NDArray[np.float64], said: NDArray[np.int8]) -> NDArray[np.float64]:
    """The codebook's threshold of each frame, or the best on held-out scores, pulled towards the best for all."""
    shared = best_threshold(odds[said != 0], said[said != 0] == 1)
    chosen = []
    for fixed, scores, known in zip(material.thresholds, odds.T, said.T, strict=True):
        own, count = best_threshold(scores[known != 0], known[known != 0] == 1), int((known == 1).sum())
        chosen.append((count * own + COMMON * shared) / (count + COMMON) if fixed is None else fixed)
    return np.array(chosen)
