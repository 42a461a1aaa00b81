"""The queue of posts to be scored: leased by fence, parked when poisonous."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from schemas.records import QueuedPost
from services.store.pool import Connection, one, rows, run


def claim_posts(connection: Connection, *, limit: int, lease: timedelta) -> list[QueuedPost]:
    """Up to `limit` posts, leased to the caller; fewer when a worker died on them before."""
    return [QueuedPost(**r) for r in rows(connection, "queue", "claim_posts", limit=limit, lease=lease)]


def park_poison(connection: Connection, *, attempts: int, reason: str) -> int:
    """Set aside posts that were claimed `attempts` times and never settled; how many."""
    return len(rows(connection, "queue", "park_poison", attempts=attempts, reason=reason))


def release_posts(connection: Connection, posts: Sequence[QueuedPost]) -> None:
    """Give claimed posts back at once."""
    if posts:
        run(
            connection,
            "queue",
            "release_posts",
            post_id=[p.post_id for p in posts],
            fence=[p.fence for p in posts],
        )


def settle_posts(connection: Connection, posts: Sequence[QueuedPost]) -> set[int]:
    """Take posts off the queue; the ids that were still ours, the only ones that may be written about."""
    if not posts:
        return set()
    values = {"post_id": [p.post_id for p in posts], "fence": [p.fence for p in posts]}
    return {r["post_id"] for r in rows(connection, "queue", "settle_posts", **values)}


def unpark_posts(connection: Connection) -> int:
    """Give parked posts another chance; how many."""
    return len(rows(connection, "queue", "unpark_posts"))


def oldest_queued(connection: Connection, since: datetime) -> datetime | None:
    """The earliest event time at or after `since` that still waits to be scored."""
    value: datetime | None = one(connection, "queue", "oldest_queued", since=since)["published_at"]
    return value
