"""The routes that tell of alerts: lists by cursor, and one with its evidence. They decide nothing."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from schemas import wire, wire_alerts
from services.api import questions
from services.api.routes import FAULTS, With
from services.api.tables import CSV, AsCsv, table
from services.store import listings
from services.store.rechecks import recheck

router = APIRouter(prefix="/api/v1", tags=["alerts"], responses=FAULTS)
AlertId = Annotated[str, Path(description="Id of the alert.", max_length=64)]


@router.get("/alerts", summary="Alerts, newest first", response_model=wire.AlertPage, responses=CSV)
def alerts(
    by: With, request: Request, asked: Annotated[questions.AlertQuestion, Query()], as_csv: AsCsv
) -> wire.AlertPage | Response:
    """Bursts and outages, those that go on and those that are over."""
    told = dict(asked)
    told |= questions.position(told.pop("cursor"), str)
    with by.store.transaction() as tx:
        page = listings.read_alerts(tx, by.now(), **told)
    last = page.alerts[-1] if len(page.alerts) == asked.limit else None
    following = questions.cursor(last.raised_at, last.alert_id) if last else None
    if as_csv:
        return table(request, wire.AlertLine, page.alerts, following)
    return page.model_copy(update={"next": following})


@router.get("/alerts/{alert_id}", summary="One alert with its evidence")
def alert(by: With, alert_id: AlertId) -> wire.Alert:
    """Evidence as it was when the alert fired, deliveries, and the counts as they are now."""
    with by.store.transaction() as tx:
        return listings.read_alert(tx, by.now(), alert_id)


@router.get("/alerts/{alert_id}/recheck", summary="What of an alert's evidence stored data no longer says")
def recheck_alert(by: With, alert_id: AlertId) -> wire_alerts.Recheck:
    """Recomputed from stored posts and scores; 400 where nothing was counted or the scores are gone."""
    with by.store.transaction() as tx:
        listings.check_alert_id(alert_id)
        return wire_alerts.Recheck.model_validate(recheck(tx, alert_id))
