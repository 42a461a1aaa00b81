"""The routes of trends: one frame over time, or several over the same time. They decide nothing."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from schemas import wire
from services.api import questions
from services.api.routes import FAULTS, With
from services.api.tables import CSV, AsCsv, table
from services.store import over_time

router = APIRouter(prefix="/api/v1", tags=["narratives"], responses=FAULTS)


@router.get("/trends", summary="A frame over time", response_model=wire.Trend, responses=CSV)
def trends(
    by: With, request: Request, asked: Annotated[questions.TrendQuestion, Query()], as_csv: AsCsv
) -> wire.Trend | Response:
    """Every step of the period is there; where nothing was heard, counts are null. `share` is what to compare.

    Posts and shares are exact, and so are voices and authors of steps that are over. Those of a step that goes on and
    has more than 2,000 posts may lag behind: 15 seconds for an hour, a minute for a day, five for a week. Of one stance
    they are null where more than 8,000 posts of the period stand so.
    """
    with by.store.transaction() as tx:
        told = over_time.read_trend(tx, by.now(), **dict(asked))
    return table(request, wire.TrendPoint, told.points) if as_csv else told


@router.get("/trends/several", summary="Several frames over the same time", response_model=wire.Trends, responses=CSV)
def several(
    by: With, request: Request, asked: Annotated[questions.TrendsQuestion, Query()], as_csv: AsCsv
) -> wire.Trends | Response:
    """Posts and shares of each, on one axis; ask /trends for voices and what was expected."""
    with by.store.transaction() as tx:
        told = over_time.read_trends(tx, by.now(), **dict(asked))
    if not as_csv:
        return told
    steps = list(zip(told.at, told.coverage, told.scored, strict=True))
    rows = [
        {"at": at, "frame": f.frame, "share": f.share[i], "posts": f.posts[i], "scored": scored, "coverage": coverage,
         "stances": f.stances and f.stances[i]}
        for f in told.frames
        for i, (at, coverage, scored) in enumerate(steps)
    ]  # fmt: skip
    stood = ("stances",) if any(f.stances for f in told.frames) else ()
    return table(
        request, wire.FrameTrend, rows, columns=("at", "frame", "share", "posts", "scored", "coverage", *stood)
    )
