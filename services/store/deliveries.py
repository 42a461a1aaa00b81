"""The outbox, the channels it empties into, and the digests that fill it."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from psycopg.types.json import Jsonb

from schemas.records import DueDelivery, Notice
from services.store.pool import Connection, Row, row, rows, run


def add_deliveries(
    connection: Connection, notice: Notice, *, now: datetime, alert_id: str | None = None,
    digest: str | None = None, slot: datetime | None = None,
) -> None:  # fmt: skip
    """One row for each enabled channel; one silenced row when there is none."""
    values = {"message_id": notice.message_id, "kind": notice.kind, "subject": notice.subject, "now": now}
    about = {"alert_id": alert_id, "digest": digest, "slot": slot}
    run(connection, "deliveries", "add_deliveries", data=Jsonb(dict(notice.data)), **values, **about)


def claim_deliveries(connection: Connection, *, limit: int, lease: timedelta) -> list[DueDelivery]:
    """Deliveries due, leased to the caller."""
    return [_due(r) for r in rows(connection, "deliveries", "claim_deliveries", limit=limit, lease=lease)]


def settle_delivery(connection: Connection, delivery: DueDelivery, **values: Any) -> bool:
    """Write what came of a try: state, reason, error, next_attempt_at, now; False when the lease is lost."""
    found = row(
        connection,
        "deliveries",
        "settle_delivery",
        delivery_id=delivery.delivery_id,
        fence=delivery.fence,
        **values,
    )
    return found is not None


def silence_what_follows(connection: Connection, delivery: DueDelivery) -> None:
    """Where the first message of an alert was parked, the later ones stay away too."""
    run(connection, "deliveries", "silence_what_follows", delivery_id=delivery.delivery_id)


def retry_parked(
    connection: Connection, now: datetime, *, channel: str | None = None, alert_id: str | None = None
) -> list[Row]:
    """Queue what was set aside once more, of a channel, of an alert, or all; by channel: channel, messages, oldest."""
    return rows(connection, "deliveries", "retry_parked", now=now, channel=channel, alert_id=alert_id)


def untold_ends(connection: Connection) -> list[Row]:
    """Of alerts that are over, the channels that are to be told of them but not of their end: alert_id, channels."""
    return rows(connection, "deliveries", "untold_ends")


def set_quiet(connection: Connection, name: str, quiet: str | None) -> bool:
    """Quiet hours of a channel, None for none; False when there is no such channel."""
    return row(connection, "deliveries", "set_quiet", name=name, quiet=quiet) is not None


def deliveries_of_alert(connection: Connection, alert_id: str) -> list[Row]:
    """What became of the messages of an alert."""
    return rows(connection, "deliveries", "deliveries_of_alert", alert_id=alert_id)


def add_channel(connection: Connection, name: str, kind: str, config: Mapping[str, Any]) -> None:
    """Add a channel, or give one of this name a new configuration."""
    run(connection, "deliveries", "add_channel", name=name, kind=kind, config=Jsonb(dict(config)))


def list_channels(connection: Connection) -> list[Row]:
    """Every channel with its configuration (secrets included: redact before showing)."""
    return rows(connection, "deliveries", "list_channels")


def move_channel(connection: Connection, name: str, config: Mapping[str, Any]) -> None:
    """Give a channel other fields; it stays paused or quiet if it was."""
    run(connection, "deliveries", "move_channel", name=name, config=Jsonb(dict(config)))


def pause_channel(connection: Connection, delivery: DueDelivery) -> None:
    """Send nothing more to the channel of a delivery until it is added anew."""
    row(connection, "deliveries", "pause_channel", delivery_id=delivery.delivery_id)


def delete_channel(connection: Connection, name: str) -> bool:
    """Forget a channel; False when there is none."""
    return row(connection, "deliveries", "delete_channel", name=name) is not None


def add_digest(
    connection: Connection, digest: str, *, schedule: str, timezone: str, since: datetime, silent: bool = False,
    channels: Sequence[str] | None = None,
) -> bool:  # fmt: skip
    """Add a digest by cron expression, to these channels or all; False (and nothing changes) when the name is taken."""
    about = {"digest": digest, "schedule": schedule, "timezone": timezone, "since": since, "silent": silent}
    names = None if channels is None else list(channels)
    return row(connection, "deliveries", "add_digest", **about, channels=names) is not None


def list_digests(connection: Connection) -> list[Row]:
    """Every digest with its last filled slot."""
    return rows(connection, "deliveries", "list_digests")


def fill_slot(connection: Connection, digest: str, slot: datetime, *, body: Mapping[str, Any], now: datetime) -> bool:
    """Claim a slot with its digest; False when it is filled already."""
    values = {"digest": digest, "slot": slot, "body": Jsonb(dict(body)), "now": now}
    return row(connection, "deliveries", "fill_slot", **values) is not None


def last_digest(connection: Connection, digest: str | None = None) -> Row | None:
    """The newest digest, of one name or any."""
    return row(connection, "deliveries", "last_digest", digest=digest)


def _due(r: Row) -> DueDelivery:
    notice = Notice(r["message_id"], r["kind"], r["subject"], r["data"])
    keys = ("delivery_id", "fence", "attempts", "created_at")
    return DueDelivery(
        channel_kind=r["channel_kind"] or "", channel_config=r["channel_config"] or {}, notice=notice,
        **{k: r[k] for k in keys},
    )  # fmt: skip
