"""The routes of judging: samples to be judged (blind), answers, and how good frames are. They decide nothing."""

import secrets
from typing import Annotated

from fastapi import APIRouter, Body, Depends, Query
from pydantic import Field

from schemas import wire_labels
from services.api.alerting import Preflighted
from services.api.callers import Actor, needs
from services.api.questions import Codebook, Question
from services.api.routes import FAULTS, Means, means
from services.store import draws, feeds, labels, qualities, readings

judging = APIRouter(prefix="/api/v1", tags=["labels"], responses=FAULTS)
By = Annotated[Means, Depends(means)]
MOST = 100


class SampleQuestion(Question):
    """Whose samples of which frame."""

    frame: Annotated[str, Field(description="Id of the frame.", pattern=wire_labels.ID, max_length=80)]
    codebook: Codebook = None
    judge: Annotated[wire_labels.Judge | None, Field(description="Who is asked; left out: the token's name.")] = None
    limit: Annotated[int, Field(description="Most samples.", ge=1, le=MOST)] = 10


@judging.get("/quality", summary="How good each frame is, as people judged")
def quality(by: By) -> wire_labels.Qualities:
    """Precision and recall with 95 % intervals, and how far the judges agree."""
    with by.store.transaction() as tx:
        return qualities.read_qualities(tx, by.now())


@judging.get("/samples", summary="Posts that a judge has still to judge")
def samples(by: By, actor: Actor, asked: Annotated[SampleQuestion, Query()]) -> wire_labels.Samples:
    """Blind: nothing is told of what the model said. The order says nothing of it either."""
    judge = asked.judge or actor
    with by.store.transaction() as tx:
        frame = readings.current_frame(tx, asked.frame, asked.codebook)
        present = feeds.present(tx, by.now())
        found = labels.next_unjudged(tx, frame, judge, present=present, limit=asked.limit)
    about = {k: frame[k] for k in ("codebook", "frame", "title", "description")}
    told = tuple(wire_labels.Sample(**readings.fields_of(wire_labels.Sample, row)) for row in found)
    return wire_labels.Samples(**about, judge=judge, samples=told)


@judging.post(
    "/samples",
    summary="Draw the running week's samples now",
    dependencies=Preflighted,
    openapi_extra=needs("write"),
)
def draw(by: By) -> wire_labels.Draws:
    """Every whole week is drawn by itself; this is for those who would judge today. A week is drawn once."""
    with by.store.transaction() as tx:
        return wire_labels.Draws(frames=draws.draw_now(tx, by.now(), secrets.randbits(53)))


@judging.post("/labels", summary="Judge a post", dependencies=Preflighted, openapi_extra=needs("write"))
def label(by: By, actor: Actor, told: Annotated[wire_labels.NewLabel, Body()]) -> wire_labels.Label:
    """Idempotent: a judge has one answer a post and frame, and the last one counts."""
    judge = told.judge or actor
    with by.store.transaction() as tx:
        frame = readings.current_frame(tx, told.frame, told.codebook)
        about = {"codebook": frame["codebook"], "frame": frame["frame"], "post_id": told.post_id, "judge": judge}
        kept = labels.add_label(tx, **about, answer=told.answer, now=by.now())
    return wire_labels.Label(**about, **kept)
