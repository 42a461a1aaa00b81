"""Makes the move of an alert and fills the outbox with it, in the caller's transaction; also what a team says of one.

What is told to whom is decided in services.analysis.telling; this reads what that needs and writes what it says.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from schemas.errors import PermanentError, Reason
from schemas.records import Notice
from services.analysis import evidence, quiet, telling
from services.analysis.alerting import Rule
from services.analysis.telling import Hush, Measure, Move, Seen, Standing, Target
from services.store import alerts, deliveries, rules, tellings
from services.store.pool import Connection, Row

HOLD = timedelta(seconds=30)
"""How long messages wait for their run to end and gather them; longer only if the run died."""


def fire(connection: Connection, alert: Mapping[str, Any], rule: Rule, *, measure: Measure, now: datetime) -> bool:
    """Raise an alert and tell of it; False when its id was raised before."""
    if not alerts.raise_alert(connection, {**alert, "now": now}):
        return False
    row = {**alert, "acked_at": None, "snoozed_until": None, "standing": {}, "state": "learning"}
    seen = Seen(measure)
    move = telling.advance(Standing(), seen, rule.growth)
    _tell(connection, row, move, (rule, measure), bundle=alert["evidence"], now=now)
    return True


def hush(connection: Connection, alert: Row, now: datetime) -> Hush:
    """What speaks against telling of an alert now."""
    mutes = rules.list_mutes(connection, now)
    feeds = {m["feed_id"] for m in mutes if m["feed_id"] is not None}
    muted = any(m["frame"] is not None and m["frame"] == alert["frame"] for m in mutes) or alert["feed_id"] in feeds
    if feeds and not muted and alert["frame"] is not None:
        until = datetime.fromisoformat(alert["evidence"]["until"])
        period = {"since": alert["onset"], "until": until}
        behind = tellings.feeds_behind(connection, version_id=alert["version_id"], frame=alert["frame"], **period)
        muted = bool(behind) and behind <= feeds
    return Hush(muted, alert["snoozed_until"], alert["acked_at"] is not None)


def escalation(connection: Connection, alert: Row, rule: Rule, measure: Measure, *, now: datetime) -> Move | None:
    """The move of an alert that goes on, when there is news in it."""
    standing = telling.from_row(alert["state"], alert["standing"])
    silent = hush(connection, alert, now).reason("escalated", now) is not None
    move = telling.advance(standing, Seen(measure), rule.growth, silent=silent)
    return move if move.message == "escalated" else None


def escalate(
    connection: Connection, alert: Row, move: Move, known: tuple[Rule, Measure], *, bundle: Mapping[str, Any],
    now: datetime,
) -> None:  # fmt: skip
    """Tell how far it has come by now; the evidence it fired with stays as it was."""
    told = {**bundle, "state": "escalated", "escalation": {"number": move.number, "why": move.why}}
    _tell(connection, alert, move, known, bundle=told, now=now)


def resolve(
    connection: Connection, alert_id: str, *, last_bucket: datetime, now: datetime, rule: Rule, why: str = "calm",
    by: str | None = None,
) -> bool:  # fmt: skip
    """The alert is over: tell those who were told of it. False when it was over already."""
    alert = tellings.hold_alert(connection, alert_id)
    told_over: dict[str, Any] = {"last_bucket": last_bucket, "now": now, "by": by, "why": why}
    if alert is None or not alerts.resolve_alert(connection, alert_id, **told_over):
        return False
    standing = telling.from_row(alert["state"], alert["standing"])
    move = telling.advance(standing, Seen(standing.considered, over=True), rule.growth)
    told = tellings.channels_told(connection, alert_id)
    if told and move.message:
        bundle = {**_over(alert, last_bucket), "resolved": why}
        _tell(connection, alert, move, (rule, standing.considered), bundle=bundle, now=now, only=told)
    return True


def tell_end(connection: Connection, alert_id: str, channels: set[int], now: datetime) -> None:
    """The end of an alert that is over already, for channels that hear only now that there was one."""
    alert = tellings.hold_alert(connection, alert_id)
    assert alert is not None  # noqa: S101 - its messages name it
    bundle = _over(alert, alert["last_bucket"])
    silence = hush(connection, alert, now).reason("resolved", now)
    addressed = telling.address(_targets(connection, Rule(), channels), now=now, silence=silence, quiet=None)
    notice = Notice(Move("resolved", "resolved").message_id(alert_id), "alert", evidence.subject(bundle), bundle)
    about = {"alert_id": alert_id, "step": "resolved", "class": alert["kind"], "now": now}
    tellings.add_tellings(connection, notice, addressed, about=about, hold=HOLD)


def _over(alert: Row, last_bucket: datetime) -> dict[str, Any]:
    """What is told of an alert that is over."""
    until = max(datetime.fromisoformat(alert["evidence"]["until"]), last_bucket)
    return {**alert["evidence"], "state": "resolved", "until": until.isoformat()}


def ack(connection: Connection, alert_id: str, now: datetime, by: str) -> Row:
    """`by` has it in hand: it is told no further until it is over. Raises PermanentError(NOT_FOUND, BAD_INPUT)."""
    _open(connection, alert_id)
    tellings.ack_alert(connection, alert_id, now, by)
    tellings.silence_waiting(connection, alert_id, "acknowledged")
    return _open(connection, alert_id)


def snooze(connection: Connection, alert_id: str, until: datetime, *, now: datetime, by: str) -> Row:
    """Say nothing of it until then. Raises PermanentError(NOT_FOUND, BAD_INPUT)."""
    _open(connection, alert_id)
    if until <= now:
        raise PermanentError(Reason.BAD_INPUT, "snooze until a time that is still to come")
    tellings.snooze_alert(connection, alert_id, until, now=now, by=by)
    return _open(connection, alert_id)


def end_by_hand(connection: Connection, alert_id: str, *, default: Rule, now: datetime, by: str) -> Row:
    """Somebody says it is over; the same burst is not raised again. Raises PermanentError(NOT_FOUND, BAD_INPUT)."""
    alert = _open(connection, alert_id)
    rule = next((r for r in rules.in_force(connection, default) if r.name == alert["rule"]), default)
    resolve(connection, alert_id, last_bucket=alert["last_bucket"], now=now, rule=rule, why="by hand", by=by)
    tellings.gather(connection, now)
    found = tellings.hold_alert(connection, alert_id)
    assert found is not None  # noqa: S101 - held since above
    return found


def _open(connection: Connection, alert_id: str) -> Row:
    alert = tellings.hold_alert(connection, alert_id)
    if alert is None:
        raise PermanentError(Reason.NOT_FOUND, f"there is no alert {alert_id}; see: framewatch alerts list")
    if alert["state"] == "resolved":
        raise PermanentError(Reason.BAD_INPUT, f"alert {alert_id} is over already")
    return alert


def _tell(
    connection: Connection, alert: Row, move: Move, known: tuple[Rule, Measure], *, bundle: Mapping[str, Any],
    now: datetime, only: set[int] | None = None,
) -> None:  # fmt: skip
    rule, measure = known
    identity = alert["alert_id"]
    silence = hush(connection, alert, now).reason(move.message, now)
    addressed = telling.address(
        _targets(connection, rule, only), now=now, silence=silence, quiet=rule.quiet,
        waiting=tellings.waiting_channels(connection, identity) if move.message == "escalated" else (),
    )  # fmt: skip
    notice = Notice(move.message_id(identity), "alert", evidence.subject(bundle), bundle)
    about = {"alert_id": identity, "step": move.message, "class": alert["kind"], "now": now}
    tellings.add_tellings(connection, notice, addressed, about=about, hold=HOLD)
    standing = telling.from_row(alert["state"], alert["standing"])
    after = telling.after(standing, move, measure, told=telling.is_told(addressed))
    kept = telling.to_row(after)
    tellings.set_standing(connection, identity, state=after.state, standing=kept, now=now, why=move.why or None)


def _targets(connection: Connection, rule: Rule, only: set[int] | None) -> list[Target]:
    return [
        Target(c["channel_id"], c["name"], quiet.parse(c["quiet"]) if c["quiet"] else None)
        for c in deliveries.list_channels(connection)
        if c["state"] == "enabled"
        and (rule.channels is None or c["name"] in rule.channels or only is not None)
        and (only is None or c["channel_id"] in only)
    ]
