"""A database as it stands after the replay of the bundled posts, their frames taken from the labels, not a model."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from schemas import codebook as codebook_file
from schemas.records import StoredPost
from services.analysis.duplicates import unit_key
from services.analysis.identity import pseudonym
from services.analysis.intake import Intake
from services.analysis.text import text_hash
from services.store import codebooks, counts, feeds, folding, posts, queue, scores
from services.store.pool import Store
from workers.runtime import Runtime
from workers.stages.detect import detect

DEMO = Path(__file__).parents[2] / "services" / "demo"
NOW = datetime.now(UTC).replace(microsecond=0)
MODEL = "labels"
STAGES = ("collect", "classify", "rollup", "detect", "deliver", "digest")
SMALL = """
codebook: small
title: A small one
frames:
  - {id: one, title: One, description: D., examples: [a]}
  - {id: two, title: Two, description: D., examples: [b]}
"""
"""A codebook of two frames, for what reads counts alone."""


def post(native_id, text, at, **other):
    about = {"url": "", "author": "somebody", "lang": "en", "time_quality": "stated", "repost_of": ""} | other
    keys = {"text_hash": text_hash(text), "unit_key": unit_key(text)}
    return StoredPost(native_id=native_id, text=text, published_at=at, **keys, **about)


def add_codebook(store, body=None, now=NOW):
    body = (DEMO / "palmyra-2016.yaml").read_text() if body is None else body
    book = codebook_file.parse(body)
    with store.transaction() as tx:
        about = {"codebook": book.codebook, "title": book.title, "body": body}
        version_id, _ = codebooks.add_codebook(tx, **about, state="current", now=now)
        codebooks.add_frames(
            tx, version_id, [{"id": f.id, "title": f.title, "description": f.description} for f in book.frames]
        )
        codebooks.add_heads(tx, version_id, scores.register_model(tx, MODEL), b"", now)
    return version_id


def add_posts(store, feed_id, told, *, source="jsonl", now=NOW):
    """Store posts, given as (StoredPost, frames), scored under every current codebook; fold their trends."""
    frames = {p.native_id: carried for p, carried in told}
    with store.transaction() as tx:
        posts.ensure_post_partitions(tx, now.date(), now.date() + timedelta(days=14))
        posts.insert_posts(tx, [p for p, _ in told], feed_id=feed_id, source=source, received_at=now)
        names = {r["post_id"]: r["native_id"] for r in tx.execute("select post_id, native_id from post_keys")}
    with store.transaction() as tx:
        while claimed := queue.claim_posts(tx, limit=1000, lease=timedelta(minutes=1)):
            queue.settle_posts(tx, claimed)
            for version in codebooks.current_codebooks(tx):
                model_id = scores.register_model(tx, MODEL)
                scores.unscore_version(tx, version["version_id"], [p.post_id for p in claimed])
                scores.add_scores(tx, version["version_id"], model_id, _said(claimed, names, frames))
    fold(store)


def _said(claimed, names, frames):
    carried = [(p.post_id, frame) for p in claimed for frame in frames[names[p.post_id]]]
    return {
        "post_id": [p.post_id for p in claimed],
        "probabilities": ["{0.5}" for _ in claimed],
        "uncertain": ["{}" for _ in claimed],
        "carried_post_id": [post_id for post_id, _ in carried],
        "carried_frame": [frame for _, frame in carried],
        "carried_probability": [0.9 for _ in carried],
    }


def fold(store):
    with store.transaction() as tx:
        folding.lock_fold(tx)
        touched = folding.fold_deltas(tx, 100_000)
        if touched:
            folding.recount_points(tx, touched)


def runtime(store, now=NOW):
    def none(*_):
        raise NotImplementedError

    return Runtime(
        store=store, source=none, stream=none, gone=none, channel=none, encoder=none, learn=none, read_heads=none, wordings=none,
        intake=Intake(b"k" * 16, none), now=lambda: now, chance=lambda: 0.5,
    )  # fmt: skip


def ticked(store, now=NOW, stages=STAGES):
    with store.transaction() as tx:
        for stage in stages:
            about = {"rows": 7, "failures": 1, "fenced_off": 2, "seconds": 1.5, "error": None}
            counts.record_run(tx, stage, **about, now=now)


def seed_palmyra(store: Store, until="2017") -> None:
    """The replay up to a day, heard throughout but for a gap of 18 hours, judged, with its alerts raised."""
    add_codebook(store)
    lines = (DEMO / "palmyra-2016.jsonl").read_text().splitlines()
    lines = [line for line in lines if json.loads(line)["published_at"] < until]
    told = []
    for line in map(json.loads, lines):
        at = datetime.fromisoformat(line["published_at"])
        author = pseudonym(b"k" * 16, "jsonl", line.get("author", ""))
        told.append(
            (post(line["id"], line["text"], at, url=line["url"], author=author, lang=line["lang"]), line["frames"])
        )
    first, last = told[0][0].published_at, told[-1][0].published_at
    gap = first.replace(hour=6, minute=0, second=0) + timedelta(days=4)
    with store.transaction() as tx:
        feed_id, _ = feeds.add_feed(
            tx, source="jsonl", address="palmyra-2016.jsonl", title="Palmyra, December 2016", now=NOW, interval_s=5,
            clock="feed",
        )  # fmt: skip
        feeds.extend_expected(tx, feed_id, first, last)
        feeds.add_heard(tx, feed_id, first, gap)
        feeds.add_heard(tx, feed_id, gap + timedelta(hours=18), last)
        (claimed,) = feeds.claim_feeds(tx, limit=1, lease=timedelta(minutes=1))
        settled = {"cursor": {}, "heard_until": last, "title": "", "now": NOW, "next_fetch_at": NOW, "failures": 0}
        feeds.settle_feed(tx, claimed, **settled, reason=None, error=None, ended=True)
        feeds.add_intake(tx, feed_id, {"fetched": len(told), "new": len(told), "dropped:no_text": 0})
    add_posts(store, feed_id, told)
    for _ in range(4):
        detect(runtime(store))
        with store.transaction() as tx:
            tx.execute("update watches set lease_until = null")
    ticked(store, NOW + timedelta(days=1))


@pytest.fixture(scope="session")
def palmyra(postgres_url, template):
    """The address of a database seeded once, to be read only."""
    name = "palmyra_2016"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        there = connection.execute("select 1 from pg_database where datname = %s", (name,)).fetchone()
        if not there:
            connection.execute(f"create database {name} template {template}")
    url = postgres_url.replace("/framewatch?", f"/{name}?")
    if not there:
        store = Store(url, name="seeding")
        seed_palmyra(store)
        store.close()
    return url
