"""A real month through the whole pipeline, by the hour it happened: which alerts come, and which an outage adds.

python -m bench.december --posts FILE.jsonl[.gz] [--until 2016-12-16] [--stop 2016-12-09T06:00] [--vectors FILE.npz]

The stages run as workers run them, on a Postgres of their own, with the default encoder and the bundled codebook; only the
clock is a simulated one that goes on by a quarter of an hour. With --stop nothing is collected for six hours, and then all
of it at once. Vectors can be kept in a file, so that a second run need not encode again.
"""

import argparse
import json
import tempfile
import time
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.pipeline import MODELS
from schemas.records import Feed, FetchedPost, Page
from services import demo
from services.analysis.intake import Intake
from services.analysis.text import text_for_encoder
from services.classifier import Heads, learn_codebook, load_encoder
from services.classifier.wording import packed
from services.cli.lines import read
from services.embedded.postgres import Postgres
from services.sources.jsonl.lines import read_line
from services.sources.language import guess
from services.store import alerts, applying, feeds
from services.store.migrate import prepare
from services.store.pool import Store
from services.store.posts import ensure_post_partitions
from workers.runtime import Encoder, Runtime
from workers.stages.classify import classify
from workers.stages.collect import collect
from workers.stages.detect import detect
from workers.stages.rollup import rollup

STEP = timedelta(minutes=15)
STOPPED = timedelta(hours=6)
PAGE = 2_000
FALL = (datetime(2016, 12, 10, tzinfo=UTC), datetime(2016, 12, 13, tzinfo=UTC))


@dataclass
class Clock:
    """The simulated present."""

    at: datetime

    def __call__(self) -> datetime:
        """Now."""
        return self.at


@dataclass
class Platform:
    """A place that shows what has been published by now, a page at a time."""

    posts: list[FetchedPost]
    times: list[datetime]

    def fetch(self, feed: Feed, now: datetime) -> Page:
        """The next page behind the cursor."""
        start = int(feed.cursor.get("n", 0))
        end = min(bisect_right(self.times, now), start + PAGE)
        more = end < bisect_right(self.times, now)
        return Page(tuple(self.posts[start:end]), cursor={"n": end}, more=more)


