"""Reads what a digest is composed of and has it composed; for the stage and for previews alike. It writes nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

import numpy as np

from schemas.wire_detection import State
from services.analysis import digest as composing
from services.analysis import stepping
from services.analysis.alerting import CALM
from services.analysis.conditions import Told, condition
from services.analysis.confidential import feed_told
from services.analysis.coverage import coverage, gaps
from services.analysis.health import health
from services.analysis.moving import movement
from services.store import (
    calibrations,
    codebooks,
    conditions,
    digests,
    drafts,
    feeds,
    over_time,
    overview,
    qualities,
    stances,
    trends,
)
from services.store.overview import Hour, Key
from services.store.pool import Connection, Row

DAY = timedelta(days=1)
GAP_S = 900.0
"""Seconds of silence that a digest mentions."""
HORIZON = timedelta(days=28)
"""A voice is new when it did not carry the frame in the time so long before."""
NAMES = 5
HOUR = timedelta(hours=1)
HOURLY = 8 * DAY
"""A period up to this is drawn by the hour, a longer one by the day."""


@dataclass(frozen=True, slots=True)
class Edition:
    """One digest to be: its name, when it is for, from when it tells, and in whose time."""

    digest: str
    slot: datetime
    since: datetime
    timezone: str


def read_digest(connection: Connection, edition: Edition) -> dict[str, Any] | None:
    """The digest of the time before its slot, composed; None while no codebook is current."""
    current = codebooks.current_codebooks(connection)
    if not current:
        return None
    since, slot = edition.since, edition.slot
    found = digests.alerts_with_evidence(connection, since, slot, calm=CALM + HOUR)
    series = overview.verdict_series(connection, since, slot)
    parts = [_part(connection, version, edition, (series, found)) for version in current]
    before = digests.alerts_told(connection, edition.digest, since)
    body = composing.compose(_about(connection, edition), parts, alerts=[_alert(a) for a in found], told_before=before)
    shown, versions = composing.charted(body), {v["codebook"]: v["version_id"] for v in current}
    for codebook, number in versions.items():
        names = [f["id"] for f in shown if f["codebook"] == codebook and f["moved"] in ("burst", "up")]
        voices = _voices(connection, number, names, (since, slot)) if names else {}
        for frame in (f for f in shown if f["codebook"] == codebook):
            frame["voices"] = voices.get(frame["id"])
    for frame in shown:
        frame["chart"] = _chart(connection, frame, since, slot)
    return body


def _about(connection: Connection, edition: Edition) -> dict[str, Any]:
    since, slot = edition.since, edition.slot
    spans = feeds.spans(connection, since, slot)
    heard = coverage(np.array([since.timestamp()]), (slot - since).total_seconds(), spans)[0]
    known = {f["feed_id"]: f for f in map(feed_told, feeds.list_feeds(connection))}
    return {
        "digest": edition.digest,
        "slot": slot.isoformat(),
        "timezone": edition.timezone,
        "period": {"from": since.isoformat(), "until": slot.isoformat()},
        "before": {"from": (since - (slot - since)).isoformat(), "until": since.isoformat()},
        "coverage": None if np.isnan(heard) else float(heard),
        "gaps": [
            {**_feed(known.get(feed_id), slot), "from": begin.isoformat(), "until": end.isoformat()}
            for feed_id, begin, end in gaps(spans, GAP_S)
        ],
        "suggestions": drafts.new_suggestions(connection, since, slot),
        "detection": kept.told if (kept := calibrations.read_calibration(connection)) else None,
    }


def _feed(row: Row | None, slot: datetime) -> dict[str, Any]:
    """What a digest calls a feed, and how it does by then; of one that was removed neither is known."""
    if row is None:
        return {"feed": "", "health": None}
    return {"feed": row["title"] or row["address"], "health": health(row, slot)}


def _part(
    connection: Connection, version: Row, edition: Edition, judged: tuple[Mapping[Key, list[Hour]], list[Row]]
) -> composing.Part:
    since, slot = edition.since, edition.slot
    number, earlier = version["version_id"], since - (slot - since)
    hours = {frame: of for (codebook, frame), of in judged[0].items() if codebook == version["codebook"]}
    now = trends.frame_totals(connection, number, since, slot)
    good = qualities.read_quality_at(connection, slot, codebook=version["codebook"])
    return composing.Part(
        codebook={"id": version["codebook"], "version": version["version"], "title": version["title"]},
        now=now,
        before=trends.frame_totals(connection, number, earlier, since),
        posts=(
            trends.posts_scored(connection, number, since, slot),
            trends.posts_scored(connection, number, earlier, since),
        ),
        carrying=digests.posts_carrying(connection, version_id=number, since=since, until=slot),
        states={frame: _state(of) for frame, of in hours.items()},
        moves={frame: movement(of) for frame, of in hours.items()},
        conditions={
            t["frame"]: _condition(hours.get(t["frame"]), (version["codebook"], t["frame"]), judged[1], edition)
            for t in now
        },
        stances=stances.frame_stances(connection, number, [t["frame"] for t in now], since, slot),
        quality={frame: found.model_dump(mode="json") for (_, frame), found in good.items()},
    )


def _state(hours: Sequence[Hour]) -> State:
    """The state of a frame over a period: burst when any hour was one, else that of the newest hour."""
    return "burst" if any(h.state == "burst" for h in hours) else _newest(hours)[0]


def _newest(hours: Sequence[Hour] | None) -> tuple[State, datetime | None]:
    return (cast(State, hours[-1].state), hours[-1].at) if hours else ("learning", None)


def _condition(hours: Sequence[Hour] | None, frame: Key, found: Sequence[Row], edition: Edition) -> Told:
    """What people are told of a frame at the end of the period: by its newest hour, and the alert that goes on."""
    ours = [a for a in found if (a["codebook"], a["frame"]) == frame and a["state"] != "resolved"]
    first = max(ours, key=lambda a: (a["kind"] == "burst", a["onset"]), default=None)
    alert = conditions.as_open(first, edition.slot) if first else None
    return condition(*_newest(hours), alert, edition.timezone)


def _voices(
    connection: Connection, version_id: int, frames: Sequence[str], told: tuple[datetime, datetime]
) -> dict[str, Row]:
    """New voices of some frames: authors, fresh, publishers, names; none while there is no past to be new against."""
    since, until = told
    period: dict[str, Any] = {"version_id": version_id, "horizon": since - HORIZON, "since": since}
    if not digests.heard_before(connection, **period):
        return {}
    period |= {"frames": list(frames)}
    named: dict[str, list[Row]] = {}
    for row in digests.new_publishers(connection, **period, until=until, limit=NAMES):
        named.setdefault(row["frame"], []).append(row)
    return {
        row["frame"]: {
            "authors": row["authors"],
            "fresh": row["fresh"],
            "publishers": max((n["publishers"] for n in named.get(row["frame"], ())), default=0),
            "names": [{"name": n["name"], "posts": n["posts"]} for n in named.get(row["frame"], ())],
            "days": HORIZON.days,
        }
        for row in digests.new_authors(connection, **period, until=until)
    }


def _chart(connection: Connection, frame: Mapping[str, Any], since: datetime, slot: datetime) -> dict[str, Any]:
    """What a picture of a frame is drawn of: units by step, with what was expected, ending where the digest ends."""
    step = "1h" if slot - since <= HOURLY else "1d"
    length = stepping.length_of(step)
    shown = max(7 * DAY, 2 * (slot - since)) if step == "1h" else 3 * (slot - since)
    trend = over_time.read_trend(
        connection, slot, frame=frame["id"], codebook=frame["codebook"], step=step, since=slot - shown, until=slot
    )
    points = [p for p in trend.points if p.at < slot]
    return {
        "from": points[0].at.isoformat() if points else slot.isoformat(),
        "step_seconds": int(length.total_seconds()),
        "new": sum(p.at + length <= since for p in points),
        "units": [p.units for p in points],
        "expected": [_short(p.expected) for p in points],
        "upper": [_short(p.upper) for p in points],
        "burst": [i for i, p in enumerate(points) if p.state == "burst"],
    }


def _short(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


def _alert(row: Row) -> dict[str, Any]:
    evidence = row["evidence"]
    kept = {k: row[k] for k in ("alert_id", "kind", "codebook", "frame", "title", "state", "reason")}
    expected = evidence.get("expected") or {}
    return {
        **kept,
        "onset": row["onset"].isoformat(),
        "fired": evidence["until"],
        "until": row["last_bucket"].isoformat(),
        "counts": evidence.get("counts"),
        "expected": expected.get("units"),
        "ratio": expected.get("ratio") if row["kind"] == "burst" else None,
        "first": (evidence.get("first_carriers") or [])[:1],
        "typical": (evidence.get("typical") or [])[:2],
        "links": (evidence.get("links") or [])[:3],
    }
