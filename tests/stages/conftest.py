"""A runtime with a real database, and fakes only at the edges: a source, an encoder, a channel, a clock."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from schemas.records import Feed, FetchedPost, Notice, Page
from services.analysis.identities import identities
from services.analysis.intake import Intake
from services.classifier.wording import packed
from services.store import applying, counts, feeds
from services.store.pool import Store
from services.store.posts import ensure_post_partitions
from workers.runtime import Runtime

FRAMES = ("staged-theatrics", "russia-blames-us")
WORDS = {"theatre": 0, "washington": 1}
CODEBOOK = """
codebook: test
title: A test
frames:
  - {id: staged-theatrics, title: Staged, description: A show., examples: [theatre]}
  - {id: russia-blames-us, title: Blame, description: Blame., examples: [washington]}
"""


@dataclass
class Clock:
    at: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **by: float) -> None:
        self.at += timedelta(**by)


@dataclass
class FakeSource:
    """Gives the pages it was told, or raises them."""

    pages: list[Page | BaseException] = field(default_factory=list)

    def fetch(self, feed: Feed, now: datetime) -> Page:
        page = self.pages.pop(0) if self.pages else Page(cursor=feed.cursor)
        if isinstance(page, BaseException):
            raise page
        return page


@dataclass
class FakeStream:
    """Gives the pages it was told, once, and then ends."""

    pages: list[Page | BaseException] = field(default_factory=list)

    def listen(self, feed: Feed, now: Callable[[], datetime], stopping: Callable[[], bool]) -> Iterator[Page]:
        while self.pages and not stopping():
            page = self.pages.pop(0)
            if isinstance(page, BaseException):
                raise page
            yield page


@dataclass
class FakeEncoder:
    """One dimension a word it knows; counts what it was asked."""

    name: str = "words@1"
    dimensions: int = len(WORDS)
    texts: list[str] = field(default_factory=list)
    fail: Exception | None = None

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        if self.fail:
            raise self.fail
        self.texts += texts
        rows = [[float(word in text.lower()) for word in WORDS] for text in texts]
        return np.array(rows, np.float32).reshape(len(texts), len(WORDS))


@dataclass(frozen=True)
class FakeHeads:
    """Each frame is carried by posts with its word."""

    frames: tuple[str, ...] = FRAMES

    def scores(self, vectors: np.ndarray, texts: Sequence[str]) -> np.ndarray:
        return self.stored_scores(vectors, np.empty(0, np.uint16), np.empty(0, np.int64))

    def stored_scores(self, vectors: np.ndarray, bins: np.ndarray, counts: np.ndarray) -> np.ndarray:
        columns = [FRAMES.index(frame) for frame in self.frames]
        return vectors.reshape(len(vectors), -1).astype(np.float32)[:, columns] * 0.8 + 0.1

    def answers(self, probabilities: np.ndarray) -> np.ndarray:
        return (probabilities > 0.5).astype(np.int8)

    def to_bytes(self) -> bytes:
        return " ".join(self.frames).encode()


@dataclass
class FakeChannel:
    sent: list[Notice] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)

    def send(self, notice: Notice, *, sent_at: datetime) -> None:
        if self.errors:
            raise self.errors.pop(0)
        self.sent.append(notice)


@dataclass
class World:
    rt: Runtime
    store: Store
    clock: Clock
    source: FakeSource
    stream: FakeStream
    encoder: FakeEncoder
    channel: FakeChannel

    def add_feed(self, address: str = "https://example.org/feed", **more: Any) -> int:
        with self.store.transaction() as tx:
            values = {"source": "rss", "title": "A feed", "now": self.clock(), "interval_s": 60} | more
            return feeds.add_feed(tx, address=address, **values)[0]

    def apply(self, text: str = CODEBOOK) -> None:
        with self.store.transaction() as tx:
            applying.apply(tx, text, self.clock())

    def due(self) -> None:
        """Make every feed due: claims go by the database's clock, decisions by ours."""
        with self.store.transaction() as tx:
            tx.execute("update feeds set next_fetch_at = clock_timestamp() - interval '1 s' where state = 'enabled'")

    def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        with self.store.transaction() as tx:
            return tx.execute(query, values or None).fetchall()

    def one(self, query: str, *values: Any) -> Any:
        return next(iter(self.rows(query, *values)[0].values()))


def post(number: int | str, text: str = "theatre", **more: Any) -> FetchedPost:
    at = more.pop("at", datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=30))
    return FetchedPost(str(number), text, at, author=more.pop("author", f"author {number}"), lang="en", **more)


def page(*posts: FetchedPost, **more: Any) -> Page:
    return Page(posts, **more)


@pytest.fixture
def world(store: Store) -> World:
    clock, source, encoder, channel = Clock(), FakeSource(), FakeEncoder(), FakeChannel()
    stream = FakeStream()
    given: Callable[[str, Mapping[str, Any]], FakeChannel] = lambda kind, config: channel  # noqa: E731
    rt = Runtime(
        store=store,
        source=lambda kind: source,
        channel=given,
        encoder=lambda: encoder,
        learn=lambda encoder, codebook, heard: FakeHeads(tuple(f.id for f in codebook.frames)),
        read_heads=lambda body: FakeHeads(tuple(body.decode().split())),
        wordings=packed,
        stream=lambda kind: stream,
        gone=lambda kind: None,
        intake=Intake(b"a key of the tests", lambda text: "und"),
        now=clock,
        chance=lambda: 0.0,
    )
    with store.transaction() as tx:
        ensure_post_partitions(tx, clock().date() - timedelta(days=1), clock().date() + timedelta(days=2))
        ensure_post_partitions(tx, date(2016, 11, 30), date(2016, 12, 14))
    return World(rt, store, clock, source, stream, encoder, channel)


def with_lease(world: World, seconds: float) -> World:
    return replace(world, rt=replace(world.rt, lease=timedelta(seconds=seconds)))


def drift(world: World) -> dict[str, int]:
    with world.store.transaction() as tx:
        found = identities(counts.identity_rows(tx))
    return {i.name: i.drift for i in found if i.drift}
