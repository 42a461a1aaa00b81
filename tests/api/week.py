"""A week of posts under a small codebook, some of which carry its frame, and the samples drawn of it."""

from datetime import UTC, datetime, timedelta

from services.store import draws, feeds
from services.store.pool import Store
from tests.api import seeded

BOOK = """
codebook: toy
title: Toy
frames:
  - {id: show, title: A show, description: It is all staged., examples: [a stage set]}
  - {id: bread, title: Bread, description: Bread is dear., examples: [the price of bread]}
"""
MONDAY = datetime(2016, 12, 5, tzinfo=UTC)


def seed_week(store: Store, posts: int = 30, carrying: int = 12, *, draw: bool = True) -> None:
    """The first so many posts carry the frame `show`."""
    seeded.add_codebook(store, BOOK)
    with store.transaction() as tx:
        feed_id, _ = feeds.add_feed(
            tx, source="jsonl", address="a", title="", now=seeded.NOW, interval_s=5, clock="feed"
        )  # fmt: skip
        feeds.add_heard(tx, feed_id, MONDAY, MONDAY + timedelta(days=8))
        tx.execute("update feeds set heard_until = %s", [MONDAY + timedelta(days=8)])
    told = [
        (seeded.post(str(n), text(n), MONDAY + timedelta(hours=n)), ["show"] if n < carrying else [])
        for n in range(posts)
    ]
    seeded.add_posts(store, feed_id, told)
    if draw:
        with store.transaction() as tx:
            assert draws.draw_last_week(tx, seeded.NOW, 1) == 2


def text(number: int) -> str:
    """No near copy of another number's."""
    return f"number {number} of the week, {number * 7919} in words"
