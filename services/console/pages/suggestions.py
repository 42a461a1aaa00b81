"""Suggestions: groups of posts that match no frame, to be adopted as one or dismissed."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from schemas.errors import PermanentError, Reason
from services.console.desk import actor, desk_of, page
from services.console.forms import Form, onward
from services.console.pages import codebooks
from services.store import drafts, feeds
from services.store import suggestions as rows

STATES = {"open": "to decide", "adopted": "adopted", "dismissed": "dismissed", "faded": "not seen any more"}
LISTED = 40
DECISIONS = {"dismiss": ("dismissed", "dismissed"), "reopen": ("open", "reopened")}
"""State, and what is said of it."""
PARTS = {
    "growth": "grows", "independence": "many voices", "coherence": "one story", "size": "large", "newness": "new",
}  # fmt: skip


def suggestions(request: Request) -> Response:
    """Those of a state, the most promising first."""
    desk, asked = desk_of(request), request.query_params.get("state", "open")
    state = asked if asked in STATES else "open"
    with desk.store.transaction() as tx:
        found = rows.list_suggestions(tx, states=[state], limit=LISTED)
        told: dict[str, Any] = {"present": feeds.present(tx, desk.now()), "runs": rows.list_runs(tx)}
    return page(request, "suggestions.html", found=found, state=state, states=STATES, parts_of=PARTS, **told)


def suggestion(request: Request) -> Response:
    """One, with its posts and the frame that it could become."""
    desk = desk_of(request)
    with desk.store.transaction() as tx:
        told = drafts.tell_suggestion(tx, _number(request))
        present = feeds.present(tx, desk.now())
    return page(request, "suggestion.html", told=told, row=told.row, present=present, parts_of=PARTS)


def decide(request: Request, form: Form) -> Response:
    """Adopt it (then its frame stands in the codebook's editor, not applied yet), dismiss it, or undo that."""
    desk, number = desk_of(request), _number(request)
    decision = str(request.path_params["decision"])
    if decision == "adopt":
        named = {"id": form.get("id", "").strip() or None, "title": form.get("title", "").strip()[:200] or None}
        with desk.store.transaction() as tx:
            done = drafts.adopt_suggestion(tx, number, now=desk.now(), by=actor(request), **named)
        told = f"The frame {done.frame.id} is the last in this text, as it was drafted. Preview it, then apply."
        return codebooks.proposed(request, done.text, told)
    if decision not in DECISIONS:
        raise PermanentError(Reason.NOT_FOUND, "there is nothing of this name to be done with a suggestion")
    state, done_word = DECISIONS[decision]
    with desk.store.transaction() as tx:
        rows.decide_suggestion(tx, number, state, now=desk.now(), by=actor(request))
    return onward("/suggestions" if state == "dismissed" else f"/suggestions/{number}", done_word)


def run(request: Request, _: Form) -> Response:
    """Have posts grouped at the next chance."""
    with desk_of(request).store.transaction() as tx:
        rows.ask_runs(tx)
    return onward("/suggestions", "asked")


def _number(request: Request) -> int:
    text = str(request.path_params["suggestion_id"])
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):
        raise PermanentError(Reason.NOT_FOUND, "there is no such suggestion")
    return int(text)
