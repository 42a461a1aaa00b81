"""How like a description or some posts other posts are, by their vectors alone. Pure; nothing is learned here.

For a first look at something that is no frame yet. A frame with eight examples is learned (services/classifier) and is
sharper; what this answers within seconds is whether it is worth becoming one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

AGAINST = 0.25
"""Weight of what a post should not be like (Rocchio 1971, with the usual quarter)."""
STRICTNESS = {"loose": 1.5, "usual": 2.0, "strict": 2.5}
"""Standard deviations above the average post from which a post is like it; see docs/measurements.md."""


@dataclass(frozen=True, slots=True, eq=False)
class Direction:
    """Where likeness points, as seen from the average post."""

    mean: Floats
    """d: the average of posts; what all of them share says nothing."""
    towards: Floats
    """d: unit length; zeros when nothing remains."""

    def likeness(self, vectors: Floats) -> Floats:
        """Cosine of each of n × d vectors with the direction, as seen from the average post."""
        moved = vectors - self.mean
        lengths = np.maximum(np.linalg.norm(moved, axis=1), np.float32(1e-9))
        found: Floats = (moved @ self.towards) / lengths
        return found


def direction(mean: Floats, like: Floats, unlike: Floats) -> Direction:
    """Towards the middle of `like` (n × d, n at least 1), and a little away from that of `unlike` (n may be 0)."""
    towards = _centred(like, mean).mean(axis=0)
    if len(unlike):
        towards = towards - AGAINST * _centred(unlike, mean).mean(axis=0)
    length = np.linalg.norm(towards)
    return Direction(mean, (towards / length if length > 0 else towards).astype(np.float32))


def cut(likeness: Floats, strictness: str) -> float:
    """The likeness from which a post counts, among these posts; infinite where all are alike."""
    spread = float(likeness.std()) if len(likeness) else 0.0
    return float(likeness.mean()) + STRICTNESS[strictness] * spread if spread > 0 else float("inf")


@dataclass(frozen=True, slots=True)
class Found:
    """One post that is like it."""

    post_id: int
    at: datetime
    unit_key: bytes
    author: str
    likeness: float


@dataclass(slots=True)
class Hour:
    """What was found in one step."""

    posts: int = 0
    units: int = 0
    authors: int = 0


def by_step(found: Sequence[Found], step: timedelta) -> dict[datetime, Hour]:
    """Posts, voices and authors of each step that has any; a voice is counted as trends count it."""
    size = step.total_seconds()
    groups: dict[float, list[Found]] = {}
    for f in found:
        groups.setdefault(f.at.timestamp() // size * size, []).append(f)
    return {datetime.fromtimestamp(at, of[0].at.tzinfo): _hour(of) for at, of in groups.items()}


def _hour(found: Sequence[Found]) -> Hour:
    authors = len({f.author for f in found})
    return Hour(len(found), min(len({f.unit_key for f in found}), authors), authors)


def distinct(found: Sequence[Found], limit: int) -> list[Found]:
    """The first `limit` in order, one a voice's text."""
    seen: set[bytes] = set()
    kept = []
    for f in found:
        if f.unit_key not in seen:
            seen.add(f.unit_key)
            kept.append(f)
        if len(kept) == limit:
            break
    return kept


def _centred(vectors: Floats, mean: Floats) -> Floats:
    moved = vectors - mean
    found: Floats = moved / np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), np.float32(1e-9))
    return found
