"""The first page: what moves, ranked by evidence, what was heard, and what the team was told. It writes nothing."""

from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from schemas import wire
from services.analysis.moving import movement
from services.console import chart, words
from services.console.desk import desk_of, page
from services.console.strip import strip
from services.store import calibrations, codebooks, listings, overview, readings
from services.store.pool import Connection

ALERTS = 6
FEEDS = 12
LATELY = timedelta(days=7)
HOUR = timedelta(hours=1)
BEHIND = timedelta(hours=3)
"""How far detection may lag before the page says so."""


def now(request: Request) -> Response:
    """What moves now."""
    desk = desk_of(request)
    with desk.store.transaction() as tx:
        wall = desk.now()
        frames = readings.read_frames(tx, wall)
        alerts = listings.read_alerts(tx, wall, limit=ALERTS).alerts
        feeds = listings.read_feeds(tx, wall).feeds
        told = _hours(tx, frames.present)
        kept = calibrations.read_calibration(tx)
        moved = any(p.posts for points in told[1].values() for p in points)
        before = None if moved else _before(tx, told[0][0])
        quotes = overview.alert_quotes(tx, [f.alert_id for f in frames.frames if f.alert_id])
    return page(request, "now.html", before=before, kept=kept, frames=frames, present=frames.present, alerts=alerts,
                quotes=quotes, **_seen(frames, told), **_listened(told[0], told[2]), **_feeds(feeds))  # fmt: skip


def _before(tx: Connection, since: datetime) -> tuple[str, datetime] | None:
    """Where no post of this period carries a frame: a codebook under which posts of before are kept, and until when."""
    found = [(c["codebook"], overview.last_carried(tx, c["version_id"], readings.EVERYTHING, since))
             for c in codebooks.current_codebooks(tx)]  # fmt: skip
    return max(((name, at) for name, at in found if at), key=lambda of: of[1], default=None)


Hours = tuple[list[datetime], dict[overview.Key, list[overview.Hour]], list[float | None]]
"""The hours of the period, what was judged of each frame, and coverage."""


def _hours(tx: Connection, present: datetime) -> Hours:
    starts = readings.whole_steps(None, None, HOUR, present)
    until = starts[-1] + HOUR
    return starts, overview.verdict_series(tx, starts[0], until), readings.heard(tx, starts, HOUR, present=present)


def _seen(frames: wire.Frames, told: Hours) -> dict[str, Any]:
    starts, series, heard = told
    day, week = frames.present - timedelta(days=1), frames.present - LATELY
    charts, moves, lately = {}, {}, {}
    for frame in frames.frames:
        key = (frame.codebook, frame.frame)
        judged = series.get(key, [])
        charts[key] = chart.draw(_every(starts, judged, heard))
        moves[key] = movement(p for p in judged if p.at >= day)
        lately[key] = movement(p for p in judged if p.at >= week)
    newest = max((points[-1].at for points in series.values()), default=None)
    behind = newest is not None and frames.present - newest > BEHIND
    return {"ranked": words.ranked(frames.frames, moves), "charts": charts, "moves": moves, "lately": lately,
            "moved": [f.title for f in frames.frames if (m := lately[f.codebook, f.frame]) and m.bursts],
            "judged_until": newest + HOUR if newest else None, "behind": behind}  # fmt: skip


def _every(starts: list[datetime], judged: list[overview.Hour], heard: list[float | None]) -> list[overview.Hour]:
    """Every hour of the period; of those not judged yet only whether they were heard is known."""
    at = {p.at: p for p in judged}
    pairs = zip(starts, heard, strict=True)
    return [at.get(start) or overview.Hour(start, coverage=covered) for start, covered in pairs]


def _listened(starts: list[datetime], heard: list[float | None]) -> dict[str, Any]:
    return {"strip": strip(starts, heard), "heard_now": next((h for h in reversed(heard) if h is not None), None)}


def _feeds(feeds: tuple[Any, ...]) -> dict[str, Any]:
    troubled = sorted(feeds, key=lambda f: (f.failures == 0, f.warning is None, f.state, f.feed_id))
    return {"feeds": troubled[:FEEDS], "more_feeds": max(len(feeds) - FEEDS, 0)}
