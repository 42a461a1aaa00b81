"""Posts: identity, text, edits, tombstones, and keys for lists."""

from collections.abc import Sequence
from datetime import date, datetime
from hashlib import sha256
from typing import Any

from schemas.records import StoredPost
from services.store import codebooks, labels
from services.store.pool import Connection, Row, columns, one, row, rows, run

_COLUMNS = (
    "native_id", "text", "text_hash", "unit_key", "published_at", "time_quality", "url", "author", "lang",
    "repost_of",
)  # fmt: skip


def ensure_post_partitions(connection: Connection, first_day: date, last_day: date) -> int:
    """Make the daily partitions of a period that are missing; how many were made."""
    made: int = one(connection, "posts", "ensure_post_partitions", first_day=first_day, last_day=last_day)["made"]
    return made


def insert_posts(
    connection: Connection, posts: Sequence[StoredPost], *, feed_id: int, source: str, received_at: datetime
) -> int:
    """Store the posts whose identity is new and queue them; how many were. Identities must be distinct."""
    if not posts:
        return 0
    values: dict[str, Any] = {name: [getattr(p, name) for p in posts] for name in _COLUMNS}
    values["content_hash"] = [content_hash(p) for p in posts]
    values["publishers"] = [" ".join(p.publishers) for p in posts]
    received_day = received_at.date()
    new: int = one(
        connection, "posts", "insert_posts", source=source, feed_id=feed_id, received_at=received_at,
        received_day=received_day, **values,
    )["new"]  # fmt: skip
    return new


def edit_posts(connection: Connection, posts: Sequence[StoredPost], *, source: str, received_at: datetime) -> int:
    """Bring known posts to their newest text and queue those that changed; how many did."""
    if not posts:
        return 0
    names = ("native_id", "text", "text_hash", "unit_key", "url")
    values: dict[str, Any] = {name: [getattr(p, name) for p in posts] for name in names}
    values["content_hash"] = [content_hash(p) for p in posts]
    values["publishers"] = [" ".join(p.publishers) for p in posts]
    edited: int = one(connection, "posts", "edit_posts", source=source, received_at=received_at, **values)["edited"]
    return edited


def delete_posts(
    connection: Connection, source: str, native_ids: Sequence[str], now: datetime, *, known_only: bool = False
) -> int:
    """Erase posts, take them out of every trend, and leave tombstones; how many texts went.

    With `known_only` nothing is written of posts that never came.
    """
    if not native_ids:
        return 0
    # Nobody may be writing scores of what goes: a range of stored posts is settled without locking each of them.
    codebooks.share_codebooks(connection)
    day = now.date()
    gone = rows(
        connection,
        "posts",
        "delete_posts",
        source=source,
        native_id=list(native_ids),
        received_day=day,
        now=now,
        known_only=known_only,
    )
    if gone:
        ids = [r["post_id"] for r in gone]
        unscore_posts(connection, ids)
        labels.forget_samples(connection, ids)
        labels.forget_labels(connection, ids)
    return len(gone)


def delete_author(connection: Connection, source: str, author: str, now: datetime) -> int:
    """Erase every post of an author (a pseudonym) of a source; how many went."""
    gone = 0
    while found := posts_of_author(connection, source, author):
        gone += delete_posts(connection, source, found, now)
    return gone


def posts_of_author(connection: Connection, source: str, author: str, limit: int = 2_000) -> list[str]:
    """Identities of an author's posts, `limit` at most."""
    found = rows(connection, "posts", "posts_of_author", source=source, author=author, limit=limit)
    return [r["native_id"] for r in found]


def deny_author(connection: Connection, source: str, author: str, now: datetime) -> None:
    """From now on nothing of this author (a pseudonym) is taken in."""
    run(connection, "posts", "deny_author", source=source, author=author, now=now)


def find_denied(connection: Connection, source: str, authors: Sequence[str]) -> set[str]:
    """Those of `authors` of whom nothing is taken in."""
    return {r["author"] for r in rows(connection, "posts", "find_denied", source=source, author=list(authors))}


