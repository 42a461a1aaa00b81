"""Posts as a list: by frame, words, source, language and period, a page at a time, under an address that can be shared.

It writes nothing.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from schemas import wire
from schemas.errors import PermanentError
from services.console.desk import desk_of, page
from services.console.pages.frames import PERIODS, day_of, end_of
from services.store import feeds, listings, overview, readings
from services.store import posts as rows
from services.store.pool import Connection
from services.usecases.thresholds import carried_from

LISTED = 30
_WORD = {"source": re.compile("[a-z0-9_-]{1,40}"), "lang": re.compile("[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*"),
         "codebook": re.compile("[a-z0-9-]{1,80}"), "frame": re.compile("[a-z0-9-]{1,80}")}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asked:
    """Which posts, and where the page begins."""

    q: str
    frame: str
    codebook: str
    source: str
    lang: str
    days: str
    before: str
    until: str

    def link(self, **change: str) -> str:
        """The address of this list with something changed."""
        names = ("q", "frame", "codebook", "source", "lang", "days", "until", "before")
        told = {name: change.get(name, getattr(self, name)) for name in names}
        if not told["frame"]:
            told["codebook"] = ""
        usual = {"days": "14"}
        query = urlencode({k: v for k, v in told.items() if v and v != usual.get(k)})
        return "/posts" + (f"?{query}" if query else "")


def asked_of(request: Request) -> Asked:
    """What a request asks for; what is not in its form is left out."""
    given = request.query_params
    told = {name: v if form.fullmatch(v := given.get(name, "")) else "" for name, form in _WORD.items()}
    # One field names frame and codebook, so that a list of frames is one choice.
    frame, _, codebook = given.get("of", "").partition("@")
    if _WORD["frame"].fullmatch(frame):
        told |= {"frame": frame, "codebook": codebook if _WORD["codebook"].fullmatch(codebook) else ""}
    days = given.get("days", "14")
    return Asked(
        q=" ".join(given.get("q", "").split())[:200], days=days if days in PERIODS else "14",
        before=given.get("before", "")[:80], until=day_of(given.get("until", "")), **told,
    )  # fmt: skip


def posts(request: Request) -> Response:
    """A page of posts, newest first."""
    desk, asked = desk_of(request), asked_of(request)
    at, post_id = _position(asked.before)
    about: dict[str, Any] = {"frame": asked.frame or None, "codebook": asked.codebook or None}
    filters = {"source": asked.source or None, "lang": asked.lang or None}
    with desk.store.transaction() as tx:
        wall = desk.now()
        present = feeds.present(tx, wall)
        until = end_of(asked.until, present)
        since = (until or present) - timedelta(days=int(asked.days))
        wanted = {**about, **filters, "q": asked.q or None, "before": at, "before_id": post_id}
        found = listings.read_posts(tx, wall, since=since, until=until, limit=LISTED + 1, **wanted)
        told: dict[str, Any] = {"newer": _newer(tx, asked, found.posts, about, filters) if at else None}
        frames = readings.read_frames(tx, wall).frames
        told |= {"frames": frames, "kinds": _kinds(tx, about, since, until or present) if frames else {}}
        told["threshold"] = _threshold(tx, about)
        told["named"] = {f.frame: f.title for f in frames if f.codebook == found.codebook}
    shown = found.posts[:LISTED]
    older = asked.link(before=_word(shown[-1].published_at, shown[-1].post_id)) if len(found.posts) > LISTED else None
    return page(request, "posts.html", asked=asked, posts=shown, found=found, present=found.present, older=older,
                periods=PERIODS, **told)  # fmt: skip


def _threshold(tx: Connection, about: dict[str, Any]) -> float | None:
    """From which probability on a post carries the one frame that is asked for; None where none is, or nobody knows."""
    if about["frame"] is None:
        return None
    return carried_from(tx, readings.current_frame(tx, **about)["version_id"]).get(about["frame"])


def _kinds(tx: Connection, about: dict[str, Any], since: datetime, present: datetime) -> dict[str, list[str]]:
    """The sources and languages that posts of the period have, most first."""
    row = readings.current_frame(tx, about["frame"] or readings.EVERYTHING, about["codebook"])
    period = {"version_id": row["version_id"], "frame": row["frame"], "since": since, "until": present}
    return {by: [str(p["part"]) for p in overview.parts(tx, by, **period)] for by in ("source", "lang")}


def _newer(
    tx: Connection, asked: Asked, posts: tuple[wire.Post, ...], about: dict[str, Any], filters: dict[str, Any]
) -> str:
    """The address of the page before this one; of words, and where none is known, that of the newest."""
    if asked.q or not posts:
        return asked.link(before="")
    after = {**filters, "after": posts[0].published_at, "after_id": posts[0].post_id, "limit": LISTED + 1}
    if about["frame"] is None:
        found = rows.newer_posts(tx, **after)
    else:
        try:
            row = readings.current_frame(tx, about["frame"], about["codebook"])
        except PermanentError:
            return asked.link(before="")
        found = rows.newer_posts_of_frame(tx, **after, version_id=row["version_id"], frame=about["frame"])
    if len(found) <= LISTED:
        return asked.link(before="")
    return asked.link(before=_word(found[-1]["published_at"], found[-1]["post_id"]))


def _word(at: datetime, post_id: int) -> str:
    return f"{at.isoformat()}_{post_id}"


def _position(word: str) -> tuple[datetime | None, int | None]:
    """Where a page begins; from the newest for anything that is not a position of ours."""
    at, _, post_id = word.rpartition("_")
    if not re.fullmatch("[0-9]{1,18}", post_id, re.ASCII):
        return None, None
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        return None, None
    return (moment, int(post_id)) if moment.tzinfo else (None, None)
