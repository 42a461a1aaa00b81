"""Stored history as heads see it: every stored text scored once, in the order of the disk, and the posts that say it.

It reads in the caller's snapshot and writes nothing. The transformer is not asked.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.analysis.redrawing import Posts, together
from services.classifier import CARRIES, Heads
from services.store import previews
from services.store.pool import Connection
from services.store.rescoring import Texts

Told = Callable[[float], None]
"""Hears how far it has come, 0 to 1."""


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """What heads say of n distinct texts."""

    hashes: NDArray[np.uint64]
    """n × 4: their hashes."""
    carried: NDArray[np.bool_]
    """n × F."""
    probabilities: NDArray[np.float16]
    """n × F, to three digits: enough to say which are near a threshold."""


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """Every stored post whose text was scored, by ascending id."""

    posts: Posts
    rows: NDArray[np.int64]
    """Which text each post says."""
    texts: Scored
    left_out: int
    """Posts whose text the model has not read yet."""

    def carrying(self, column: int) -> NDArray[np.int64]:
        """Places of the posts that carry a frame."""
        return np.flatnonzero(self.texts.carried[self.rows, column])


def scored_history(tx: Connection, heads: Heads, model_id: int, told: Told) -> History:
    """All of it; takes 2 bytes a text and frame, and some 50 a post."""
    texts = score_texts(tx, heads, model_id, told)
    order = np.argsort(texts.hashes[:, 0], kind="stable")
    ordered = texts.hashes[order, 0]
    parts, rows, left_out = [], [], 0
    for day in previews.days_of_posts(tx):
        posts, hashes = previews.posts_of_day(tx, day["received_day"])
        wanted = _words(hashes)
        place = np.minimum(np.searchsorted(ordered, wanted[:, 0]), len(order) - 1)
        found = order[place] if len(order) else np.zeros(0, np.int64)
        # The first eight bytes find a text, all of them prove that it is the one.
        here = (texts.hashes[found] == wanted).all(axis=1) if len(order) else np.zeros(len(posts), bool)
        parts.append(posts.part(here))
        rows.append(found[here] if len(order) else found)
        left_out += int((~here).sum())
    every, of = together(parts), np.concatenate([np.empty(0, np.int64), *rows])
    by_id = np.argsort(every.ids)
    return History(every.part(by_id), of[by_id], texts, left_out)


def score_texts(tx: Connection, heads: Heads, model_id: int, told: Told) -> Scored:
    """Every stored text once; the next ones are read while some are scored."""
    hashes, carried, probabilities = [], [], []
    for texts, share in _ahead(previews.stored_texts(tx, model_id)):
        if texts.hashes:
            said = heads.stored_scores(texts.vectors, texts.bins, texts.counts)
            hashes.append(_words(np.frombuffer(b"".join(texts.hashes), "V32")))
            carried.append(heads.answers(said) == CARRIES)
            probabilities.append(said.astype(np.float16))
        told(share)
    frames = len(heads.frames)
    return Scored(
        np.concatenate([np.empty((0, 4), np.uint64), *hashes]),
        np.concatenate([np.empty((0, frames), bool), *carried]),
        np.concatenate([np.empty((0, frames), np.float16), *probabilities]),
    )


def _ahead(parts: Iterator[tuple[Texts, float]]) -> Iterator[tuple[Texts, float]]:
    """The same, each fetched while the one before is used."""
    with ThreadPoolExecutor(1, "reading") as reading:
        coming = reading.submit(next, parts, None)
        while (part := coming.result()) is not None:
            coming = reading.submit(next, parts, None)
            yield part


def _words(hashes: NDArray[np.void]) -> NDArray[np.uint64]:
    return hashes.view(">u8").reshape(-1, 4).astype(np.uint64)