def unchecked_posts(
    connection: Connection, source: str, day: date, *, before: datetime, limit: int, carrying_only: bool = False
) -> list[tuple[str, str]]:
    """(native_id, url) of posts received on `day` that nobody looked for since `before`; carriers of frames first."""
    values = {"source": source, "day": day, "before": before, "limit": limit, "carrying_only": carrying_only}
    found = rows(connection, "posts", "unchecked_posts", **values)
    return [(r["native_id"], r["url"]) for r in found]


def mark_checked(connection: Connection, source: str, native_ids: Sequence[str], now: datetime) -> None:
    """These posts were looked for at their source."""
    run(connection, "posts", "mark_checked", source=source, native_id=list(native_ids), now=now)


def unscore_posts(connection: Connection, post_ids: Sequence[int]) -> None:
    """Take posts out of scores, frames and trends, whatever the version."""
    run(connection, "posts", "unscore_posts", post_id=list(post_ids))


def days_received(connection: Connection, since: datetime, until: datetime) -> list[date]:
    """The days on which posts published in a period came in, perhaps more: the partitions that may hold them."""
    return [r["received_day"] for r in rows(connection, "posts", "days_received", since=since, until=until)]


def newest_posts(connection: Connection, **asked: Any) -> list[Row]:
    """received_day, post_id and published_at of posts of a period (since, until), newest first."""
    days = days_received(connection, asked["since"], asked["until"])
    return rows(connection, "posts", "newest_posts", days=days, **asked)


def newest_posts_that_say(connection: Connection, **asked: Any) -> list[Row]:
    """The same of posts with the words `q`: as slow as there are many in the period."""
    days = days_received(connection, asked["since"], asked["until"])
    return rows(connection, "posts", "newest_posts_that_say", days=days, **asked)


def newest_carriers_that_say(connection: Connection, **asked: Any) -> list[Row]:
    """The same of posts that carry a frame: as slow as many of its posts on these days have the words."""
    return rows(connection, "posts", "newest_carriers_that_say", **asked)


def span_of_carriers(connection: Connection, **asked: Any) -> tuple[datetime, datetime] | None:
    """When in a period the first and the last post was published that carries a frame; None where none does."""
    found = one(connection, "posts", "span_of_carriers", **asked)
    return (found["first"], found["last"]) if found["first"] else None


def newest_carriers(connection: Connection, **asked: Any) -> list[Row]:
    """post_id and published_at of posts that carry a frame, newest first."""
    return rows(connection, "posts", "newest_carriers", **asked)


def keys_of_posts(connection: Connection, found: Sequence[Row]) -> list[Row]:
    """The same with received_day."""
    return rows(connection, "posts", "keys_of_posts", **columns([dict(f) for f in found], "post_id", "published_at"))


def posts_by_key(connection: Connection, version_id: int | None, keys: Sequence[Row]) -> list[Row]:
    """The posts of such keys that are there, newest first, with their frames under a version."""
    if not keys:
        return []
    days = [k["received_day"] for k in keys]
    values = {"days": days, "post_id": [k["post_id"] for k in keys], "partitions": sorted(set(days))}
    return rows(connection, "posts", "posts_by_key", version_id=version_id, **values)


def newer_posts(connection: Connection, **filters: Any) -> list[Row]:
    """published_at and post_id of posts after one (after, after_id), nearest first; filters: source, lang, limit."""
    return rows(connection, "posts", "newer_posts", **filters)


def newer_posts_of_frame(connection: Connection, **filters: Any) -> list[Row]:
    """The same of posts that carry a frame: version_id, frame."""
    return rows(connection, "posts", "newer_posts_of_frame", **filters)


def read_post(connection: Connection, post_id: int, version_id: int | None) -> Row | None:
    """One post with its frames under a version, and the model_id that scored it (None before that)."""
    return row(connection, "posts", "read_post", post_id=post_id, version_id=version_id)


def content_hash(post: StoredPost) -> bytes:
    """16 bytes, equal for posts that say the same."""
    return sha256(f"{post.text}\0{post.url}".encode("utf-8", "replace")).digest()[:16]
