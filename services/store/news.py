"""What is new for whoever listens: moves of alerts in an order to go on from, and the newest trend points."""

from datetime import datetime

from services.store.pool import Connection, Row, row, rows

Position = tuple[str, int]
"""Where a listener is: a transaction and a move."""


def last_move(connection: Connection) -> Position:
    """The position of who wants nothing of the past."""
    found = row(connection, "news", "last_move")
    return (found["xid"], found["move_id"]) if found else ("0", 0)


def moves_since(connection: Connection, position: Position, limit: int = 500) -> list[Row]:
    """Moves after a position, oldest first: xid, move_id, move, and the alert in short as it is now.

    None is passed over: a move counts once nothing that began before it can still commit.
    """
    xid, move_id = position
    return rows(connection, "news", "moves_since", xid=xid, move_id=move_id, limit=limit)


def newest_points(connection: Connection, since: datetime, until: datetime) -> list[Row]:
    """codebook, version, frame, bucket and posts of the current frames ('*' is all posts) in a short period."""
    return rows(connection, "news", "newest_points", since=since, until=until)
