"""The routes of suggestions: read them, adopt one as a frame, dismiss one. They decide nothing and apply nothing."""

from typing import Annotated, Literal

from fastapi import APIRouter, Body, Depends, Path, Query
from pydantic import Field

from schemas import wire_suggestions as wire
from services.api.alerting import Preflighted
from services.api.callers import Actor, needs
from services.api.questions import BIGINT, Codebook, Cursor, Question, rank, rank_cursor
from services.api.routes import FAULTS, Means, means
from services.store import drafts, feeds
from services.store import suggestions as rows
from services.store.pool import Row

suggestions = APIRouter(prefix="/api/v1", tags=["suggestions"], responses=FAULTS)
By = Annotated[Means, Depends(means)]
Number = Annotated[int, Path(description="Id of the suggestion.", ge=1, le=BIGINT)]
WRITE = needs("write")


class SuggestionQuestion(Question):
    """Which suggestions."""

    state: Annotated[
        Literal["open", "dismissed", "adopted", "faded"], Field(description="Only those of this state.")
    ] = "open"
    codebook: Codebook = None
    cursor: Cursor = None
    limit: Annotated[int, Field(description="How many at most.", ge=1, le=rows.MOST)] = 20


@suggestions.get("/suggestions", summary="Groups of posts that match no frame, the most promising first")
def listed(by: By, asked: Annotated[SuggestionQuestion, Query()]) -> wire.Suggestions:
    """Made once a day; growth, independence, size and newness rank them."""
    at = rank(asked.cursor)
    with by.store.transaction() as tx:
        found = rows.list_suggestions(tx, codebook=asked.codebook, states=[asked.state], limit=asked.limit, **at)
        present = feeds.present(tx, by.now())
    following = rank_cursor(found[-1]["score"], found[-1]["suggestion_id"]) if len(found) == asked.limit else None
    return wire.Suggestions(present=present, suggestions=tuple(map(_line, found)), next=following)


@suggestions.get("/suggestions/{suggestion_id}", summary="One suggestion with typical posts and a drafted frame")
def one(by: By, suggestion_id: Number) -> wire.Suggestion:
    """One that was merged answers as what it lives on as. Erased posts are not told."""
    with by.store.transaction() as tx:
        told = drafts.tell_suggestion(tx, suggestion_id)
        present = feeds.present(tx, by.now())
    line = _line(told.row).model_dump()
    return wire.Suggestion(
        **line, present=present, draft=told.draft, typical_posts=tuple(map(_post, told.typical)),
        near_misses=tuple(map(_post, told.near)),
    )  # fmt: skip


@suggestions.post(
    "/suggestions/{suggestion_id}/adopt", summary="Take it as a frame", dependencies=Preflighted, openapi_extra=WRITE
)
def adopt(by: By, who: Actor, suggestion_id: Number, asked: Annotated[wire.Adopt, Body()]) -> wire.AdoptedSuggestion:
    """Answers with the current codebook and the drafted frame in it, to be edited, previewed and applied."""
    with by.store.transaction() as tx:
        named = {"id": asked.frame, "title": asked.title}
        done = drafts.adopt_suggestion(tx, suggestion_id, now=by.now(), by=who, **named)
    return wire.AdoptedSuggestion(suggestion=_line(done.row), frame=done.frame, codebook=done.text)


@suggestions.post(
    "/suggestions/{suggestion_id}/dismiss", summary="Not a frame", dependencies=Preflighted, openapi_extra=WRITE
)
def dismiss(by: By, who: Actor, suggestion_id: Number) -> wire.SuggestionLine:
    """It does not come back unless it grows to three times what it is now."""
    with by.store.transaction() as tx:
        return _line(rows.decide_suggestion(tx, suggestion_id, "dismissed", now=by.now(), by=who))


@suggestions.post(
    "/suggestions/{suggestion_id}/reopen", summary="Undecided after all", dependencies=Preflighted, openapi_extra=WRITE
)
def reopen(by: By, who: Actor, suggestion_id: Number) -> wire.SuggestionLine:
    """As if nothing had been decided."""
    with by.store.transaction() as tx:
        return _line(rows.decide_suggestion(tx, suggestion_id, "open", now=by.now(), by=who))


def _line(row: Row) -> wire.SuggestionLine:
    return wire.SuggestionLine(**{k: row[k] for k in wire.SuggestionLine.model_fields})


def _post(row: Row) -> wire.SuggestedPost:
    return wire.SuggestedPost(**{k: row[k] for k in wire.SuggestedPost.model_fields})
