"""Chooses the threshold of a frame that reaches a wanted precision, from judged samples; and says what it costs.

Pure. What is said of a choice is cross-fitted: each part of the samples is answered by a threshold that the others
chose, so that no label measures what it chose.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression

from schemas.errors import PermanentError, Reason
from services.analysis import judging
from services.analysis.judging import Estimate, Floats, Judged, effective, weights, wilson
from services.analysis.naming import many

LEAST = 30
"""Judged samples below which nothing is chosen."""
FEW = 5
"""Judged posts of each answer that are needed at least."""
SUPPORT = 10.0
"""How many equally weighted posts those above a threshold must be worth (Kish's effective size). One post of the rest
stands for dozens: where it lies above, it alone would decide."""
PARTS = 5


@dataclass(frozen=True, slots=True)
class Choice:
    """A threshold, and what to expect of it; the estimates are cross-fitted."""

    threshold: float
    wanted: float
    judged: int
    precision: Estimate | None
    precision_before: Estimate | None
    recall: Estimate | None
    recall_before: Estimate | None
    kept: Estimate | None
    """The part of the right posts carried now that would still be carried."""


def choose(samples: Sequence[Judged], wanted: float, sizes: Iterable[tuple[str, int]]) -> Choice:
    """The lowest threshold that reaches a wanted precision; `sizes` as judging.recall takes them.

    Raises PermanentError(BAD_INPUT) with the reason where the labels are too few or no threshold reaches it.
    """
    _check(samples)
    threshold, best = _lowest(samples, wanted)
    if threshold is None:
        told = (
            f"no threshold that enough judged posts lie above reaches a precision of {wanted:.0%} (at most {best:.0%})"
        )
        raise PermanentError(
            Reason.BAD_INPUT, f"{told}; judge more, or give the frame examples: framewatch label examples"
        )
    after = _crossed(samples, wanted)
    sizes = list(sizes)
    return Choice(
        threshold, wanted, len(samples), judging.precision(after), judging.precision(samples),
        judging.recall(after, sizes), judging.recall(samples, sizes), _kept(samples, after),
    )  # fmt: skip


def _check(samples: Sequence[Judged]) -> None:
    yes = sum(s.yes > 0.5 for s in samples)
    no = sum(s.yes < 0.5 for s in samples)
    if len(samples) < LEAST:
        told = f"{many(len(samples), 'judged post')} cannot choose a threshold; {LEAST} are the least"
    elif yes < FEW or no < FEW:
        told = f"of the judged posts {yes} carry the frame and {no} do not; of each at least {FEW} are needed"
    else:
        return
    raise PermanentError(Reason.BAD_INPUT, f"{told}; judge more: framewatch label")


def _lowest(samples: Sequence[Judged], wanted: float) -> tuple[float | None, float]:
    """The lowest threshold that reaches `wanted`, None where none does; and the highest precision of any.

    Precision above a threshold is read off the share of yes as a function of score that never falls (isotonic
    regression: Barlow et al. 1972), weighted by the design: raw shares of a few labels jump up and down.
    """
    order = np.argsort([s.probability for s in samples], kind="stable")
    scores = np.array([samples[i].probability for i in order], np.float64)
    yes = np.array([samples[i].yes for i in order], np.float64)
    w = weights(samples)[order]
    worth = _above(w) ** 2 / _above(w * w)
    starts = _supported(np.flatnonzero(np.diff(scores, prepend=-1.0) > 0), worth)
    if not len(starts):
        return None, 0.0
    # What lies below every threshold that could be chosen has no say in which one is.
    first = int(starts[0])
    rising = _rising(scores[first:], yes[first:], w[first:])
    precision = (_above(w[first:] * rising) / _above(w[first:]))[starts - first]
    reached = starts[precision >= wanted]
    return (_between(scores, int(reached[0])) if len(reached) else None), float(precision.max())


def _supported(starts: NDArray[np.intp], worth: Floats) -> NDArray[np.intp]:
    """The places, from the highest down, whose samples above are worth SUPPORT; to the first whose are not."""
    enough = np.append(False, worth[starts] >= SUPPORT)
    highest = int(np.flatnonzero(enough)[-1]) if enough.any() else 0
    lowest = int(np.flatnonzero(~enough[: highest + 1])[-1])
    return starts[lowest:highest]


def _above(values: Floats) -> Floats:
    """At each place the sum of the values from there on."""
    found: Floats = np.cumsum(values[::-1])[::-1]
    return found


def _rising(scores: Floats, yes: Floats, w: Floats) -> Floats:
    """The share of yes by score, never falling; equal scores share one value."""
    distinct, place = np.unique(scores, return_inverse=True)
    total = np.bincount(place, w, len(distinct))
    mean = np.bincount(place, w * yes, len(distinct)) / total
    fitted: Floats = isotonic_regression(mean, weights=total).x
    return fitted[place]


def _between(scores: Floats, first: int) -> float:
    """A round number that lies between a score and the next lower one."""
    high = float(scores[first])
    low = float(scores[first - 1]) if first else 0.0
    for digits in range(2, 7):
        middle = round((low + high) / 2, digits)
        if low < middle < high:
            return middle
    return high


def _crossed(samples: Sequence[Judged], wanted: float) -> list[Judged]:
    """The samples, each carried or not by the threshold that the other parts choose."""
    part = [blake2b(s.unit_key, digest_size=2).digest()[0] % PARTS for s in samples]
    chosen = []
    for number in range(PARTS):
        others = [s for s, p in zip(samples, part, strict=True) if p != number]
        threshold = _lowest(others, wanted)[0] if others else None
        # Where the others alone reach it nowhere, nothing is carried by what they would choose.
        chosen.append(2.0 if threshold is None else threshold)
    return [replace(s, carried=s.probability >= chosen[p]) for s, p in zip(samples, part, strict=True)]


def _kept(before: Sequence[Judged], after: Sequence[Judged]) -> Estimate | None:
    right = [(b, a, w) for b, a, w in zip(before, after, weights(before), strict=True) if b.carried and b.yes > 0]
    if len(right) < FEW:
        return None
    w = np.array([w * b.yes for b, _, w in right], np.float64)
    share = float(np.average([float(a.carried) for _, a, _ in right], weights=w))
    return Estimate(share, *wilson(share, effective(w)), len(right))
