"""The route that tells of alerts and trend points as they come: server-sent events. It decides nothing.

A listener holds no connection to the database: every second or so it asks what is new, in a transaction of its own.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from schemas import wire
from schemas.errors import TransientError
from services.api import questions
from services.api.problems import too_often
from services.api.routes import FAULTS, Means, With
from services.store import feeds, news, readings
from services.store.pool import Row

EVERY_S = 1.0
HEARTBEAT_S = 15.0
LIFE_S = 900.0
"""A connection ends after this and is made again by every client, with the token it then has."""
COME_BACK_S = 5.0
MOST = 64
"""Listeners of one process."""
_STEP = readings.BUCKET
_LOOK_BACK = 3 * _STEP
_POSITION = r"^[0-9]{1,19}-[0-9]{1,18}$"

router = APIRouter(prefix="/api/v1", tags=["events"], responses=FAULTS)
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "`event: alert`, with an id to go on from: {move: raised | escalated | acknowledged | snoozed | "
        "resolved, alert: as in /alerts}. `event: trend`: {codebook, version, frame (`*`: all posts), at, step_seconds,"
        " posts}, of five minutes, again whenever its number changes. A comment every 15 s when there is nothing.",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
}


class EventsQuestion(questions.Question):
    """What to be told of."""

    of: Annotated[Literal["all", "alerts", "trends"], questions.about("What to be told of.")] = "all"
    frame: questions.Frame = None


@dataclass(slots=True)
class Ear:
    """How far one listener has come."""

    asked: EventsQuestion
    position: news.Position
    points: dict[tuple[str, str, datetime], int] = field(default_factory=dict)

    def hears(self, frame: str | None) -> bool:
        """Whether it wants to know of a frame."""
        return self.asked.frame in (None, frame)


@router.get("/events", summary="Alerts and trend points as they come", responses=_ANSWERS,
            response_class=StreamingResponse)  # fmt: skip
def events(
    by: With, request: Request, asked: Annotated[EventsQuestion, Query()],
    last_event_id: Annotated[
        str | None, Header(description="The last id that was seen: what came after it is told first.",
                           pattern=_POSITION, max_length=40),
    ] = None,
) -> Response:  # fmt: skip
    """Server-sent events; without Last-Event-ID from now on. Past trend points are not repeated: read /trends."""
    state = request.app.state
    if state.listeners >= MOST:
        return too_often(COME_BACK_S)
    if last_event_id is None:
        with by.store.transaction() as tx:
            position = news.last_move(tx)
    else:
        xid, _, move = last_event_id.partition("-")
        position = (xid, int(move))
    return StreamingResponse(_told(by, state, Ear(asked, position)), media_type="text/event-stream",
                             headers={"X-Accel-Buffering": "no"})  # fmt: skip


async def _told(by: Means, state: Any, ear: Ear) -> AsyncIterator[bytes]:
    """The stream of one listener, until it leaves, its time is over or the process stops."""
    state.listeners += 1
    try:
        yield b"retry: 3000\n\n"
        lived = quiet = 0.0
        while lived < LIFE_S and not state.stopping():
            said = await run_in_threadpool(_news, by, ear)
            quiet = 0.0 if said else quiet + EVERY_S
            if said:
                yield said
            elif quiet >= HEARTBEAT_S:
                quiet = 0.0
                yield b": still here\n\n"
            await asyncio.sleep(EVERY_S)
            lived += EVERY_S
    finally:
        state.listeners -= 1


def _news(by: Means, ear: Ear) -> bytes:
    try:
        with by.store.transaction() as tx:
            moves = news.moves_since(tx, ear.position) if ear.asked.of != "trends" else []
            points: list[Row] = []
            if ear.asked.of != "alerts":
                present = feeds.present(tx, by.now())
                points = news.newest_points(tx, readings.floor(present, _STEP) - _LOOK_BACK, present)
    except TransientError:
        return b": the database is away\n\n"
    told = [_move(m) for m in moves if ear.hears(m["frame"])]
    if moves:
        ear.position = (moves[-1]["xid"], moves[-1]["move_id"])
    return b"".join([*told, *(_point(p) for p in _changed(ear, points))])


def _changed(ear: Ear, points: list[Row]) -> list[Row]:
    """The points that are new to a listener; those that have grown old are forgotten."""
    now = {(p["codebook"], p["frame"], p["bucket"]): p["posts"] for p in points}
    found = [p for p in points if ear.points.get((p["codebook"], p["frame"], p["bucket"])) != p["posts"]]
    ear.points = now
    return [p for p in found if ear.hears(p["frame"])]


def _move(row: Row) -> bytes:
    alert = wire.AlertLine(**readings.fields_of(wire.AlertLine, row)).model_dump(mode="json")
    return _event("alert", {"move": row["move"], "alert": alert}, f"{row['xid']}-{row['move_id']}")


def _point(row: Row) -> bytes:
    about = {k: row[k] for k in ("codebook", "version", "frame", "posts")}
    at = row["bucket"].isoformat().replace("+00:00", "Z")
    return _event("trend", {**about, "at": at, "step_seconds": int(_STEP / timedelta(seconds=1))})


def _event(name: str, data: Any, identity: str = "") -> bytes:
    """One event, as the HTML standard (9.2.6) has it; JSON holds no line break."""
    head = f"id: {identity}\n" if identity else ""
    return f"{head}event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode("utf-8", "replace")
