"""The pages of a post: what was made of it, and why, and posts that mean much the same. They write nothing."""

import re
from collections.abc import Mapping
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from schemas.errors import FramewatchError, PermanentError, Reason
from services.console import marks
from services.console.desk import desk_of, page
from services.store import codebooks, listings, similar
from services.usecases.why import nobody, why_post

ALIKE = 30
PERIODS = {"3": "3 days", "7": "7 days", "14": "14 days", "30": "30 days", "90": "90 days"}


def post(request: Request) -> Response:
    """One post: its frames, and for the frame asked for (else those it carries) why.

    The words that carried it need the encoder, and seconds when it rests: the page comes first without them, and its
    script (or a link) asks for them.
    """
    desk = desk_of(request)
    post_id = _number(str(request.path_params["post_id"]))
    asked = {name: request.query_params.get(name) or None for name in ("frame", "codebook")}
    with_words = bool(request.query_params.get("words"))
    with desk.store.transaction() as tx:
        found = listings.read_post(tx, post_id)
    try:
        why = why_post(desk.store, desk.borrow if with_words else nobody, post_id, **asked)
    except FramewatchError as error:
        if error.reason is Reason.DATABASE_UNAVAILABLE:
            raise
        if not with_words and error.reason is Reason.MODEL_UNAVAILABLE:
            # A post whose vector is not stored any more can only be told with the encoder.
            return page(request, "post.html", post=found, onward=_with_words(post_id, asked))
        return page(request, "post.html", post=found, missing=str(error).rstrip("."))
    marked = {r.frame: marks.marked(why.text, r.words or ()) for r in why.reasons}
    later = "" if with_words else _with_words(post_id, asked)
    return page(request, "post.html", post=found, why=why, marked=marked, onward=later)


def alike(request: Request) -> Response:
    """The posts that mean much the same as one, nearest first."""
    desk = desk_of(request)
    post_id = _number(str(request.path_params["post_id"]))
    days = request.query_params.get("days", "14")
    days = days if days in PERIODS else "14"
    with desk.store.transaction() as tx:
        found = similar.read_similar(tx, desk.now(), post_id, days=int(days), limit=ALIKE)
        current = codebooks.current_codebooks(tx)
        book = current[0]["codebook"] if current else ""
        named = {f["frame"]: f["title"] for f in codebooks.list_frames(tx) if f["codebook"] == book}
    return page(request, "alike.html", found=found, days=days, periods=PERIODS, named=named, book=book)


def _with_words(post_id: int, asked: Mapping[str, str | None]) -> str:
    """The address of the page with the words told, which takes the encoder a moment."""
    return f"/posts/{post_id}?{urlencode({**{k: v for k, v in asked.items() if v}, 'words': '1'})}"


def _number(text: str) -> int:
    if not re.fullmatch("[0-9]{1,18}", text, re.ASCII):
        raise PermanentError(Reason.NOT_FOUND, "there is no such post")
    return int(text)
