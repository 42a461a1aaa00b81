"""Reads which frames are on alert, for everybody who tells of frames. It words nothing, and writes nothing."""

from datetime import datetime

from services.analysis.conditions import Open
from services.store.pool import Connection, Row, rows

Key = tuple[str, str]
"""Codebook and frame."""


def open_alerts(connection: Connection) -> list[Row]:
    """Alerts of frames that go on: alert_id, codebook, frame, kind, onset, last_bucket, acked_at, snoozed_until."""
    return rows(connection, "conditions", "open_alerts")


def alerts_on(connection: Connection, wall: datetime) -> dict[Key, tuple[str, Open]]:
    """Of every frame that is on alert, the id of the alert that is told first, and what is to be told of it."""
    found: dict[Key, tuple[str, Open]] = {}
    for row in open_alerts(connection):
        found.setdefault((row["codebook"], row["frame"]), (row["alert_id"], as_open(row, wall)))
    return found


def as_open(row: Row, wall: datetime) -> Open:
    """An alert's row as what is told of it; a snooze that is over by now is not."""
    snoozed = row["snoozed_until"]
    until = snoozed if snoozed is not None and snoozed > wall else None
    return Open(row["kind"], row["onset"], row["last_bucket"], row["acked_at"] is not None, until)
