"""Alerts: the list, one with its evidence and what happened next, and what a team does about it."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from schemas import wire
from schemas.errors import PermanentError, Reason
from services.console import chart, plot
from services.console.desk import Desk, actor, desk_of, page
from services.console.forms import Form, onward
from services.store import alerts as alert_rows
from services.store import announcing, listings, over_time, overview, readings, rechecks, retrying, rules
from services.store.pool import Connection, Row
from services.store.sharing import STIX, stix_of
from services.usecases.thresholds import carried_from

LISTED = 40
BEFORE = timedelta(days=5)
AFTER = timedelta(days=1)
KINDS = ("burst", "coordinated", "outage", "gap")
STATES = {"": None, "open": True, "over": False}
REPLAYED = timedelta(hours=1)
"""How far the stream is behind the clock where its times have to be told from the clock's."""
LENGTHS = {"1": "1 hour", "4": "4 hours", "24": "1 day", "168": "1 week"}
"""Hours that an alert can be snoozed and a frame muted for, as the buttons name them."""


def alerts(request: Request) -> Response:
    """The list, newest first, a page at a time."""
    desk, asked = desk_of(request), request.query_params
    kind = asked.get("kind") if asked.get("kind") in KINDS else None
    state = asked.get("state", "") if asked.get("state", "") in STATES else ""
    frame = asked.get("frame", "")[:80] or None
    before, before_id = _cursor(asked.get("before", ""))
    with desk.store.transaction() as tx:
        wall = desk.now()
        found = overview.filtered_alerts(
            tx, limit=LISTED + 1, frame=frame, kind=kind, is_open=STATES[state], before=before, before_id=before_id
        )
        frames = readings.read_frames(tx, wall)
        told: dict[str, Any] = {"present": frames.present, "frames": frames.frames, "mutes": rules.list_mutes(tx, wall)}
    last = found[LISTED - 1] if len(found) > LISTED else None
    older = {"kind": kind, "state": state, "frame": frame}
    older |= {"before": f"{last['raised_at'].isoformat()}_{last['alert_id']}"} if last else {}
    query = urlencode({k: v for k, v in older.items() if v}) if last else ""
    return page(request, "alerts.html", alerts=found[:LISTED], kinds=KINDS, kind=kind or "", state=state,
                frame=frame or "", older=query, **told)  # fmt: skip


def alert(request: Request) -> Response:
    """One alert with its evidence."""
    desk = desk_of(request)
    alert_id = str(request.path_params["alert_id"])
    with desk.store.transaction() as tx:
        wall = desk.now()
        found = listings.read_alert(tx, wall, alert_id)
        row = alert_rows.read_alert(tx, alert_id) or {}
        told: dict[str, Any] = {"said_of": {k: row.get(k) for k in ("state", "acked_at", "snoozed_until")}}
        told |= _drawn(tx, wall, found) | _next(tx, wall, found)
        told["threshold"] = carried_from(tx, row["version_id"]).get(found.frame) if found.frame else None
        told["mutes"] = [m for m in rules.list_mutes(tx, wall) if found.frame and m["frame"] == found.frame]
    replayed = wall - found.present > REPLAYED
    return page(request, "alert.html", alert=found, present=found.present, lengths=LENGTHS, replayed=replayed, **told)


def export(request: Request) -> Response:
    """One alert with all that stands behind it, as JSON."""
    desk = desk_of(request)
    with desk.store.transaction() as tx:
        found = listings.read_alert(tx, desk.now(), str(request.path_params["alert_id"]))
    name = f"attachment; filename=alert-{found.alert_id}.json"
    body = found.model_dump_json(indent=2)
    return Response(body, media_type="application/json", headers={"Content-Disposition": name})


def export_stix(request: Request) -> Response:
    """One alert as a STIX bundle, for the systems of others."""
    desk, alert_id = desk_of(request), str(request.path_params["alert_id"])
    listings.check_alert_id(alert_id)
    with desk.store.transaction() as tx:
        told = stix_of(tx, alert_id)
    name = f"attachment; filename=alert-{alert_id}.stix.json"
    body = json.dumps(told, ensure_ascii=False, indent=2)
    return Response(body, media_type=STIX, headers={"Content-Disposition": name})


