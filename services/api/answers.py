"""The routes of what judges answered: a list by cursor, and taking one back. They decide nothing.

Who judges is told no other judge's answers: one sees those of one's own name, or holds a token that may do everything.
"""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field

from schemas import wire_labels
from schemas.errors import PermanentError, Reason
from services.analysis.permitting import told_answers_of
from services.api import questions
from services.api.callers import needs
from services.api.routes import FAULTS, With
from services.api.tables import CSV, AsCsv, table
from services.store import feeds, labels

router = APIRouter(prefix="/api/v1", tags=["labels"], responses=FAULTS)
LabelId = Annotated[int, Path(description="Number of the label.", ge=1, le=questions.BIGINT)]


class WhoseQuestion(questions.Question):
    """Whose answer is taken back."""

    judge: Annotated[
        wire_labels.Judge | None,
        Field(description="Who answered. Left out: the token's name; for a token of the scope admin, anybody."),
    ] = None


class LabelQuestion(questions.Question):
    """Which answers."""

    frame: Annotated[str | None, Field(description="Only this frame.", pattern=wire_labels.ID, max_length=80)] = None
    codebook: Annotated[str | None, Field(description="Only this codebook.", pattern=wire_labels.ID, max_length=80)] = (
        None
    )
    post_id: Annotated[int | None, Field(description="Only this post.", ge=1, le=questions.BIGINT)] = None
    judge: Annotated[
        wire_labels.Judge | None,
        Field(description="Only this judge. Left out: the token's name; for a token of the scope admin, everybody."),
    ] = None
    answer: Annotated[wire_labels.Answer | None, Field(description="Only this answer.")] = None
    origin: Annotated[
        wire_labels.Origin | None, Field(description="Only of posts drawn as samples, or picked by hand.")
    ] = None
    since: Annotated[questions.Time | None, Field(description="Answered from then on, by the clock: RFC 3339.")] = None
    until: Annotated[questions.Time | None, Field(description="Answered before then, by the clock: RFC 3339.")] = None
    cursor: questions.Cursor = None
    limit: questions.Limit = 50


@router.get(
    "/labels",
    summary="What judges answered, the newest first",
    response_model=wire_labels.LabelPage,
    responses=CSV,
    openapi_extra=needs("write"),
)
def listed(
    by: With, request: Request, asked: Annotated[LabelQuestion, Query()], as_csv: AsCsv
) -> wire_labels.LabelPage | Response:
    """A judge is told what he answered himself, so that nobody else's answer sways him; a token of the scope admin is
    told everybody's. Who answers anew goes to the top: to keep a copy up to date, ask `since` the last time again.
    """
    told = dict(asked)
    told |= questions.position(told.pop("cursor"), int)
    told["judge"] = told_answers_of(request.state.caller, asked.judge)
    with by.store.transaction() as tx:
        found = labels.page_of_labels(tx, **told)
        present = feeds.present(tx, by.now())
    following = questions.cursor(found[-1]["judged_at"], found[-1]["label_id"]) if len(found) == asked.limit else None
    page = wire_labels.LabelPage(
        present=present, labels=tuple(wire_labels.LabelLine(**r) for r in found), next=following
    )
    return table(request, wire_labels.LabelLine, page.labels, following) if as_csv else page


@router.delete("/labels/{label_id}", summary="Take an answer back", status_code=204, openapi_extra=needs("write"))
def take_back(by: With, request: Request, label_id: LabelId, asked: Annotated[WhoseQuestion, Query()]) -> Response:
    """The post is asked about again if it was a sample. 404 when there is no such label, or it is somebody else's."""
    judge = asked.judge or told_answers_of(request.state.caller, None)
    with by.store.transaction() as tx:
        if not labels.remove_label_by_id(tx, label_id, judge):
            whose = f" of {judge}" if judge else ""
            raise PermanentError(Reason.NOT_FOUND, f"there is no label {label_id}{whose}")
    return Response(status_code=204)
