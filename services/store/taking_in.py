"""Takes a page in: posts, edits, deletions, and what became of each, inside the caller's transaction."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from schemas.records import Page, StoredPost
from services.store import feeds, posts, units
from services.store.pool import Connection


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a page's posts; they were all new, known or refused."""

    new: int
    edited: int
    known: int
    """Had before, edited or not."""
    refused: int
    """By authors of whom nothing is taken in."""


def take_in(
    connection: Connection, page: Page, rows: Sequence[StoredPost], *, feed_id: int, source: str,
    gone_authors: Sequence[str], received_at: datetime,
) -> Taken:  # fmt: skip
    """Store `rows`, which are the distinct posts of `page`; delete what it says is gone; count all of it.

    `gone_authors` are the pseudonyms of page.deleted_authors.
    """
    denied = posts.find_denied(connection, source, sorted({r.author for r in rows if r.author}))
    taken = [r for r in rows if r.author not in denied]
    fresh = units.find_fresh(connection, source, {r.native_id: posts.content_hash(r) for r in taken})
    changed = [r for r in taken if r.native_id in fresh]
    chosen = units.choose_units(connection, changed, source, received_at.date())
    new = posts.insert_posts(connection, chosen.posts, feed_id=feed_id, source=source, received_at=received_at)
    known = len(taken) - new
    edited = 0
    if len(changed) > new:
        edited = posts.edit_posts(connection, chosen.posts, source=source, received_at=received_at)
    erased = posts.delete_posts(
        connection, source, page.deleted, received_at, known_only=page.deleted_in_order
    )  # fmt: skip
    erased += sum(posts.delete_author(connection, source, author, received_at) for author in gone_authors if author)
    units.remember(connection, chosen, source, received_at.date())
    refused = len(rows) - len(taken)
    twice = len(page.posts) - len(rows)
    dropped = {f"dropped:{reason}": n for reason, n in page.dropped.items()}
    dropped["dropped:denied_author"] = dropped.get("dropped:denied_author", 0) + refused
    cleaned = Counter(f"cleaned:{change}" for post in page.posts for change in post.cleaned)
    fetched = len(page.posts) + sum(page.dropped.values())
    told = {"fetched": fetched, "new": new, "duplicate": known + twice, "edited": edited, "erased": erased}
    told |= {**dropped, **cleaned}
    feeds.add_intake(connection, feed_id, told)
    return Taken(new=new, edited=edited, known=known, refused=refused)
