"""Reads the posts that match no frame, as columns: one row a distinct unit with its stored vector, and every post.

It reads a page a transaction, so that none stays open for long, and holds numbers, not words.
"""

from array import array
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.analysis.duplicates import SHORTEST, letters_of
from services.analysis.ranking import DAYS, Post
from services.store import suggestions
from services.store.pool import Row, Store
from services.store.scores import find_embeddings

MOST_UNITS = 200_000
"""Units that are grouped, those last heard first: more take more than the night's few minutes."""
VECTORS = 5_000
"""Vectors read at once."""


@dataclass(slots=True, eq=False)
class Material:
    """What is grouped. Rows are units whose text says something; `count` of them, of `units` in all."""

    unit_keys: list[bytes] = field(default_factory=list)
    post_ids: list[int] = field(default_factory=list)
    """The post each row is read from: the first that came."""
    langs: list[str] = field(default_factory=list)
    vectors: NDArray[np.float16] = field(default_factory=lambda: np.zeros((0, 1), np.float16))
    model_id: int = 0
    units: int = 0
    at: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    """Of every post: seconds since the epoch, its row (-1: in none), its unit, voice and publishers."""
    row: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))
    unit: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))
    voice: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))
    publishers: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))
    voices: list[str] = field(default_factory=list)
    publisher_lists: list[tuple[str, ...]] = field(default_factory=list)

    @property
    def count(self) -> int:
        """Rows."""
        return len(self.unit_keys)

    def forget_vectors(self) -> None:
        """They are the larger part of the memory."""
        self.vectors = np.zeros((0, 1), np.float16)

    def still(self, unit_keys: Collection[bytes]) -> frozenset[bytes]:
        """Those of some units that are rows here."""
        return frozenset(unit_keys) & set(self.unit_keys)

    def stream(self, until: datetime) -> NDArray[np.float64]:
        """Units of everything unmatched on each of the DAYS days before `until`, oldest first."""
        back = ((until.timestamp() - self.at) // timedelta(days=1).total_seconds()).astype(np.int64)
        inside = (back >= 0) & (back < DAYS)
        pairs = np.unique(np.stack([DAYS - 1 - back[inside], self.unit[inside]]), axis=1)
        return np.bincount(pairs[0].astype(np.int64), minlength=DAYS).astype(float)

    def posts_of_groups(self, groups: Sequence[NDArray[np.int64]]) -> list[list[Post]]:
        """The posts of each group of rows, in order of time."""
        group_of = np.full(self.count + 1, -1)  # the last stands for row -1
        for g, rows in enumerate(groups):
            group_of[rows] = g
        found: list[list[Post]] = [[] for _ in groups]
        theirs = np.flatnonzero(group_of[self.row] >= 0)
        for i in theirs[np.argsort(self.at[theirs], kind="stable")].tolist():
            found[group_of[self.row[i]]].append(self._post(i))
        return found

    def _post(self, i: int) -> Post:
        row = int(self.row[i])
        listed = self.publisher_lists[self.publishers[i]]
        return Post(row, float(self.at[i]), self.voices[self.voice[i]], listed, self.langs[row])


class _Columns:
    """Posts as they come, and their units."""

    def __init__(self) -> None:
        self.numbers: dict[bytes, int] = {}
        self.posts: list[int] = []
        self.hashes: list[bytes] = []
        self.langs: list[str] = []
        self.says: list[bool] = []
        self.last: list[float] = []
        self.at, self.unit, self.voice, self.publishers = array("d"), array("i"), array("i"), array("i")
        self.voices: dict[str, int] = {}
        self.lists: dict[tuple[str, ...], int] = {}

    def add(self, post: Row) -> None:
        at = post["published_at"].timestamp()
        number = self.numbers.setdefault(bytes(post["unit_key"]), len(self.numbers))
        if number == len(self.posts):
            self.posts.append(post["post_id"])
            self.hashes.append(bytes(post["text_hash"]))
            self.langs.append(post["lang"])
            self.says.append(len(letters_of(post["text"])) >= SHORTEST)
            self.last.append(at)
        self.last[number] = max(self.last[number], at)
        listed = tuple(post["publishers"])
        who = f"{post['source']} {post['author']}" if post["author"] else listed[0] if listed else ""
        self.at.append(at)
        self.unit.append(number)
        self.voice.append(self.voices.setdefault(who, len(self.voices)))
        self.publishers.append(self.lists.setdefault(listed, len(self.lists)))


def read_material(store: Store, version_id: int, since: datetime, until: datetime) -> Material:
    """Everything that matches no frame of a version and was published in a period."""
    with store.transaction() as tx:
        days = suggestions.days_received(tx, since, until)
    pages: dict[int, _Columns] = {}
    scored: Counter[int] = Counter()
    for day in days:
        for post in _of_day(store, version_id, day, since=since, until=until):
            scored[post["model_id"]] += 1
            pages.setdefault(post["model_id"], _Columns()).add(post)
    if not scored:
        return Material()
    model_id = max(scored, key=lambda m: (scored[m], m))
    return _with_vectors(store, pages[model_id], model_id)


def _of_day(store: Store, version_id: int, day: date, **period: datetime) -> Any:
    after, full = 0, True
    while full:
        with store.transaction() as tx:
            page = suggestions.unmatched_posts(tx, version_id, day, after=after, **period)
        yield from page
        full = len(page) == suggestions.PAGE
        after = page[-1]["post_id"] if page else after


def _with_vectors(store: Store, said: _Columns, model_id: int) -> Material:
    """Rows of the units that say something and have a vector, the latest when there are too many."""
    able = [i for i, says in enumerate(said.says) if says]
    if len(able) > MOST_UNITS:
        able = sorted(sorted(able, key=lambda i: (-said.last[i], i))[:MOST_UNITS])
    keys = list(said.numbers)
    kept: list[int] = []
    parts: list[NDArray[np.float16]] = []
    for begin in range(0, len(able), VECTORS):
        some = able[begin : begin + VECTORS]
        with store.transaction() as tx:
            vectors = find_embeddings(tx, model_id, [said.hashes[i] for i in some])
        there = [i for i in some if said.hashes[i] in vectors]
        kept += there
        parts.append(np.array([np.frombuffer(vectors[said.hashes[i]], "<f2") for i in there], np.float16))
    row_of = np.full(len(keys), -1, np.int32)
    row_of[kept] = np.arange(len(kept))
    unit = np.array(said.unit, np.int32)
    return Material(
        unit_keys=[keys[i] for i in kept], post_ids=[said.posts[i] for i in kept], langs=[said.langs[i] for i in kept],
        vectors=np.concatenate([p for p in parts if len(p)]) if kept else np.zeros((0, 1), np.float16),
        model_id=model_id, units=len(keys), at=np.array(said.at), row=row_of[unit], unit=unit,
        voice=np.array(said.voice, np.int32), publishers=np.array(said.publishers, np.int32),
        voices=list(said.voices), publisher_lists=list(said.lists),
    )  # fmt: skip
