"""How the house stands, in a few bounded queries: what terminals show. It writes nothing."""

from datetime import datetime, timedelta
from typing import Any

from services.analysis import replaying
from services.analysis.conditions import place
from services.analysis.confidential import feed_told
from services.analysis.health import health
from services.store import alerts, calibrations, counts, feeds, readings, sizes
from services.store.pool import Connection

SPARK = timedelta(hours=48)
TOLD = {"codebook", "frame", "title", "condition", "detail", "state", "share", "change", "alert_id"}


def read_standing(connection: Connection, wall: datetime, *, frames: int) -> dict[str, Any]:
    """present, sizes, stages, backlog, deliveries, feeds (with health, late, and what a
    replay beside live feeds does), alerts that go on (of a frame with its `detail`), the frames that move most.

    `detection` is how the budget of false alarms is kept, None before the first replay.

    Of each frame: codebook, frame, title, condition and detail (what people are told), alert_id, state, units and
    expected of the last closed hour, share and change of 24 hours, and as `hours` its units by the hour over SPARK,
    None where too little was heard.
    """
    told, known = readings.read_frames(connection, wall), feeds.list_feeds(connection)
    since = replaying.live_since(known)
    ranked = sorted(told.frames, key=lambda f: (place(f.condition, f.state), -(f.units or 0), f.title))
    versions = {w["frame"]: w["version_id"] for w in alerts.watch_positions(connection)}
    details = {(f.codebook, f.frame): f.detail for f in told.frames}
    return {
        "present": told.present,
        "sizes": sizes.stored_sizes(connection),
        "stages": counts.stage_runs(connection),
        "backlog": counts.backlog(connection),
        "deliveries": {r["state"]: r["deliveries"] for r in counts.delivery_states(connection)},
        "feeds": [
            {
                **feed_told(f),
                "health": (word := health(f, wall)),
                "late": word == "late",
                "beside": replaying.told(f, since, wall) or None,
            }
            for f in known
        ],
        "alerts": [
            {**alert, "detail": details.get((alert["codebook"], alert["frame"]))}
            for alert in alerts.list_alerts(connection, limit=50, over=False)
        ],
        "detection": kept.model_dump() if (kept := calibrations.read_calibration(connection)) else None,
        "frames_watched": len(ranked),
        "frames": [
            {
                **frame.model_dump(include=TOLD),
                "units": frame.verdict.units if frame.verdict else None,
                "expected": frame.verdict.expected if frame.verdict else None,
                "hours": _hours(connection, versions.get(frame.frame), frame.frame, told.present),
            }
            for frame in ranked[:frames]
        ],
    }


def _hours(connection: Connection, version_id: int | None, frame: str, present: datetime) -> list[int | None]:
    if version_id is None:
        return []
    found = alerts.list_verdicts(connection, version_id, frame, since=present - SPARK, until=present)
    return [None if v["state"] == "insufficient coverage" else v["units"] for v in found]
