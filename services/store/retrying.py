"""Gives messages that could not be delivered another chance, under the ids they have. It sends nothing itself."""

from datetime import datetime

from schemas.errors import PermanentError, Reason
from services.store import announcing, deliveries
from services.store.pool import Connection, Row


def retry(
    connection: Connection, now: datetime, *, channel: str | None = None, alert_id: str | None = None
) -> list[Row]:
    """Queue what was set aside (of a channel, of an alert, or all) once more; by channel: messages, oldest.

    A channel that hears of an alert only after it is over is told its end, too. Raises PermanentError: NOT_FOUND for an
    unknown channel, BAD_INPUT for one that is paused.
    """
    if channel is not None:
        _check(connection, channel)
    found = deliveries.retry_parked(connection, now, channel=channel, alert_id=alert_id)
    for end in deliveries.untold_ends(connection):
        announcing.tell_end(connection, end["alert_id"], set(end["channels"]), now)
    return found


def _check(connection: Connection, name: str) -> None:
    known = next((c for c in deliveries.list_channels(connection) if c["name"] == name), None)
    if known is None:
        raise PermanentError(Reason.NOT_FOUND, f"there is no channel {name}; see: framewatch channels list")
    if known["state"] != "enabled":
        said = f"{name} is paused: its receiver said that it is gone for good; give it its address anew"
        raise PermanentError(Reason.BAD_INPUT, f"{said}: framewatch channels add {name} {known['kind']} FIELD=VALUE...")
