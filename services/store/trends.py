"""Trend points: folding deltas into them, and reading them at any step."""

from datetime import datetime, timedelta
from typing import Any

from services.store.pool import Connection, Row, columns, one, rows, run

_KEY = ("version_id", "frame", "bucket", "source", "lang")


def lock_fold(connection: Connection) -> bool:
    """Become the one folder until the transaction ends; False when another is."""
    return bool(one(connection, "trends", "lock_fold")["locked"])


def fold_deltas(connection: Connection, limit: int) -> list[Row]:
    """Add up to `limit` deltas to their points; the keys touched and how many deltas each took."""
    return rows(connection, "trends", "fold_deltas", limit=limit)


def recount_points(connection: Connection, touched: list[Row]) -> None:
    """Count units and authors of touched points again, and drop the points that became empty."""
    keys = columns([dict(t) for t in touched], *_KEY)
    run(connection, "trends", "recount_points", **keys)
    drop_empty_points(connection, keys)


def drop_empty_points(connection: Connection, keys: dict[str, list[Any]]) -> None:
    """Points of zero posts are no points."""
    run(connection, "trends", "drop_empty_points", **keys)


def pending_delta(connection: Connection, version_id: int, since: datetime) -> datetime | None:
    """The earliest bucket at or after `since` that still has deltas to fold."""
    value: datetime | None = one(connection, "trends", "pending_delta", version_id=version_id, since=since)["bucket"]
    return value


def trend(
    connection: Connection, *, version_id: int, frame: str, since: datetime, until: datetime, step: timedelta,
    source: str | None = None, lang: str | None = None,
) -> list[Row]:  # fmt: skip
    """(at, posts, units, authors) of one frame, or '*' for all posts, by step; empty steps are left out."""
    values = {"since": since, "until": until, "step": step, "source": source, "lang": lang}
    return rows(connection, "trends", "trend", version_id=version_id, frame=frame, **values)


def frame_totals(connection: Connection, version_id: int, since: datetime, until: datetime) -> list[Row]:
    """Posts, units and authors of every frame in a period."""
    return rows(connection, "trends", "frame_totals", version_id=version_id, since=since, until=until)


def posts_scored(connection: Connection, version_id: int, since: datetime, until: datetime) -> int:
    """All posts scored in a period: what shares are shares of."""
    found = one(connection, "trends", "posts_scored", version_id=version_id, since=since, until=until)
    return int(found["posts"])


def first_bucket(connection: Connection, version_id: int) -> datetime | None:
    """Where the trend of a codebook begins."""
    value: datetime | None = one(connection, "trends", "first_bucket", version_id=version_id)["bucket"]
    return value
