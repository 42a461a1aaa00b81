"""Finds dense groups among vectors of texts, whatever their language; most texts belong to none. Pure.

The languages' own means are taken out first (Libovický, Rosa and Fraser 2020), so that one story told in three
languages is one group. Groups are HDBSCAN's (Campello, Moulavi and Sander 2013) over a graph of nearest neighbours,
which are found cell by cell. It must not know posts, authors or times.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage

Vectors = NDArray[np.float32]

FEWEST, MORE = 5, 3
"""Texts of the smallest group among a thousand, and how many more for each power of ten beyond: 12 of 200,000."""
ALIKE = 0.5
"""Cosine of the middles of two groups from which they are one: a story's languages part in the first place."""
LOOSE = 0.25
"""A text in no group joins the one whose middle it is nearer to than this part of the group's own texts are."""
LARGEST, LARGEST_FEW = 0.02, 60
"""Part of all texts, or number of them, that one dense group may be: beyond, it is no story but the stream itself."""
NEIGHBOURS = 16
DIMENSIONS = 28
"""Axes kept to tell neighbours by: in fewer, far texts are further and dense places denser."""
CELL = 400
"""Texts of a cell on average."""
PROBED = 8
"""Cells in which the neighbours of a cell's texts are looked for."""
OWN_MEAN = 20
"""Texts a language needs to have a mean of its own."""
USUAL, PAIRED = 0.85, 1500
"""Which of two texts' likeness is usual, looked up among the pairs of so many texts."""
_FAR = 2.0
"""The greatest distance of unit vectors."""


@dataclass(frozen=True, slots=True, eq=False)
class Around:
    """A group and its surroundings, as rows."""

    inside: NDArray[np.int64]
    """The likest to the middle first."""
    near: NDArray[np.int64]
    """Near misses, the nearest first."""
    likeness: Vectors
    """To the middle: of every row of inside, then of near."""


def centred(vectors: NDArray[Any], langs: Sequence[str]) -> Vectors:
    """Unit rows without the mean of their language; languages of few texts share the mean of all."""
    found = np.array(vectors, np.float32)
    if not len(found):
        return found
    names, which = np.unique(np.asarray(langs), return_inverse=True)
    overall = found.mean(0)
    for i in range(len(names)):
        mine = np.flatnonzero(which == i)
        found[mine] -= found[mine].mean(0) if len(mine) >= OWN_MEAN else overall
    return unit(found)


def unit(rows: Vectors) -> Vectors:
    """Rows of length one; a row of zeros stays."""
    lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    rows /= np.maximum(lengths, 1e-9)[:, None]
    return rows


def cluster(points: Vectors) -> NDArray[np.int64]:
    """The group of each row of `centred`, from 0; -1 for none. The same rows get the same groups."""
    if len(points) < FEWEST + 1:
        return np.full(len(points), -1)
    near = reduced(points)
    dense = leaves(*neighbours(near, min(NEIGHBOURS, len(near) - 1)))
    return _absorbed(points, _joined(points, dense))


def middles(points: Vectors, groups: NDArray[np.int64]) -> Vectors:
    """The mean of each group's rows, unit length."""
    return unit(_sums(points, groups))


def coherence(points: Vectors, groups: NDArray[np.int64]) -> NDArray[np.float64]:
    """How far the texts of each group are alike beyond what is usual, 0 to 1: 0.5 is twice as alike, in the mean over
    pairs, as the more alike of any two texts are (the USUAL quantile of those not in one group); 0 is not more."""
    sums = _sums(points, groups).astype(np.float64)
    sizes = np.bincount(groups[groups >= 0], minlength=len(sums)).astype(float)
    alike = (np.einsum("ij,ij->i", sums, sums) - sizes) / np.maximum(sizes * (sizes - 1), 1)
    step = len(points) // PAIRED + 1
    some, theirs = points[::step], groups[::step]
    strangers = np.triu(theirs[:, None] != theirs[None, :], 1) | np.triu(theirs[:, None] < 0, 1)
    pairs = (some @ some.T)[strangers]
    usual = max(float(np.quantile(pairs, USUAL)), 1e-6) if len(pairs) else 1e-6
    found: NDArray[np.float64] = np.clip(1 - usual / np.maximum(alike, usual), 0, 1)
    return found


def _sums(points: Vectors, groups: NDArray[np.int64]) -> Vectors:
    count = int(groups.max(initial=-1)) + 1
    inside = np.flatnonzero(groups >= 0)
    ones = np.ones(len(inside), np.float32)
    member = sp.coo_matrix((ones, (groups[inside], inside)), (count, len(points))).tocsr()
    return np.asarray(member @ points, np.float32)


def reduced(points: Vectors) -> Vectors:
    """The rows along the DIMENSIONS axes of greatest variance (PCA), unit length again."""
    spread = (points.T @ points) / len(points)
    axes = np.linalg.eigh(spread.astype(np.float64))[1][:, ::-1][:, :DIMENSIONS]
    return unit(points @ axes.astype(np.float32))


