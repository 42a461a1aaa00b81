"""The page of a post: what was made of it, and why. It writes nothing."""

import re

from starlette.requests import Request
from starlette.responses import Response

from schemas.errors import FramewatchError, PermanentError, Reason
from services.console import marks
from services.console.desk import desk_of, page
from services.store import listings
from services.why import why_post


def post(request: Request) -> Response:
    """One post: its frames, and for the frame asked for (else those it carries) why."""
    desk = desk_of(request)
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
