"""Readers of digests, the messages to them, and what only digests ask of the stored posts."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from psycopg.types.json import Jsonb

from services.store.pool import Connection, Row, one, row, rows, run


def remove_digest(connection: Connection, digest: str) -> bool:
    """Forget a digest, its slots and who left it; False when there is none."""
    return row(connection, "digests", "remove_digest", digest=digest) is not None


def add_readers(connection: Connection, digest: str, channels: Sequence[str] | None) -> None:
    """Know everybody that the enabled channels (these, or all) write to by address as a reader of the digest."""
    run(connection, "digests", "add_readers", digest=digest, channels=None if channels is None else list(channels))


def addressees(connection: Connection, digest: str, channels: Sequence[str] | None) -> list[Row]:
    """Whom a digest goes to: channel_id, name, and of people reader (their address), reader_id, unsubscribed_at."""
    names = None if channels is None else list(channels)
    return rows(connection, "digests", "addressees", digest=digest, channels=names)


def add_delivery(connection: Connection, message_id: str, **values: Any) -> None:
    """One message of a digest; nothing when there is one of this id.

    `values`: digest, slot, channel_id, reader, state, reason, subject, data, now.
    """
    data: Mapping[str, Any] = values.pop("data")
    run(connection, "digests", "add_delivery", message_id=message_id, data=Jsonb(dict(data)), **values)


def list_readers(connection: Connection, digest: str | None = None) -> list[Row]:
    """Readers known of one digest or all: digest, address, unsubscribed_at, sent_at (the last mail)."""
    return rows(connection, "digests", "list_readers", digest=digest)


def find_reader(connection: Connection, reader_id: int) -> Row | None:
    """One reader: digest, address, unsubscribed_at; None when the digest is gone."""
    return row(connection, "digests", "find_reader", reader_id=reader_id)


def unsubscribe(connection: Connection, reader_id: int, now: datetime) -> Row | None:
    """Send a reader nothing more of their digest, not even what waits already; None when there is no such reader."""
    return row(connection, "digests", "unsubscribe", reader_id=reader_id, now=now)


def resubscribe(connection: Connection, digest: str, address: str) -> bool:
    """Write to a reader again who had left; False when nobody of this address had."""
    return row(connection, "digests", "resubscribe", digest=digest, address=address) is not None


def alerts_told(connection: Connection, digest: str, slot: datetime) -> frozenset[str] | None:
    """Ids of the alerts that the digest of a slot told of; None where that slot was not filled."""
    found = row(connection, "digests", "alerts_told", digest=digest, slot=slot)
    return frozenset(found["alert_ids"]) if found else None


def alerts_with_evidence(connection: Connection, since: datetime, until: datetime, *, calm: timedelta) -> list[Row]:
    """Alerts that were going on in a period, with their evidence, the oldest first; and those whose end, `calm` after
    their last bucket, was in it.
    """
    return rows(connection, "digests", "alerts_with_evidence", since=since, until=until, calm=calm)


def new_publishers(connection: Connection, *, limit: int, **period: Any) -> list[Row]:
    """Publishers new to a frame in a period, up to `limit` a frame: frame, name, posts, first_at, publishers (all)."""
    return rows(connection, "digests", "new_publishers", limit=limit, **period)


def new_authors(connection: Connection, **period: Any) -> list[Row]:
    """By frame: authors in the period, and how many of them are `fresh`: not heard with it since the horizon."""
    return rows(connection, "digests", "new_authors", **period)


def heard_before(connection: Connection, *, version_id: int, horizon: datetime, since: datetime) -> bool:
    """Whether posts from before the period were scored, as far back as the horizon."""
    values = {"version_id": version_id, "horizon": horizon, "since": since}
    return bool(one(connection, "digests", "heard_before", **values)["heard"])


def posts_carrying(connection: Connection, *, version_id: int, since: datetime, until: datetime) -> int:
    """Posts of a period that carry a frame or more, each once."""
    values = {"version_id": version_id, "since": since, "until": until}
    return int(one(connection, "digests", "posts_carrying", **values)["posts"])
