"""Senders of the feeds that are sent to us: the hours they sent in, and those that have fallen silent."""

from collections.abc import Sequence
from datetime import datetime

from services.store.pool import Connection, Row, row, rows, run


def note_sent(connection: Connection, feed_id: int, now: datetime) -> None:
    """Posts were sent to the feed now."""
    run(connection, "senders", "note_sent", feed_id=feed_id, hour=_hour(now))


def note_there(connection: Connection, now: datetime) -> Sequence[int]:
    """We are there to be sent to; the feeds of which that was not known in this hour."""
    return [r["feed_id"] for r in rows(connection, "senders", "note_there", hour=_hour(now))]


def sender_hours(connection: Connection, feed_id: int, since: datetime) -> list[Row]:
    """The hours from `since` on in which a feed could be sent posts: hour, sent."""
    return rows(connection, "senders", "sender_hours", feed_id=feed_id, since=since)


def hold_sender(connection: Connection, feed_id: int) -> datetime | None:
    """When an enabled feed was last sent posts, held until the transaction ends; None for never."""
    held = row(connection, "senders", "hold_sender", feed_id=feed_id)
    return held["heard_until"] if held else None


def warn_of_sender(connection: Connection, feed_id: int, warning: str | None) -> None:
    """What is odd about a sender; None: nothing any more."""
    run(connection, "senders", "warn_of_sender", feed_id=feed_id, warning=warning)


def end_stay(connection: Connection, feed_id: int, ends_at: datetime) -> None:
    """The sender is taken to be there until then, and no longer."""
    run(connection, "senders", "end_stay", feed_id=feed_id, ends_at=ends_at)


def forget_hours(connection: Connection, before: datetime) -> None:
    """Forget hours that nobody looks at any more."""
    run(connection, "senders", "forget_hours", before=before)


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)