def neighbours(points: Vectors, k: int) -> tuple[NDArray[np.int32], Vectors]:
    """The k nearest other rows of each, and their distances (0 to 2); those in cells far apart are missed."""
    cells, centres = _cells(points)
    order = np.argsort(cells, kind="stable").astype(np.int32)
    bounds = np.searchsorted(cells[order], np.arange(len(centres) + 1))
    probed = np.argsort(-(centres @ centres.T), axis=1, kind="stable")[:, :PROBED]
    ids, distances = np.zeros((len(points), k), np.int32), np.full((len(points), k), _FAR, np.float32)
    for cell, others in enumerate(probed):
        mine = order[bounds[cell] : bounds[cell + 1]]
        there = np.concatenate([order[bounds[c] : bounds[c + 1]] for c in others])
        for part in np.array_split(mine, len(mine) // 1000 + 1):
            if len(part) and len(there) > k:
                ids[part], distances[part] = _nearest(points, part, there, k)
    return ids, distances


def _cells(points: Vectors) -> tuple[NDArray[np.int32], Vectors]:
    from sklearn.cluster import MiniBatchKMeans

    count = max(1, len(points) // CELL)
    if count <= PROBED:
        return np.zeros(len(points), np.int32), np.zeros((1, points.shape[1]), np.float32)
    means = MiniBatchKMeans(count, init="random", n_init=1, max_iter=20, batch_size=4096, random_state=0).fit(points)
    return means.labels_, unit(means.cluster_centers_.astype(np.float32))


def _nearest(
    points: Vectors, mine: NDArray[np.int32], there: NDArray[np.int32], k: int
) -> tuple[NDArray[np.int32], Vectors]:
    apart = -(points[mine] @ points[there].T)
    apart[mine[:, None] == there[None, :]] = np.inf
    best = np.argpartition(apart, k - 1, axis=1)[:, :k]
    closest = np.take_along_axis(apart, best, 1)
    return there[best], np.sqrt(np.maximum(2 + 2 * closest, 0))


def leaves(ids: NDArray[np.int32], distances: Vectors) -> NDArray[np.int64]:
    """Dense groups among rows given by their neighbours: the most stable of HDBSCAN's hierarchy; -1 for none.

    The more rows, the larger is what chance puts together: one neighbour makes a place dense, and one more for each
    power of ten beyond a thousand.
    """
    from sklearn.cluster import HDBSCAN

    powers = max(0.0, float(np.log10(len(ids) / 1000)))
    tree = HDBSCAN(
        min_cluster_size=FEWEST + int(MORE * powers),
        min_samples=1 + int(powers),
        metric="precomputed",
        cluster_selection_method="eom",
        max_cluster_size=max(LARGEST_FEW, int(LARGEST * len(ids))),
        copy=False,
    )
    found: NDArray[np.int64] = tree.fit(_graph(ids, distances)).labels_.astype(np.int64)
    return found


def _graph(ids: NDArray[np.int32], distances: Vectors) -> Any:
    """Neighbours as a symmetric sparse matrix of distances, in one piece: loose parts are linked from afar."""
    n, k = ids.shape
    rows = np.repeat(np.arange(n, dtype=np.int32), k)
    # Equal texts are a hair apart: a sparse zero would mean no neighbour.
    one_way = sp.coo_matrix(
        (np.maximum(distances.ravel(), 1e-4).astype(np.float64), (rows, ids.ravel())), (n, n)
    ).tocsr()
    both = one_way.maximum(one_way.T)
    parts, part = sp.csgraph.connected_components(both, directed=False)
    if parts > 1:
        first = np.unique(part, return_index=True)[1]
        links = sp.coo_matrix((np.full(parts - 1, _FAR), (np.full(parts - 1, first[0]), first[1:])), (n, n)).tocsr()
        both = both + links + links.T
    return both


def _joined(points: Vectors, groups: NDArray[np.int64]) -> NDArray[np.int64]:
    """Groups whose middles are alike are one."""
    centres = middles(points, groups)
    if len(centres) < 2:
        return groups
    tree = linkage(centres, "average", metric="cosine")
    joined = fcluster(tree, 1 - ALIKE, "distance") - 1
    return np.where(groups >= 0, joined[groups], -1)


def _absorbed(points: Vectors, groups: NDArray[np.int64]) -> NDArray[np.int64]:
    """Texts just outside a group join it."""
    centres = middles(points, groups)
    if not len(centres):
        return groups
    inside = np.flatnonzero(groups >= 0)
    own = np.einsum("ij,ij->i", points[inside], centres[groups[inside]])
    wanted = np.array([np.quantile(own[groups[inside] == g], LOOSE) for g in range(len(centres))], np.float32)
    found = groups.copy()
    outside = np.flatnonzero(groups < 0)
    for part in np.array_split(outside, len(outside) // 4096 + 1):
        beyond = points[part] @ centres.T - wanted
        best = beyond.argmax(axis=1)
        found[part] = np.where(beyond[np.arange(len(part)), best] >= 0, best, -1)
    return found


def members(groups: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """The rows of each group."""
    order = np.argsort(groups, kind="stable")
    count = int(groups.max(initial=-1)) + 1
    bounds = np.searchsorted(groups[order], np.arange(count + 1))
    return [order[bounds[g] : bounds[g + 1]] for g in range(count)]


def around(points: Vectors, groups: NDArray[np.int64], middle: Vectors, group: int, most: tuple[int, int]) -> Around:
    """A group's rows and its near misses, `most` of each.

    Near misses are the nearest rows of other groups, which are other stories; after them the nearest in no group that
    are less like the middle than all of this one, for of those that are nearer many belong to it and were missed.
    """
    like = points @ middle
    inside = np.flatnonzero(groups == group)
    own = inside[np.argsort(-like[inside], kind="stable")][: most[0]]
    other = np.flatnonzero((groups != group) & (groups >= 0))
    loose = np.flatnonzero((groups < 0) & (like < like[inside].min()))
    near = np.concatenate([rows[np.argsort(-like[rows], kind="stable")] for rows in (other, loose)])[: most[1]]
    return Around(own, near, np.concatenate([like[own], like[near]]))
