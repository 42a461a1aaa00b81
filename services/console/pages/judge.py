"""Judging: one post at a time, blind, by keyboard alone; and how good the frames are by what was judged so far."""

import secrets
from typing import Any, cast
from urllib.parse import quote, unquote

from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from schemas import wire_labels
from schemas.errors import PermanentError, Reason
from services.console.desk import actor, desk_of, page
from services.console.forms import Form, onward
from services.store import draws, feeds, labels, qualities, readings
from services.store.pool import Row

COOKIE = "framewatch-judge"
ANSWERS: dict[labels.Answer, tuple[str, str, str]] = {
    "yes": ("y", "Yes", "it carries the frame"),
    "no": ("n", "No", "it does not"),
    "unsure": ("u", "Unsure", "it cannot be told"),
}
"""Key, word and meaning."""
A_YEAR_S = 365 * 86_400
_NAME: TypeAdapter[str] = TypeAdapter(wire_labels.Judge)


def judge(request: Request) -> Response:
    """The next post to be judged, of the frame asked for while that has any, else of the one with most to do."""
    desk, who = desk_of(request), name_of(request)
    with desk.store.transaction() as tx:
        wall = desk.now()
        present = feeds.present(tx, wall)
        frames = labels.count_unjudged(tx, who, labels.oldest_week(present))
        frame = _chosen(frames, request)
        found = labels.next_unjudged(tx, frame, who, present=present, limit=1) if frame else []
        good = qualities.read_quality(tx, wall)
    left = sum(f["unjudged"] for f in frames)
    return page(request, "judge.html", frames=frames, frame=frame, sample=found[0] if found else None, left=left,
                present=present, who=who, answers=ANSWERS, good=good, undo=_undo(request))  # fmt: skip


def _chosen(frames: list[Row], request: Request) -> Row | None:
    asked = request.query_params.get("codebook"), request.query_params.get("frame")
    waiting = [f for f in frames if f["unjudged"]]
    mine = next((f for f in waiting if (f["codebook"], f["frame"]) == asked), None)
    return mine or max(waiting, key=lambda f: f["unjudged"], default=None)


def _undo(request: Request) -> dict[str, str] | None:
    """What was judged last, so that it can be taken back."""
    asked = {name: request.query_params.get(name, "") for name in ("codebook", "frame", "last")}
    return asked if asked["last"].isdecimal() and asked["frame"] else None


def answer(request: Request, form: Form) -> Response:
    """Keep an answer, or take the last one back, and go on to the next post."""
    desk, who = desk_of(request), name_of(request)
    given = form.get("answer", "")
    if not form.get("post", "").isdecimal() or len(form["post"]) > 18 or given not in (*ANSWERS, "undo"):
        raise PermanentError(Reason.BAD_INPUT, "say what is judged, and how")
    post_id = int(form["post"])
    with desk.store.transaction() as tx:
        frame = readings.current_frame(tx, form.get("frame", ""), form.get("codebook") or None)
        about: dict[str, Any] = {
            "codebook": frame["codebook"],
            "frame": frame["frame"],
            "post_id": post_id,
            "judge": who,
        }
        if given == "undo":
            labels.remove_label(tx, **about)
        else:
            labels.add_label(tx, **about, answer=cast(labels.Answer, given), now=desk.now())
    last = "" if given == "undo" else str(post_id)
    return onward("/judge", codebook=frame["codebook"], frame=frame["frame"], last=last)


def draw(request: Request, _: Form) -> Response:
    """Draw the running week's samples now."""
    desk = desk_of(request)
    with desk.store.transaction() as tx:
        drawn = draws.draw_now(tx, desk.now(), secrets.randbits(53))
    return onward("/judge", "drawn" if drawn else "drawn-before")


def rename(_: Request, form: Form) -> Response:
    """Remember under which name this browser judges."""
    try:
        name = _NAME.validate_python(form.get("name", ""))
    except ValidationError:
        raise PermanentError(Reason.BAD_INPUT, "give a name of 1 to 60 letters, the same every time") from None
    to = onward("/judge")
    to.set_cookie(COOKIE, quote(name, safe=""), max_age=A_YEAR_S, httponly=True, samesite="lax")
    return to


def name_of(request: Request) -> str:
    """Under which name this browser judges: the one given here, else that of whoever is signed in."""
    try:
        return _NAME.validate_python(unquote(request.cookies.get(COOKIE, ""), errors="strict"))
    except (ValidationError, UnicodeDecodeError):
        return actor(request)
