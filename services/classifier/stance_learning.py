"""Learns to read stance from the posts that ship with framewatch: ridge on meaning, wording and cues.

Calibrated on narratives held out whole, for frames are never those learned from. No chance: the same posts and the
same encoder give the same reader. The posts of the tests are not known here.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from schemas.stance import STANCES
from services.classifier.cues import COUNT, cues
from services.classifier.encoder import Encoder
from services.classifier.heads import centred
from services.classifier.stance import FORMAT, StanceReader, softmax
from services.classifier.wording import BINS, RUN, bins_of, rarity_of, weighed

FILE = Path(__file__).with_name("data") / "stance.yaml"

MEANING, WORDING, SIGNS = 2.0, 1.25, 0.6
"""What likeness in meaning, in wording and in cues counts."""
SOFTNESS = 2.0
"""How far the fit may stay from what is said of a post."""
RIGHT = 0.8
"""Share of answers that must be right, on narratives held out, where an answer is given at all."""
_SLOPES = np.geomspace(0.5, 20, 75)


@dataclass(frozen=True, slots=True, eq=False)
class Lessons:
    """n posts of known stance."""

    texts: tuple[str, ...]
    stance: NDArray[np.int64]
    """n: position in STANCES."""
    narrative: NDArray[np.int64]
    """n: which narrative it is about."""


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """What was learned, and its answers to what it learned from."""

    reader: StanceReader
    held_out: NDArray[np.float64]
    """n × 3: probabilities of each post by a fit that saw nothing of its narrative."""
    texts: tuple[str, ...]
    stance: NDArray[np.int64]


@cache
def lesson_name() -> str:
    """What stance is learned from, by name: another file, or another way of learning, has another."""
    ways = repr((FORMAT, MEANING, WORDING, SIGNS, SOFTNESS, RIGHT, BINS, RUN, COUNT)).encode()
    return f"stance-{FORMAT}-{hashlib.sha256(FILE.read_bytes() + ways).hexdigest()[:12]}"


def lessons() -> Lessons:
    """The posts that ship with framewatch, as they are written."""
    narratives = yaml.safe_load(FILE.read_text(encoding="utf-8"))["narratives"]
    found = [
        (text, s, n)
        for n, narrative in enumerate(narratives)
        for s, stance in enumerate(STANCES)
        for text in narrative[stance]
    ]
    texts, stance, narrative = zip(*found, strict=True)
    return Lessons(texts, np.array(stance), np.array(narrative))


def learn_stance(encoder: Encoder, clean: Callable[[str], str]) -> StanceReader:
    """A reader of stance for `encoder`'s vectors; `clean` is what posts go through before encoding.

    Encodes some 700 short texts: seconds.
    """
    return study_stance(encoder, clean).reader


def study_stance(encoder: Encoder, clean: Callable[[str], str]) -> Lesson:
    """As learn_stance, with what it is calibrated on."""
    known = lessons()
    texts = [clean(text) for text in known.texts]
    vectors = encoder.encode(texts)
    mean = vectors.mean(axis=0, dtype=np.float64).astype(np.float32)
    points = centred(vectors, mean).astype(np.float64)
    bins = [bins_of(text) for text in texts]
    rarity = rarity_of(bins)
    wording = _sparse(bins, rarity)
    signs = cues(texts)
    middle, spread = signs.mean(axis=0), np.maximum(signs.std(axis=0), 1e-6)
    signs = (signs - middle) / spread
    kernel = MEANING * points @ points.T + WORDING * (wording @ wording.T).toarray() + SIGNS / COUNT * signs @ signs.T
    inverse = np.linalg.inv(kernel + 1 + SOFTNESS * np.eye(len(texts)))
    wanted = 2.0 * np.eye(len(STANCES))[known.stance] - 1
    pulls = inverse @ wanted
    held_out = _held_out(inverse, pulls, wanted, known.narrative)
    slope = _slope(held_out, known.stance)
    odds = softmax(slope * held_out)
    of_signs = SIGNS / COUNT * (signs.T @ pulls) / spread[:, None]
    reader = StanceReader(
        mean=mean,
        directions=(slope * MEANING * points.T @ pulls).astype(np.float32),
        words=(slope * WORDING * (wording.T @ pulls)).astype(np.float16),
        rarity=rarity,
        signs=(slope * of_signs).astype(np.float32),
        bias=(slope * (pulls.sum(axis=0) - middle @ of_signs)).astype(np.float32),
        least=np.array(_least(odds, known.stance), np.float32),
    )
    return Lesson(reader, odds, tuple(texts), known.stance)


def _held_out(
    inverse: NDArray[Any], pulls: NDArray[Any], wanted: NDArray[Any], narrative: NDArray[np.int64]
) -> NDArray[np.float64]:
    """What each post would be told without its whole narrative, in closed form (block leave-one-out of ridge)."""
    told = np.empty_like(wanted)
    for one in np.unique(narrative):
        rows = np.flatnonzero(narrative == one)
        told[rows] = wanted[rows] - np.linalg.solve(inverse[np.ix_(rows, rows)], pulls[rows])
    return told


def _slope(scores: NDArray[np.float64], stance: NDArray[np.int64]) -> float:
    """By what scores are multiplied so that their softmax is likeliest (temperature scaling, Guo et al. 2017)."""
    losses = [-np.log(softmax(slope * scores)[np.arange(len(stance)), stance]).mean() for slope in _SLOPES]
    return float(_SLOPES[int(np.argmin(losses))])


def _least(odds: NDArray[np.float64], stance: NDArray[np.int64]) -> float:
    """The lowest probability from which on so many answers are right as RIGHT asks; 1 when none is."""
    top = odds.max(axis=1)
    order = np.argsort(-top, kind="stable")
    right = np.cumsum((odds.argmax(axis=1) == stance)[order]) / np.arange(1, len(order) + 1)
    enough = np.flatnonzero(right >= RIGHT)
    return float(top[order][enough[-1]]) if len(enough) else 1.0


def _sparse(bins: list[NDArray[np.int32]], rarity: NDArray[np.float32]) -> Any:
    from scipy.sparse import csr_matrix

    ends = np.cumsum([0, *map(len, bins)])
    return csr_matrix((np.concatenate(weighed(bins, rarity)), np.concatenate(bins), ends), (len(bins), BINS))