@dataclass
class Remembering:
    """An encoder that keeps its vectors in a file between runs."""

    inner: Encoder
    path: Path | None
    known: dict[str, NDArray[np.float16]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Read what was kept."""
        if self.path and self.path.exists():
            with np.load(self.path, allow_pickle=False) as kept:
                self.known = dict(zip(kept["texts"].tolist(), kept["vectors"], strict=True))

    @property
    def name(self) -> str:
        """As the encoder says."""
        return self.inner.name

    @property
    def dimensions(self) -> int:
        """As the encoder says."""
        return self.inner.dimensions

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors, new texts through the model."""
        missing = [t for t in dict.fromkeys(texts) if t not in self.known]
        for text, vector in zip(missing, self.inner.encode(missing), strict=True):
            self.known[text] = vector.astype(np.float16)
        rows = [self.known[t].astype(np.float32) for t in texts]
        return np.array(rows, np.float32).reshape(len(texts), self.dimensions)

    def keep(self) -> None:
        """Write all vectors down."""
        if self.path:
            texts = np.array(list(self.known), dtype=np.str_)
            np.savez(self.path, texts=texts, vectors=np.array(list(self.known.values())))


def platform_of(path: Path, until: datetime) -> Platform:
    """The posts of a file before `until`, in order of time."""
    found = []
    for line in read(path):
        outcome = read_line(json.dumps(line).encode())
        if outcome.post and outcome.post.published_at and outcome.post.published_at < until:
            found.append(outcome.post)
    found.sort(key=lambda p: p.published_at or until)
    return Platform(found, [p.published_at or until for p in found])


@contextmanager
def database(first: datetime, last: datetime) -> Iterator[Store]:
    """A Postgres of its own with the partitions of those days."""
    with tempfile.TemporaryDirectory() as folder:
        server = Postgres(Path(folder))
        server.start()
        try:
            prepare(server.url, first.date())
            store = Store(server.url, size=6, name="december")
            with store.transaction() as tx:
                ensure_post_partitions(tx, first.date() - timedelta(days=1), last.date() + timedelta(days=1))
            yield store
            store.close()
        finally:
            server.stop()


def runtime_of(store: Store, platform: Platform, encoder: Remembering, clock: Clock) -> Runtime:
    """What the stages use; nothing is told to anybody outside."""
    return Runtime(
        store=store, source=lambda _: platform, stream=_none, gone=lambda _: None, channel=_none,
        encoder=lambda: encoder, learn=lambda e, book, _: learn_codebook(e, book, text_for_encoder),
        read_heads=Heads.from_bytes, wordings=packed, intake=Intake(b"a key of the benchmark", guess), now=clock, chance=lambda: 0.5,
    )  # fmt: skip


def live(rt: Runtime, clock: Clock, until: datetime, stop: datetime | None) -> None:
    """Let time go by, a quarter of an hour at a time, and run what workers would."""
    while clock.at < until:
        clock.at += STEP
        if stop is None or not stop <= clock.at < stop + STOPPED:
            _while_again(partial(collect, rt))
        for stage in (classify, rollup, detect):
            _while_again(partial(stage, rt))
        if clock.at.hour == clock.at.minute == 0:
            print(f"  {clock.at:%d %b}", end="", flush=True)
    print()


def told(store: Store) -> list[dict[str, Any]]:
    """The alerts raised, oldest first, with what they stood on."""
    with store.transaction() as tx:
        found = [alerts.read_alert(tx, a["alert_id"]) for a in alerts.list_alerts(tx, limit=500)]
        return sorted(filter(None, found), key=lambda a: a["onset"])


def show(found: Sequence[dict[str, Any]]) -> None:
    """One line an alert."""
    for alert in found:
        counts = alert["evidence"].get("counts", {})
        what = alert["frame"] or alert["evidence"].get("feed", {}).get("title", "")
        print(
            f"  {alert['kind']:11} {what:24} {alert['onset']:%d %b %H:%M} to {alert['last_bucket']:%d %b %H:%M}"
            f"  {alert['state']:9} posts {counts.get('posts', '-')}, authors {counts.get('authors', '-')}"
        )


def month(arguments: argparse.Namespace, stop: datetime | None) -> list[dict[str, Any]]:
    """The alerts of the posts until then."""
    platform = platform_of(arguments.posts, arguments.until)
    clock = Clock(platform.times[0].replace(minute=0))
    encoder = Remembering(load_encoder("", MODELS, 0, "cpu"), arguments.vectors)
    with database(clock.at, arguments.until) as store:
        rt = runtime_of(store, platform, encoder, clock)
        with store.transaction() as tx:
            applying.apply(tx, demo.codebook_text(), clock())
            feeds.add_feed(
                tx, source="platform", address="https://example.org", title="The month", now=clock(), interval_s=300
            )
        began = time.monotonic()
        live(rt, clock, arguments.until, stop)
        print(f"  {len(platform.posts):,} posts in {time.monotonic() - began:,.0f} s")
        encoder.keep()
        found = told(store)
        show(found)
        return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--posts", type=Path, required=True)
    parser.add_argument("--until", type=_moment, default=datetime(2016, 12, 16, tzinfo=UTC))
    parser.add_argument("--stop", type=_moment, default=datetime(2016, 12, 9, 6, tzinfo=UTC))
    parser.add_argument("--vectors", type=Path)
    arguments = parser.parse_args()
    print("heard without a break:")
    whole = month(arguments, None)
    print(f"nothing collected for six hours from {arguments.stop:%d %b %H:%M}, then all of it:")
    broken = month(arguments, arguments.stop)
    fall = [a for a in whole if a["kind"] == "burst" and FALL[0] <= a["onset"] < FALL[1]]
    known = {(a["kind"], a["frame"], a["onset"]) for a in whole}
    added = [a for a in broken if a["kind"] == "burst" and (a["kind"], a["frame"], a["onset"]) not in known]
    print(
        f"december: {len(fall)} alerts for 10 to 12 December (goal 1); bursts that the outage adds: {len(added)} (limit 0)"
    )


def _while_again(stage: Any) -> None:
    while stage().again:
        pass


def _none(*_: Any) -> Any:
    raise AssertionError("nobody is told anything here")


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


if __name__ == "__main__":
    main()
