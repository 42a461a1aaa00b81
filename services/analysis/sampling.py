"""Draws the units that people are asked to judge: three strata that share nothing, each a simple random sample.

Pure: chance comes as a seed. It must not be told who judged what, nor tell judges which stratum a sample is of.
"""

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Row = Mapping[str, Any]
Stratum = Literal["near", "carried", "rest"]

NEAR, CARRIED, REST = 10, 10, 5
"""Units drawn a frame and week: near the threshold, from the others that carry the frame, from all the others."""
BAND = 1.0
"""Width of what is near above the threshold, in log odds; below it, near is what the model calls uncertain."""
CANDIDATES = 500
"""Units of a week in random order that the rest of every frame is drawn from."""


@dataclass(frozen=True, slots=True)
class Week:
    """The units of one frame and week; `carrying` and `uncertain` are whole, `shuffled` begins a random order."""

    carrying: Sequence[Row]
    """Rows of unit_key, post_id, probability."""
    uncertain: Sequence[Row]
    """Rows of unit_key, post_id."""
    shuffled: Sequence[Row]
    """Rows of unit_key, post_id, whatever they carry."""
    units: int
    """How many there are in all."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """One unit to be judged, by one post of it."""

    post_id: int
    unit_key: bytes
    stratum: Stratum
    inclusion: float
    """Units drawn of its stratum over units in it."""
    place: int
    """Its place in the order of asking, from 0."""


@dataclass(frozen=True, slots=True)
class Draw:
    """What was drawn, and how many units each stratum holds."""

    drawn: tuple[Drawn, ...]
    sizes: Mapping[Stratum, int]


def draw(week: Week, seed: str) -> Draw:
    """Draw the sample of a week: the same week and seed give the same sample, in whatever order its rows come.

    A stratum that holds fewer units than wanted leaves its share to the other of `near` and `carried`. Where every
    candidate of the rest carries or may carry the frame, the rest is drawn short or not at all.
    """
    strata = _strata(week)
    wanted = _shares(len(strata["near"]), len(strata["carried"]))
    picked = {name: _shuffled(strata[name], seed)[: wanted[name]] for name in wanted}
    known = {unit["unit_key"] for name in wanted for unit in strata[name]}
    rest = [unit for unit in week.shuffled if unit["unit_key"] not in known]
    picked["rest"] = rest[:REST]
    sizes: dict[Stratum, int] = {
        "near": len(strata["near"]),
        "carried": len(strata["carried"]),
        "rest": max(week.units - len(known), len(picked["rest"])),
    }
    places = _places({name: len(units) for name, units in picked.items()}, seed)
    drawn = [
        Drawn(unit["post_id"], bytes(unit["unit_key"]), name, len(picked[name]) / sizes[name], places[name, i])
        for name in sizes
        for i, unit in enumerate(picked[name])
    ]
    return Draw(tuple(sorted(drawn, key=lambda d: d.place)), sizes)


def _strata(week: Week) -> dict[Stratum, list[Row]]:
    """Units that carry the frame clearly, and those near the threshold on either side."""
    # The lowest probability that carries the frame stands for the threshold: the sample need not know heads.
    least = min((_log_odds(u["probability"]) for u in week.carrying), default=0.0)
    clear = [u for u in week.carrying if _log_odds(u["probability"]) > least + BAND]
    close = [u for u in week.carrying if _log_odds(u["probability"]) <= least + BAND]
    carrying = {u["unit_key"] for u in week.carrying}
    return {"near": close + [u for u in week.uncertain if u["unit_key"] not in carrying], "carried": clear}


def _shares(near: int, carried: int) -> dict[Stratum, int]:
    return {
        "near": min(near, NEAR + max(CARRIED - carried, 0)),
        "carried": min(carried, CARRIED + max(NEAR - near, 0)),
    }


def _shuffled(units: Sequence[Row], seed: str) -> list[Row]:
    return sorted(units, key=lambda unit: _hash(seed, bytes(unit["unit_key"]).hex()))


def _places(counts: Mapping[Stratum, int], seed: str) -> dict[tuple[Stratum, int], int]:
    """An order in which every beginning holds each stratum about in proportion, and which tells nothing of it."""
    keys = {
        (name, i): (i + _hash(seed, f"{name} {i}") / 2**64) / count
        for name, count in counts.items()
        for i in range(count)
    }
    return {key: place for place, key in enumerate(sorted(keys, key=lambda key: keys[key]))}


def _hash(seed: str, what: str) -> int:
    return int.from_bytes(hashlib.blake2b(f"{seed}|{what}".encode(), digest_size=8).digest())


def _log_odds(probability: float) -> float:
    p = min(max(probability, 1e-6), 1 - 1e-6)
    return math.log(p / (1 - p))