def _drawn(tx: Connection, wall: datetime, found: wire.Alert) -> dict[str, Any]:
    """The trend around the alert; nothing where the codebook has no such frame now, or the episode is too long."""
    if not found.frame or not found.live or found.kind != "burst":
        return {}
    period: dict[str, Any] = {"since": found.onset - BEFORE, "until": found.live.until + AFTER}
    try:
        trend = over_time.read_trend(tx, wall, frame=found.frame, codebook=found.codebook, **period)
    except PermanentError:
        return {}
    marks = [{"onset": found.onset, "told": "this alert"}]
    drawn = chart.draw(trend.points, alerts=[found.onset])
    return {
        "chart": drawn,
        "columns": plot.columns(trend.points, measure="units", step=timedelta(hours=1), alerts=marks),
    }


def _next(tx: Connection, wall: datetime, found: wire.Alert) -> dict[str, Any]:
    """What stands beside it: other alerts of the frame, and what stored data says today."""
    told: dict[str, Any] = {}
    if found.frame:
        others = overview.filtered_alerts(tx, limit=8, frame=found.frame)
        told["others"] = [a for a in others if a["alert_id"] != found.alert_id][:5]
        told["state_now"] = next((f for f in readings.read_frames(tx, wall).frames if f.frame == found.frame), None)
        try:
            told["recheck"] = rechecks.recheck(tx, found.alert_id)
        except PermanentError as error:
            told["recheck_missing"] = str(error)
    return told


@dataclass(frozen=True, slots=True)
class Asked:
    """A button of an alert's page, and who pressed it."""

    desk: Desk
    tx: Connection
    alert_id: str
    form: Form
    by: str


def ack(asked: Asked) -> str:
    """Somebody has it in hand."""
    announcing.ack(asked.tx, asked.alert_id, asked.desk.now(), asked.by)
    return "acked"


def snooze(asked: Asked) -> str:
    """Nothing is told of it for a while."""
    now = asked.desk.now()
    announcing.snooze(asked.tx, asked.alert_id, now + _length(asked.form), now=now, by=asked.by)
    return "snoozed"


def resolve(asked: Asked) -> str:
    """It is over, a person says."""
    announcing.end_by_hand(asked.tx, asked.alert_id, default=asked.desk.rule, now=asked.desk.now(), by=asked.by)
    return "resolved"


def mute(asked: Asked) -> str:
    """Nothing is told of its frame, for a while or for good."""
    now = asked.desk.now()
    about = {**_muted(asked), "now": now, "by": asked.by}
    until = None if asked.form.get("hours") == "" else now + _length(asked.form)
    rules.end_mutes(asked.tx, **about)
    rules.add_mute(asked.tx, **about, until=until)
    return "muted"


def unmute(asked: Asked) -> str:
    """Its frame is spoken of again."""
    rules.end_mutes(asked.tx, **_muted(asked), now=asked.desk.now(), by=asked.by)
    return "unmuted"


def retry(asked: Asked) -> str:
    """Its messages that could not be delivered are sent once more."""
    retrying.retry(asked.tx, asked.desk.now(), alert_id=asked.alert_id)
    return "retried"


ACTIONS: dict[str, Callable[[Asked], str]] = {f.__name__: f for f in (ack, snooze, resolve, mute, unmute, retry)}


def act(request: Request, form: Form) -> Response:
    """Do what a button of an alert's page says, and show the page again."""
    desk, alert_id = desk_of(request), str(request.path_params["alert_id"])
    action = ACTIONS.get(str(request.path_params["action"]))
    if action is None:
        raise PermanentError(Reason.NOT_FOUND, "there is nothing of this name to be done with an alert")
    with desk.store.transaction() as tx:
        done = action(Asked(desk, tx, alert_id, form, actor(request)))
    return onward(f"/alerts/{alert_id}", done)


def _length(form: Form) -> timedelta:
    hours = form.get("hours", "")
    if hours not in LENGTHS:
        raise PermanentError(Reason.BAD_INPUT, "choose for how long")
    return timedelta(hours=int(hours))


def _muted(asked: Asked) -> dict[str, Any]:
    row: Row | None = alert_rows.read_alert(asked.tx, asked.alert_id)
    if row is None or not row["frame"]:
        raise PermanentError(Reason.NOT_FOUND, "this alert has no frame that could be muted")
    return {"frame": row["frame"], "feed_id": None}


def _cursor(text: str) -> tuple[datetime | None, str | None]:
    """Where a page begins; from the start for anything that is not a cursor of ours."""
    at, _, alert_id = text.rpartition("_")
    if not re.fullmatch("[0-9a-f]{20}", alert_id):
        return None, None
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        return None, None
    return (moment, alert_id) if moment.tzinfo else (None, None)
