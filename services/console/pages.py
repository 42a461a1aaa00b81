"""The pages: each reads the store once and fills a template. Nothing is decided here and nothing is written."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from jinja2 import ChainableUndefined, Environment, PackageLoader
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from schemas.errors import FramewatchError, PermanentError, Reason
from services.console import chart, marks, words
from services.console.session import Session
from services.store import listings, readings
from services.store.pool import Store
from services.why import Borrow, why_post

ALERTS = 8
FEEDS = 30
POSTS = 25
BEFORE = timedelta(days=5)
AFTER = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Desk:
    """What a page needs."""

    store: Store
    now: Callable[[], datetime]
    session: Session
    borrow: Borrow
    guarded: bool


@cache
def environment() -> Environment:
    """Templates that escape everything."""
    made = Environment(
        loader=PackageLoader("services.console"), autoescape=True, undefined=ChainableUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    made.filters.update(words.filters())
    made.globals["STATES"] = words.STATES
    return made


def page(request: Request, template: str, *, status: int = 200, **told: Any) -> Response:
    """A filled template."""
    desk: Desk = request.app.state.desk
    about = {"now": desk.now(), "guarded": desk.guarded, "path": request.url.path}
    return HTMLResponse(environment().get_template(template).render(**about, **told), status)


def now(request: Request) -> Response:
    """What moves now."""
    desk: Desk = request.app.state.desk
    with desk.store.transaction() as tx:
        wall = desk.now()
        frames = readings.read_frames(tx, wall)
        charts = {
            (f.codebook, f.frame): chart.draw(
                readings.read_trend(tx, wall, frame=f.frame, codebook=f.codebook).points
            )
            for f in frames.frames
        }  # fmt: skip
        told: dict[str, Any] = {
            "alerts": listings.read_alerts(tx, wall, limit=ALERTS).alerts,
            "feeds": sorted(listings.read_feeds(tx, wall).feeds, key=lambda f: (f.failures == 0, f.state, f.feed_id)),
        }
    return page(request, "now.html", frames=frames, charts=charts, present=frames.present, shown=FEEDS, **told)


def frame(request: Request) -> Response:
    """One frame: its trend, its alerts and its newest posts."""
    desk: Desk = request.app.state.desk
    about: dict[str, Any] = {name: str(request.path_params[name]) for name in ("codebook", "frame")}
    with desk.store.transaction() as tx:
        wall = desk.now()
        trend = readings.read_trend(tx, wall, **about)
        rows = readings.read_frames(tx, wall).frames
        posts = listings.read_posts(tx, wall, **about, limit=POSTS)
        alerts = listings.read_alerts(tx, wall, frame=about["frame"], limit=ALERTS).alerts
    found = next((f for f in rows if (f.codebook, f.frame) == (trend.codebook, trend.frame)), None)
    told: dict[str, Any] = {"trend": trend, "frame": found, "posts": posts.posts, "alerts": alerts}
    return page(request, "frame.html", chart=chart.draw(trend.points), present=trend.present, **told)


def alert(request: Request) -> Response:
    """One alert with its evidence."""
    desk: Desk = request.app.state.desk
    with desk.store.transaction() as tx:
        wall = desk.now()
        found = listings.read_alert(tx, wall, str(request.path_params["alert_id"]))
        drawn = None
        if found.kind == "burst" and found.frame and found.live:
            period = {"since": found.onset - BEFORE, "until": found.live.until + AFTER}
            drawn = _drawn(tx, wall, found.frame, found.codebook, period)
    return page(request, "alert.html", alert=found, chart=drawn, present=found.present)


def post(request: Request) -> Response:
    """One post: its frames, and for the frame asked for (else those it carries) why."""
    desk: Desk = request.app.state.desk
    post_id = _number(str(request.path_params["post_id"]))
    asked = {name: request.query_params.get(name) or None for name in ("frame", "codebook")}
    with desk.store.transaction() as tx:
        found = listings.read_post(tx, post_id)
    try:
        why = why_post(desk.store, desk.borrow, post_id, **asked)
    except FramewatchError as error:
        if error.reason is Reason.DATABASE_UNAVAILABLE:
            raise
        return page(request, "post.html", post=found, missing=str(error).rstrip("."))
    marked = {r.frame: marks.marked(why.text, r.words or ()) for r in why.reasons}
    return page(request, "post.html", post=found, why=why, marked=marked)


def _number(text: str) -> int:
    if not re.fullmatch("[0-9]{1,18}", text, re.ASCII):
        raise PermanentError(Reason.NOT_FOUND, "there is no such post")
    return int(text)


def _drawn(tx: Any, wall: datetime, frame: str, codebook: str | None, period: dict[str, Any]) -> chart.Chart | None:
    try:
        return chart.draw(readings.read_trend(tx, wall, frame=frame, codebook=codebook, **period).points)
    except PermanentError:
        return None  # The codebook of today no longer has the frame, or the episode is too long to draw.
