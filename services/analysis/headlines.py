"""Decides what a digest says first: what is new in its own period, else what goes on, else that all is calm. Pure.

No figure comes from before the period: how many times the usual is of the hours that the digest tells of.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from services.analysis.courses import course
from services.analysis.evidence import MUCH
from services.analysis.naming import many
from services.analysis.times import clock

Row = Mapping[str, Any]
Standing = Literal["new", "on", "over"]
"""Of a frame's alerts in a period: one was raised in it; one from before goes on; one from before came to its end."""

NAMED = 2
"""How many frames a headline names."""


def standing(alerts: Sequence[Row], since: datetime, told_before: frozenset[str] | None) -> Standing | None:
    """How the alerts of one frame (alert_id, fired, state) stand to the period that began at `since`.

    New is what the digest before did not tell; where none is known (`told_before` is None), what fired in the period.
    Periods leave no gaps, so that an alert is new in one digest, and in no other.
    """
    if any(is_new(alert, since, told_before) for alert in alerts):
        return "new"
    if not alerts:
        return None
    return "over" if all(course(alert["state"]) == "over" for alert in alerts) else "on"


def is_new(alert: Row, since: datetime, told_before: frozenset[str] | None) -> bool:
    """Whether an alert is news of the period that began at `since`; `fired` is when enough stood behind it."""
    if told_before is not None:
        return alert["alert_id"] not in told_before
    return datetime.fromisoformat(alert["fired"]) > since


def news(body: Row) -> str:
    """What happened, in one line."""
    frames, zone = body["frames"], body.get("timezone") or "UTC"
    fresh = [_fresh(f) for f in frames if f["moved"] == "burst"]
    if fresh:
        return _listed(fresh)
    if not body["totals"]["posts"] or body["coverage"] == 0:
        return "Nothing was heard"
    shifts = [f for f in frames if f["moved"] in ("up", "down")]
    if shifts:
        first, more = shifts[0], f" and {many(len(shifts) - 1, 'more shift')}" if len(shifts) > 1 else ""
        return f"{first['title']} {first['moved']} {abs(100 * first['change']):.1f} points{more}"
    on = [_still(f, zone) for f in frames if f.get("alert") == "on"]
    over = [f"{f['title']}: alert over" for f in frames if f.get("alert") == "over"]
    return _listed(on + over) if on or over else "All calm"


def subject(body: Row, slot: datetime) -> str:
    """The news first, then of what and when, in the reader's own time zone."""
    local = slot.astimezone(ZoneInfo(body.get("timezone") or "UTC"))
    return f"{news(body)} · {body['codebook']['title']}, {local:%-d %b %Y}"


def _fresh(frame: Row) -> str:
    return f"{frame['title']} on alert{_times(frame)}"


def _still(frame: Row, zone: str) -> str:
    since = clock(datetime.fromisoformat(frame["onset"]), zone).rpartition(" ")[0]
    return f"{frame['title']} still on alert since {since}{_times(frame)}"


def _times(frame: Row) -> str:
    """How many times the usual; nothing where its interval reaches down to the usual itself."""
    ratio = frame["ratio"]
    if ratio is None or (frame.get("ratio_low") or 0.0) <= 1:
        return ""
    return f", {f'{ratio:.2g}' if ratio <= MUCH else f'over {MUCH}'}× the usual"


def _listed(told: Sequence[str]) -> str:
    more = f" and {len(told) - NAMED} more" if len(told) > NAMED else ""
    return "; ".join(told[:NAMED]) + more
