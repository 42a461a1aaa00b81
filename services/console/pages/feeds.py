"""Feeds: how each does, in plain words, with its coverage; adding one, pausing one and enabling it again."""

from datetime import datetime, timedelta
from typing import Any

import numpy as np
from starlette.requests import Request
from starlette.responses import Response

from schemas.errors import PermanentError, Reason
from services.analysis import health, replaying
from services.analysis.confidential import feed_told
from services.analysis.coverage import coverage
from services.analysis.listing import Listed
from services.console.desk import desk_of, page
from services.console.forms import Form, onward
from services.console.health import told as health_told
from services.console.strip import Strip, strip
from services.store import feeds as rows
from services.store import listings, overview, readings
from services.store.pool import Connection, Row
from services.usecases import adding

PERIOD = timedelta(days=7)
HOUR = timedelta(hours=1)
STATES = ("enabled", "paused")


def feeds(request: Request) -> Response:
    """Every feed, what needs a person first."""
    desk = desk_of(request)
    with desk.store.transaction() as tx:
        wall = desk.now()
        present = rows.present(tx, wall)
        raw = {f["feed_id"]: f for f in map(feed_told, rows.list_feeds(tx))}
        shown = listings.read_feeds(tx, wall).feeds
        intake = overview.feed_intake(tx)
        strips, every = _strips(tx, list(raw), present)
    since = replaying.live_since(raw.values())
    told = [
        {"feed": f, "words": health_told(raw[f.feed_id], wall, since), "strip": strips[f.feed_id],
         "intake": _intake(intake.get(f.feed_id, {}))}
        for f in shown
    ]  # fmt: skip
    told.sort(key=lambda t: (health.ORDER.index(t["feed"].health), t["feed"].feed_id))
    words = [f.health for f in shown]
    counts = {
        "bad": sum(w in health.NEED_A_LOOK for w in words),
        "live": sum(w in ("heard", "new", "warning") for w in words),
    }
    how = health.counted(words)
    return page(request, "feeds.html", feeds=told, present=present, counts=counts, how=how, strip=every)


def _strips(tx: Connection, feed_ids: list[int], present: datetime) -> tuple[dict[int, Any], Strip | None]:
    """The coverage of each feed over the period, and of all of them."""
    until = readings.floor(present, HOUR) + HOUR
    starts = [until - PERIOD + i * HOUR for i in range(PERIOD // HOUR)]
    spans: dict[int, list[Row]] = {feed_id: [] for feed_id in feed_ids}
    for span in rows.spans(tx, starts[0], min(until, present)) if starts[0] < present else []:
        spans.setdefault(span["feed_id"], []).append(span)
    at = np.array([s.timestamp() for s in starts])
    heard = {feed_id: _known(coverage(at, HOUR.total_seconds(), of)) for feed_id, of in spans.items()}
    everything = _known(coverage(at, HOUR.total_seconds(), [s for of in spans.values() for s in of]))
    return {feed_id: strip(starts, of) for feed_id, of in heard.items()}, strip(starts, everything)


def _known(found: Any) -> list[float | None]:
    return [None if np.isnan(value) else float(value) for value in found]


def _intake(found: dict[str, int]) -> str:
    """What became of its posts, in words."""
    told = [f"{found[name]:,} {name}" for name in ("fetched", "new", "duplicate") if name in found]
    for outcome, count in found.items():
        kind, _, reason = outcome.partition(":")
        if kind == "dropped":
            told.append(f"{count:,} dropped ({reason.replace('_', ' ')})")
    return ", ".join(told)


def act(request: Request, form: Form) -> Response:
    """Pause a feed, or enable it again."""
    desk, number, state = desk_of(request), form.get("feed", ""), form.get("state", "")
    if state not in STATES or not number.isdecimal() or len(number) > 18:
        raise PermanentError(Reason.BAD_INPUT, "choose a feed, and whether it is to be paused or enabled")
    with desk.store.transaction() as tx:
        adding.set_state(tx, int(number), state, desk.now())
    return onward("/feeds", state)


def add(request: Request, form: Form) -> Response:
    """Add a feed by its address; what kind it is follows from that."""
    desk, address = desk_of(request), form.get("address", "").strip()
    if not address:
        raise PermanentError(Reason.BAD_INPUT, "give an address")
    feed = adding.checked(Listed(address, title=form.get("title", "").strip()[:200]))
    with desk.store.transaction() as tx:
        new = adding.add(tx, feed, adding.known_feeds(tx), desk.now())
    return onward("/feeds", "added" if new else "there")
