"""What happened to an alert after it began: its moves, messages and the mutes it met, as one story. It reads only."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from services.analysis.following import Step, follow
from services.store.pool import Connection, Row, row, rows


def history(connection: Connection, alert: Mapping[str, Any]) -> tuple[Step, ...]:
    """Every step of an alert, oldest first by the clock; its row: alert_id, frame, feed_id, raised_at, resolved_at."""
    alert_id, about = alert["alert_id"], {k: alert[k] for k in ("frame", "feed_id")}
    mutes = mutes_about(connection, **about, since=alert["raised_at"], before=alert["resolved_at"])
    return follow(moves_of_alert(connection, alert_id), messages_of_alert(connection, alert_id), mutes)


def moves_of_alert(connection: Connection, alert_id: str) -> list[Row]:
    """What became of it: move, at, moved_by, why, until."""
    return rows(connection, "histories", "moves_of_alert", alert_id=alert_id)


def messages_of_alert(connection: Connection, alert_id: str) -> list[Row]:
    """Its messages: step, channel, state, reason, last_error, attempts and times."""
    return rows(connection, "histories", "messages_of_alert", alert_id=alert_id)


def mutes_about(
    connection: Connection, *, frame: str | None, feed_id: int | None, since: datetime, before: datetime | None
) -> list[Row]:
    """Mutes of its frame or feed that stood at any time of a period."""
    return rows(connection, "histories", "mutes_about", frame=frame, feed_id=feed_id, since=since, before=before)


def techniques_of(connection: Connection, version_id: int, frame: str) -> tuple[str, ...]:
    """The DISARM techniques that a frame serves, as its codebook said."""
    found = row(connection, "histories", "techniques_of", version_id=version_id, frame=frame)
    return tuple((found or {}).get("techniques") or ())
