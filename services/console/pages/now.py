"""The first page: what moves, ranked by evidence, what was heard, and what the team was told. It writes nothing."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from schemas import wire
from services.analysis import drawing, health
from services.analysis.moving import Movement, movement
from services.console import chart, words
from services.console.desk import desk_of, page
from services.console.strip import strip
from services.store import calibrations, codebooks, listings, over_time, overview, readings
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
        alerts = overview.filtered_alerts(tx, limit=ALERTS)
        feeds = listings.read_feeds(tx, wall).feeds
        starts = over_time.whole_steps(None, None, HOUR, frames.present)
        heard = readings.heard(tx, starts, HOUR, present=frames.present)
        found = _judged(tx, frames, starts)
        kept = calibrations.read_calibration(tx)
        before = None if found.carried else _before(tx, starts[0])
        quotes = overview.alert_quotes(tx, [f.alert_id for f in frames.frames if f.alert_id])
    return page(
        request, "now.html", before=before, kept=kept, frames=frames, present=frames.present, alerts=alerts,
        quotes=quotes, **_seen(frames, found, (starts, heard)), **_listened(starts, heard), **_feeds(feeds),
    )  # fmt: skip


def _before(tx: Connection, since: datetime) -> tuple[str, datetime] | None:
    """Where no post of this period carries a frame: a codebook under which posts of before are kept, and until when."""
    found = [(c["codebook"], overview.last_carried(tx, c["version_id"], readings.EVERYTHING, since))
             for c in codebooks.current_codebooks(tx)]  # fmt: skip
    return max(((name, at) for name, at in found if at), key=lambda of: of[1], default=None)


Series = dict[overview.Key, list[overview.Hour]]
"""What was judged of frames, hour by hour."""
Moves = dict[overview.Key, Movement | None]


@dataclass(frozen=True, slots=True)
class Judged:
    """What is known of all frames, the foremost first, and the hours of those that are drawn."""

    ranked: list[wire.Frame]
    moves: Moves
    """Over the last day."""
    lately: Moves
    """Over the last week."""
    hours: Series
    """Of the whole period, of those drawn alone."""
    carried: bool
    """Whether any post of the period carries a frame."""
    newest: datetime | None
    """The newest hour that was judged."""


def _judged(tx: Connection, frames: wire.Frames, starts: list[datetime]) -> Judged:
    """What was judged of every frame. Of many, two weeks are read of those that are drawn alone."""
    present, until, few = frames.present, starts[-1] + HOUR, len(frames.frames) <= drawing.MOST
    recent = overview.verdict_series(tx, starts[0] if few else present - LATELY, until)
    carried = _carried(recent)
    if not carried and not few:
        recent = overview.verdict_series(tx, starts[0], until)
        carried = _carried(recent)
    moves, lately = _moves(frames, recent, timedelta(days=1)), _moves(frames, recent, LATELY)
    ranked = words.ranked(frames.frames, moves)
    keys = [(f.codebook, f.frame) for f in ranked]
    wanted = drawing.drawn([words.moving(f, moves[k], lately[k]) for f, k in zip(ranked, keys, strict=True)])
    chosen = [key for key, drawn in zip(keys, wanted, strict=True) if drawn]
    whole = recent if few else overview.verdict_series(tx, starts[0], until, frames=[frame for _, frame in chosen])
    newest = max((hours[-1].at for series in (recent, whole) for hours in series.values()), default=None)
    return Judged(ranked, moves, lately, {key: whole.get(key, []) for key in chosen}, carried, newest)


def _carried(series: Series) -> bool:
    return any(p.posts for hours in series.values() for p in hours)


def _moves(frames: wire.Frames, series: Series, length: timedelta) -> Moves:
    since = frames.present - length
    keys = [(f.codebook, f.frame) for f in frames.frames]
    return {key: movement(p for p in series.get(key, []) if p.at >= since) for key in keys}


def _seen(frames: wire.Frames, found: Judged, heard: tuple[list[datetime], list[float | None]]) -> dict[str, Any]:
    """Frames that are drawn in their rank, and the others by title, those that move first."""
    behind = found.newest is not None and frames.present - found.newest > BEHIND
    others = [f for f in found.ranked if (f.codebook, f.frame) not in found.hours]
    still = [words.moving(f, found.moves[f.codebook, f.frame], found.lately[f.codebook, f.frame]) for f in others]
    listed = sorted(zip(others, still, strict=True), key=lambda of: (not of[1], of[0].title.casefold(), of[0].frame))
    return {
        "ranked": [f for f in found.ranked if (f.codebook, f.frame) in found.hours], "others": [f for f, _ in listed],
        "many_move": any(still),
        "charts": {key: chart.draw(_every(*heard, hours)) for key, hours in found.hours.items()},
        "moves": found.moves, "lately": found.lately,
        "moved": [f.title for f in frames.frames if (m := found.lately[f.codebook, f.frame]) and m.bursts],
        "judged_until": found.newest + HOUR if found.newest else None, "behind": behind,
    }  # fmt: skip


def _every(starts: list[datetime], heard: list[float | None], judged: list[overview.Hour]) -> list[overview.Hour]:
    """Every hour of the period; of those not judged yet only whether they were heard is known."""
    at = {p.at: p for p in judged}
    pairs = zip(starts, heard, strict=True)
    return [at.get(start) or overview.Hour(start, coverage=covered) for start, covered in pairs]


def _listened(starts: list[datetime], heard: list[float | None]) -> dict[str, Any]:
    return {"strip": strip(starts, heard), "heard_now": next((h for h in reversed(heard) if h is not None), None)}


def _feeds(feeds: tuple[Any, ...]) -> dict[str, Any]:
    troubled = sorted(feeds, key=lambda f: (health.ORDER.index(f.health), f.feed_id))
    return {"feeds": troubled[:FEEDS], "more_feeds": max(len(feeds) - FEEDS, 0)}
