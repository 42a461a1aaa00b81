"""Reads what a digest is composed of and has it composed; used by the stage and by previews alike."""

from datetime import datetime, timedelta
from typing import Any

import numpy as np

from services.analysis import digest as composing
from services.analysis.coverage import coverage, gaps
from services.store import alerts, codebooks, feeds, qualities, trends
from services.store.pool import Connection

PERIOD = timedelta(days=1)
GAP_S = 900.0
"""Seconds of silence that a digest mentions."""


def read_digest(connection: Connection, digest: str, slot: datetime) -> dict[str, Any] | None:
    """The digest of the day before `slot`, composed; None while no codebook is current."""
    current = codebooks.current_codebooks(connection)
    if not current:
        return None
    version, since = current[0], slot - PERIOD
    spans = feeds.spans(connection, since, slot)
    heard = coverage(np.array([since.timestamp()]), PERIOD.total_seconds(), spans)[0]
    titles = {f["feed_id"]: f["title"] or f["address"] for f in feeds.list_feeds(connection)}
    about = {
        "digest": digest,
        "slot": slot.isoformat(),
        "period": {"from": since.isoformat(), "until": slot.isoformat()},
        "codebook": {"id": version["codebook"], "version": version["version"], "title": version["title"]},
        "alerts": [_alert(a) for a in alerts.alerts_between(connection, since, slot)],
        "coverage": None if np.isnan(heard) else float(heard),
        "gaps": [
            {"feed": titles.get(feed_id, ""), "from": begin.isoformat(), "until": end.isoformat()}
            for feed_id, begin, end in gaps(spans, GAP_S)
        ],
    }
    number = version["version_id"]
    good = qualities.read_quality_at(connection, slot, codebook=version["codebook"])
    return composing.compose(
        about,
        now=trends.frame_totals(connection, number, since, slot),
        before=trends.frame_totals(connection, number, since - PERIOD, since),
        posts=(
            trends.posts_scored(connection, number, since, slot),
            trends.posts_scored(connection, number, since - PERIOD, since),
        ),
        states=_states(connection, number, since, slot),
        quality={frame: found.model_dump(mode="json") for (_, frame), found in good.items()},
    )


def _states(connection: Connection, version_id: int, since: datetime, until: datetime) -> dict[str, str]:
    """The state of each frame over a period: burst when any bucket was one, else that of the newest bucket."""
    states: dict[str, str] = {}
    for row in alerts.states_between(connection, version_id, since, until):
        states[row["frame"]] = "burst" if row["burst"] else row["state"]
    return states


def _alert(row: dict[str, Any]) -> dict[str, Any]:
    keys = ("alert_id", "frame", "title", "state", "reason")
    return {**{k: row[k] for k in keys}, "onset": row["onset"].isoformat()}
