"""Tells which of today's groups is which of those known before, so that a suggestion keeps its id. Pure.

It must not decide whether a group is worth suggesting.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

SHARED = 0.5
"""Part of the smaller of two groups that the other has from which they are kin: one continues or splits the other."""
ALIKE = 0.8
"""Cosine of their middles from which groups without common units are one: the window has moved past the first posts."""


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """A group of units with the middle of their vectors (unit length)."""

    units: frozenset[bytes]
    middle: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Continuation:
    """Who is who."""

    same: Mapping[int, int] = field(default_factory=dict)
    """Today's group → the id it goes on with; no id twice."""
    split: Mapping[int, int] = field(default_factory=dict)
    """Today's new group → the id that most of it had before."""
    merged: Mapping[int, int] = field(default_factory=dict)
    """An id that is no group of its own any more → today's group most of it went to."""


def continue_groups(today: Sequence[Group], known: Mapping[int, Group]) -> Continuation:
    """The one-to-one assignment of greatest kinship (Kuhn 1955); what is left over was split off or merged.

    Units of `known` may have left the window; kinship by units looks only at what both sides hold.
    """
    ids = sorted(known)
    kin = np.array([[kinship(group, known[i]) for i in ids] for group in today]).reshape(len(today), len(ids))
    chosen = zip(*linear_sum_assignment(-kin), strict=True)
    same = {int(g): ids[k] for g, k in chosen if kin[g, k] > 0}
    shared = np.array([[common(group, known[i]) for i in ids] for group in today]).reshape(kin.shape)
    return Continuation(same, _split(same, shared, ids, today), _merged(same, shared, ids, known))


def kinship(one: Group, other: Group) -> float:
    """0 for strangers; else more the more units they share, then the more alike they are, at most 2."""
    shared, alike = (
        common(one, other),
        float(one.middle @ other.middle) if one.middle.shape == other.middle.shape else 0,
    )
    smaller = min(len(one.units), len(other.units))
    if (smaller and shared / smaller >= SHARED) or alike >= ALIKE:
        return shared / max(len(one.units | other.units), 1) + max(alike, 0.0) / 2 + 1e-6
    return 0.0


def common(one: Group, other: Group) -> int:
    """Units that both have."""
    return len(one.units & other.units)


def _split(
    same: Mapping[int, int], shared: NDArray[np.int64], ids: list[int], today: Sequence[Group]
) -> dict[int, int]:
    left = (g for g in range(len(today)) if g not in same and ids)
    best = ((g, int(shared[g].argmax())) for g in left)
    return {g: ids[k] for g, k in best if shared[g, k] >= SHARED * len(today[g].units) > 0}


def _merged(
    same: Mapping[int, int], shared: NDArray[np.int64], ids: list[int], known: Mapping[int, Group]
) -> dict[int, int]:
    taken = set(same.values())
    left = (k for k in range(len(ids)) if ids[k] not in taken and len(shared))
    best = ((k, int(shared[:, k].argmax())) for k in left)
    return {ids[k]: g for k, g in best if shared[g, k] >= SHARED * len(known[ids[k]].units) > 0}
