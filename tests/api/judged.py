"""A few posts that went through the real classify stage, with the meaningless quick model and a small codebook."""

from dataclasses import replace
from datetime import timedelta

from schemas.records import StoredPost
from services.analysis.text import text_for_encoder
from services.classifier import Heads, learn_codebook
from services.classifier.noop import NoopEncoder
from services.classifier.wording import packed
from services.store import applying, feeds, posts
from services.store.pool import Store
from tests.api import seeded
from workers.stages.classify import classify

HOSTILE = "<script>alert(1)</script> \"'><img src=x onerror=alert(2)> {{ 7777*7777 }} שלום مرحبا \u202e"
TEXTS = {
    "show": "The battle was a theatre for the cameras",
    "arabic": "مسرحية رخيصة: دخلوا المدينة أمام الكاميرات",
    "hostile": HOSTILE,
    "emoji": "🎭",
}
BOOK = f"""
codebook: small
title: A small one
frames:
  - id: show
    title: A show
    description: It is all staged.
    threshold: 0.5
    examples: ["{TEXTS["show"]}", a stage set, another theatre]
    counterexamples: ["a play by Chekhov <img src=y>"]
  - {{id: other, title: Something else, description: Else., examples: [an example of the other], threshold: 0.5}}
background: [lentil soup, rain tomorrow]
"""


def seed(store: Store, *, classified: bool = True) -> dict[str, int]:
    """Our numbers of the posts by their own."""
    now = seeded.NOW
    with store.transaction() as tx:
        applying.apply(tx, BOOK, now)
        feed_id, _ = feeds.add_feed(tx, source="rss", address="a", title="", now=now, interval_s=60)
        posts.ensure_post_partitions(tx, now.date(), now.date() + timedelta(days=2))
        told: list[StoredPost] = [seeded.post(name, text, now, lang="und") for name, text in TEXTS.items()]
        posts.insert_posts(tx, told, feed_id=feed_id, source="rss", received_at=now)
        numbers = {r["native_id"]: r["post_id"] for r in tx.execute("select post_id, native_id from post_keys")}
    if classified:
        run(store)
    return numbers


def run(store: Store) -> None:
    """One run of the classify stage."""
    classify(
        replace(
            seeded.runtime(store),
            encoder=NoopEncoder,
            learn=lambda encoder, book, _: learn_codebook(encoder, book, text_for_encoder),
            read_heads=Heads.from_bytes,
            wordings=packed,
        )
    )
