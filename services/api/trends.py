"""The routes of trends: one frame over time, or several over the same time. They decide nothing."""

from typing import Annotated

from fastapi import APIRouter, Query

from schemas import wire
from services.api import questions
from services.api.routes import FAULTS, With
from services.store import readings

router = APIRouter(prefix="/api/v1", tags=["narratives"], responses=FAULTS)


@router.get("/trends", summary="A frame over time")
def trends(by: With, asked: Annotated[questions.TrendQuestion, Query()]) -> wire.Trend:
    """Every step of the period is there; where nothing was heard, counts are null. `share` is what to compare."""
    with by.store.transaction() as tx:
        return readings.read_trend(tx, by.now(), **dict(asked))


@router.get("/trends/several", summary="Several frames over the same time")
def several(by: With, asked: Annotated[questions.TrendsQuestion, Query()]) -> wire.Trends:
    """Posts and shares of each, on one axis; ask /trends for voices and what was expected."""
    with by.store.transaction() as tx:
        return readings.read_trends(tx, by.now(), **dict(asked))
