"""Says how much a group of posts deserves a look: does it grow, is it many voices, one story, large, new. Pure.

One account or one site that says the same again and again is one voice, however much it says.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

DAYS = 14
"""Days looked at."""
HALF_VOICES = 4.0
"""Voices beyond the first at which independence is a half."""
HALF_UNITS = 20.0
"""Units at which size is a half."""
HALF_LIFE_DAYS = 7.0
"""Age at which newness is a half."""
ONE_SITE = 0.8
"""Part of the independence that is lost when every unit leads to one publisher."""
FEWEST_VOICES = 3.0
"""Below, a group is no suggestion: somebody's feed, or two people who talk. Nor is one that is hardly one story."""
LEAST_COHERENCE = 0.2
WEIGHTS = {"growth": 0.4, "coherence": 0.2, "size": 0.2, "newness": 0.2}


@dataclass(frozen=True, slots=True)
class Post:
    """What counts of a post."""

    unit: int
    at: float
    """Seconds since the epoch."""
    voice: str
    """Its author, or else its publisher; "" when neither is known."""
    publishers: tuple[str, ...]
    lang: str


@dataclass(frozen=True, slots=True)
class Parts:
    """What a score is made of, each 0 to 1."""

    growth: float
    independence: float
    coherence: float
    size: float
    newness: float

    @property
    def score(self) -> float:
        """Independence times the weighted mean of the others, 0 to 1."""
        parts = asdict(self)
        return self.independence * float(sum(weight * parts[name] for name, weight in WEIGHTS.items()))

    def rounded(self) -> dict[str, float]:
        """For a row."""
        return {name: round(value, 4) for name, value in asdict(self).items()}


@dataclass(frozen=True, slots=True)
class Standing:
    """A group as it is counted."""

    parts: Parts
    voices: float
    """Effective number of voices over its units (inverse Simpson), from 1."""
    posts: int
    units: int
    authors: int
    publishers: int
    langs: Mapping[str, int]
    """Units by language, most first."""
    days: Sequence[tuple[int, int]]
    """(posts, units) of each of the DAYS days before the end, oldest first."""
    first: datetime

    @property
    def worth(self) -> bool:
        """Whether it may be suggested at all."""
        return self.voices >= FEWEST_VOICES and self.parts.coherence >= LEAST_COHERENCE


def standing(posts: Sequence[Post], stream: NDArray[np.float64], until: datetime, coherence: float) -> Standing:
    """How a group stands at `until`; `stream` has the units of everything unmatched by day, as `by_day` gives them."""
    days = by_day(posts, until)
    units = {p.unit: p for p in reversed(posts)}
    first = min(p.at for p in posts)
    voices = _effective([p.voice or f"unit {p.unit}" for p in units.values()])
    linked = [p.publishers[0] for p in units.values() if p.publishers]
    one_site = ONE_SITE * len(linked) / len(units) / _effective(linked) if linked else 0.0
    age = max(until.timestamp() - first, 0.0) / timedelta(days=1).total_seconds()
    parts = Parts(
        growth=growth(np.array([u for _, u in days], float), stream),
        independence=(voices - 1) / (voices - 1 + HALF_VOICES) * (1 - one_site),
        coherence=coherence,
        size=len(units) / (len(units) + HALF_UNITS),
        newness=0.5 ** (age / HALF_LIFE_DAYS),
    )
    return Standing(
        parts, voices, len(posts), len(units), len({p.voice for p in posts if p.voice}),
        len({name for p in posts for name in p.publishers}), _counted([p.lang for p in units.values()]), days,
        datetime.fromtimestamp(first, UTC),
    )  # fmt: skip


def by_day(posts: Sequence[Post], until: datetime) -> list[tuple[int, int]]:
    """(posts, units) of each of the DAYS days before `until`, oldest first."""
    said: list[list[int]] = [[] for _ in range(DAYS)]
    for post in posts:
        back = int((until.timestamp() - post.at) // timedelta(days=1).total_seconds())
        if 0 <= back < DAYS:
            said[DAYS - 1 - back].append(post.unit)
    return [(len(units), len(set(units))) for units in said]


def growth(units: NDArray[np.float64], stream: NDArray[np.float64]) -> float:
    """How far the last day, or the last week, is above what came before it, given what the whole stream did; 0 to 1.

    0: as ever or less; 1/2: three times; near 1: nothing before. One unit is added on either side, so that a handful
    proves little. Where the stream has no past, nothing is known to grow.
    """
    return max(_growth(units, stream, 1), _growth(units, stream, DAYS // 2))


def _growth(units: NDArray[np.float64], stream: NDArray[np.float64], days: int) -> float:
    recent, all_recent, all_before = units[-days:].sum(), stream[-days:].sum(), stream[:-days].sum()
    if not all_before or not all_recent:
        return 0.0
    expected = units[:-days].sum() * all_recent / all_before
    return float(np.clip((recent - expected) / (recent + expected + 2), 0, 1))


def _effective(names: Sequence[str]) -> float:
    """Effective number of different names (Simpson 1949, inverse): 1 when all are one."""
    shares = np.array(list(_counted(names).values()), float) / max(len(names), 1)
    return float(1 / (shares @ shares)) if len(shares) else 1.0


def _counted(names: Sequence[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for name in names:
        found[name] = found.get(name, 0) + 1
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))
