"""The outbox of alerts: who is told of a move, what is told together, and what the team said about an alert."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from psycopg.types.json import Jsonb

from schemas.records import Notice
from services.analysis.telling import Addressed
from services.store.pool import Connection, Row, columns, row, rows, run


def add_tellings(
    connection: Connection, notice: Notice, addressed: Sequence[Addressed], *, about: Mapping[str, Any],
    hold: timedelta,
) -> None:  # fmt: skip
    """One row a channel; `about` is alert_id, step, class and now."""
    lists = columns([asdict(a) for a in addressed], "name", "channel_id", "state", "reason", "due")
    values = {"message_id": notice.message_id, "subject": notice.subject, "data": Jsonb(dict(notice.data))}
    run(connection, "tellings", "add_tellings", hold=hold, **lists, **values, **about)


def gather(connection: Connection, now: datetime) -> int:
    """Let the messages of a run go, those of one class and step to one channel as one; how many rows were let go."""
    return len(rows(connection, "tellings", "gather", now=now))


def channels_told(connection: Connection, alert_id: str) -> set[int]:
    """Channels that got a message of an alert, or still will."""
    return {r["channel_id"] for r in rows(connection, "tellings", "channels_told", alert_id=alert_id)}


def waiting_channels(connection: Connection, alert_id: str) -> set[int]:
    """Channels in which a message of an alert waits for the end of quiet hours."""
    return {r["channel_id"] for r in rows(connection, "tellings", "waiting_channels", alert_id=alert_id)}


def silence_waiting(connection: Connection, alert_id: str, reason: str) -> None:
    """What waits for the end of quiet hours need not come any more."""
    run(connection, "tellings", "silence_waiting", alert_id=alert_id, reason=reason)


def hold_alert(connection: Connection, alert_id: str) -> Row | None:
    """An alert with its standing, held until the transaction ends."""
    return row(connection, "tellings", "hold_alert", alert_id=alert_id)


def set_standing(
    connection: Connection, alert_id: str, *, state: str, standing: Mapping[str, Any], now: datetime,
    why: str | None = None,
) -> None:  # fmt: skip
    """Keep how far the team was told, and why it is told again; an alert that is resolved stays so."""
    told = {"state": state, "standing": Jsonb(dict(standing)), "now": now, "why": why}
    run(connection, "tellings", "set_standing", alert_id=alert_id, **told)


def ack_alert(connection: Connection, alert_id: str, now: datetime, by: str) -> None:
    """Somebody has it in hand."""
    run(connection, "tellings", "ack_alert", alert_id=alert_id, now=now, by=by)


def snooze_alert(connection: Connection, alert_id: str, until: datetime | None, *, now: datetime, by: str) -> None:
    """Say nothing of it until then; None ends that."""
    run(connection, "tellings", "snooze_alert", alert_id=alert_id, until=until, now=now, by=by)


def feeds_behind(connection: Connection, **period: Any) -> set[int]:
    """Feeds that brought the posts of a frame in a period."""
    return {r["feed_id"] for r in rows(connection, "tellings", "feeds_behind", **period)}
