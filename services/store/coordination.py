"""Reads what tells whether many accounts acted as one."""

from datetime import datetime, timedelta

from services.store.pool import Connection, Row, one, rows


def same_texts(
    connection: Connection, *, version_id: int, frame: str, since: datetime, until: datetime, authors: int
) -> list[Row]:
    """Posts whose text at least `authors` accounts posted: unit_key, author, published_at, post_id, fresh."""
    about = {"version_id": version_id, "frame": frame, "since": since, "until": until, "authors": authors}
    return rows(connection, "coordination", "same_texts", **about)


def usual_fresh(connection: Connection, at: datetime) -> float:
    """Part of the authors of the day of `at` that were never seen before it, 0 to 1; 1 when there were none."""
    day = at.replace(hour=0, minute=0, second=0, microsecond=0)
    values = {"since": day, "until": day + timedelta(days=1), "day": day}
    return float(one(connection, "coordination", "usual_fresh", **values)["fresh"])
