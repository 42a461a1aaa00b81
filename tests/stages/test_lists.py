"""Lists of posts are complete and in order, however far back they go and whenever the posts came in."""

import random
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from services.store import counts, feeds, listings, posts
from tests.api import seeded

NOW = datetime(2026, 3, 5, 12, 2, tzinfo=UTC)
DAY = timedelta(days=1)
BOOK = """
codebook: small
title: A small one
frames:
  - {id: one, title: One, description: D., examples: [a]}
"""


@pytest.fixture
def dated(store):
    """When each post was published: of forty days, some dense, most thin; a third came in days later."""
    seeded.add_codebook(store, BOOK, NOW)
    with store.transaction() as tx:
        feed_id, _ = feeds.add_feed(tx, source="rss", address="a", title="", now=NOW, interval_s=60)
        posts.ensure_post_partitions(tx, (NOW - 50 * DAY).date(), NOW.date())
    found = {}
    for i in range(90):
        back = timedelta(minutes=i * i * 7 % 58_000) if i > 20 else timedelta(minutes=i)
        found[f"p{i}"] = NOW - back
    for back in range(0, 48, 6):
        received = NOW - back * DAY
        told = [
            (
                seeded.post(
                    name, f"{('red', 'blue')[i % 2]} {i} {'gold' * (i % 15 == 0)}", at, lang=("en", "ru")[i % 4 == 0]
                ),
                ["one"] * (i % 3 == 0),
            )
            for i, (name, at) in enumerate(found.items())
            if _received(i, at) == received
        ]
        seeded.add_posts(store, feed_id, told, source="rss", now=received)
    return found


def _received(number, at):
    """Some at once, some many days after they were published."""
    back = (NOW - at) // DAY // 6 * 6
    return NOW - (back // (1 + number % 3) // 6 * 6) * DAY


def listed(store, **asked):
    """The native ids of all pages."""
    found, position = [], {"before": None, "before_id": None}
    while True:
        with store.transaction() as tx:
            page = listings.read_posts(tx, NOW, limit=7, since=NOW - 45 * DAY, **asked, **position).posts
        found += [p.native_id for p in page]
        if len(page) < 7:
            return found
        position = {"before": page[-1].published_at, "before_id": page[-1].post_id}


WORDS = {None: 1, "red": 2, "gold": 15, "silver": 1_000}
"""Every how many-th post has a word."""


def test_every_post_is_listed_once_newest_first(store, dated):
    for frame, (q, every), lang in product((None, "one"), WORDS.items(), (None, "ru")):
        wanted = [
            n
            for i, n in enumerate(dated)
            if (frame is None or i % 3 == 0) and (i % every == 0 and every < 1_000) and (lang is None or i % 4 == 0)
        ]
        found = listed(store, frame=frame, **{k: v for k, v in (("q", q), ("lang", lang)) if v})
        assert sorted(found) == sorted(wanted), (frame, q, lang)
        assert [dated[n] for n in found] == sorted((dated[n] for n in wanted), reverse=True)


def test_words_of_a_frame_are_understood_as_words_of_all_posts_are(store, dated):
    """Whatever somebody types: what is found of a frame is what its posts say by the parser's own account."""
    dice = random.Random(5)
    parts = (
        "red",
        "blue",
        "GOLD",
        "goldgoldgold",
        "-red",
        "-gold",
        "or",
        '"red 6"',
        '"6 red"',
        "7",
        "§1:one:9500",
        "&",
        "'",
    )
    asked = {" ".join(dice.choices(parts, k=dice.randint(1, 3))) for _ in range(60)} | {"", "§", "!!", "-", '"'}
    with store.transaction() as tx:
        carriers = listings.read_posts(tx, NOW, limit=90, since=NOW - 45 * DAY, frame="one").posts
        for q in sorted(asked):
            wanted = [
                p.native_id
                for p in carriers
                if tx.execute(
                    "select to_tsvector('simple', %s) @@ websearch_to_tsquery('simple', %s) as said", [p.text, q]
                ).fetchone()["said"]
            ]
            found = listings.read_posts(tx, NOW, limit=90, since=NOW - 45 * DAY, frame="one", q=q).posts
            assert [p.native_id for p in found] == wanted, q


def test_words_of_a_frame_follow_edits_and_deletions(store, dated):
    edited = seeded.post("p3", "green", dated["p3"])
    with store.transaction() as tx:
        feed_id = feeds.list_feeds(tx)[0]["feed_id"]
        posts.edit_posts(tx, [edited], source="rss", received_at=NOW)
        posts.delete_posts(tx, "rss", ["p6"], NOW)
    seeded.add_posts(store, feed_id, [(edited, ["one"])], source="rss", now=NOW)
    assert listed(store, frame="one", q="green") == ["p3"]
    assert not {"p3", "p6"} & set(listed(store, frame="one", q="red or blue"))
    with store.transaction() as tx:
        assert counts.words_identity(tx)["drifted"] == 0


def test_a_post_of_tomorrow_is_listed_unless_an_end_is_named(store, dated):
    with store.transaction() as tx:
        feed_id = feeds.list_feeds(tx)[0]["feed_id"]
    seeded.add_posts(store, feed_id, [(seeded.post("soon", "red", NOW + DAY), [])], source="rss", now=NOW + DAY)
    assert listed(store)[0] == "soon"
    assert listed(store, q="red")[0] == "soon"
    assert listed(store, until=NOW + timedelta(minutes=1))[0] == "p0"
