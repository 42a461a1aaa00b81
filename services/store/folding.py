"""Deltas folded into trend points, and what is kept of points: steps, frames side by side, windows before the present.

Whoever writes here holds the lock (lock_fold): there is one folder at a time.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from services.store import trends
from services.store.pool import Connection, Row, columns, one, rows, run

_KEY = ("version_id", "frame", "bucket", "source", "lang")
_STEP = ("version_id", "frame", "step", "bucket")


def lock_fold(connection: Connection) -> bool:
    """Become the one folder until the transaction ends; False when another is."""
    return bool(one(connection, "folding", "lock_fold")["locked"])


def fold_deltas(connection: Connection, limit: int) -> list[Row]:
    """Add up to `limit` deltas to their points; the keys touched and how many deltas each took.

    Deltas of versions whose points are not built yet stay.
    """
    return rows(connection, "folding", "fold_deltas", limit=limit, but=unbuilt_points(connection))


def unbuilt_points(connection: Connection) -> list[int]:
    """Versions being built that have no point yet."""
    return [r["version_id"] for r in rows(connection, "folding", "unbuilt_points")]


def build_points(connection: Connection, version_id: int) -> None:
    """Make all points of such a version from what is scored, and their steps. Only the one folder may (lock_fold)."""
    without_timeout(connection)
    say_recounting(connection, "on")
    run(connection, "folding", "build_points", version_id=version_id)
    say_recounting(connection, "off")
    build_steps(connection, version_id)


def build_steps(connection: Connection, version_id: int) -> None:
    """Make all steps of a version from its points."""
    run(connection, "folding", "build_steps", version_id=version_id)
    build_rows(connection, version_id)


def build_rows(connection: Connection, version_id: int) -> None:
    """Set the steps of all frames side by side."""
    run(connection, "folding", "build_rows", version_id=version_id)


def without_timeout(connection: Connection) -> None:
    """Until the transaction ends, statements may take as long as they need."""
    run(connection, "folding", "without_timeout")


def recount_points(connection: Connection, touched: list[Row]) -> None:
    """Count units and authors of touched points again, and drop the points that became empty."""
    keys = columns([dict(t) for t in touched], *_KEY)
    say_recounting(connection, "on")
    run(connection, "folding", "recount_points", **keys)
    say_recounting(connection, "off")
    drop_empty_points(connection, keys)


def say_recounting(connection: Connection, said: str) -> None:
    """`on`: what changes points leaves their posts alone, or is followed by hand; `off`: steps must follow again."""
    run(connection, "folding", "say_recounting", said=said)


def drop_empty_points(connection: Connection, keys: dict[str, list[Any]]) -> None:
    """Points of zero posts are no points."""
    run(connection, "folding", "drop_empty_points", **keys)


def pending_delta(connection: Connection, version_id: int, since: datetime) -> datetime | None:
    """The earliest bucket at or after `since` that still has deltas to fold."""
    value: datetime | None = one(connection, "folding", "pending_delta", version_id=version_id, since=since)["bucket"]
    return value


def uncounted_steps(connection: Connection, before: datetime, limit: int, *, now: datetime) -> list[Row]:
    """Steps whose units and authors are to be counted: version_id, frame, step, bucket.

    Those over by `before`; and those that go on with more than AT_ONCE posts, if that was long enough before `now`.
    """
    return rows(connection, "folding", "uncounted_steps", before=before, limit=limit, now=now, at_once=trends.AT_ONCE)


def count_steps(connection: Connection, before: datetime, limit: int, *, now: datetime) -> int:
    """Count units and authors of such steps, `limit` at most; how many were. Only the one folder may (lock_fold)."""
    found = uncounted_steps(connection, before, limit, now=now)
    if found:
        run(connection, "folding", "count_steps", now=now, **columns([dict(f) for f in found], *_STEP))
    return len(found)


def count_windows(
    connection: Connection, hours: Sequence[int], *, until: datetime, stale: datetime, now: datetime
) -> None:
    """Count what every current frame has in the `hours` before `until`, where that is not kept or has changed.

    What changed and was counted after `stale` waits. Only the one folder may (lock_fold).
    """
    values = {"hours": list(hours), "until": until, "stale": stale, "now": now}
    run(connection, "folding", "count_windows", **values)
    drop_windows(connection)


def drop_windows(connection: Connection) -> None:
    """Forget what was kept for codebooks that are not current."""
    run(connection, "folding", "drop_windows")
