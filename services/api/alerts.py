"""The routes that tell of alerts: lists by cursor, and one with its evidence. They decide nothing."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from schemas import wire, wire_alerts
from services.api import questions
from services.api.routes import FAULTS, With
from services.api.tables import CSV, AsCsv, table
from services.store import listings
from services.store.rechecks import recheck
from services.store.sharing import STIX, stix_of

router = APIRouter(prefix="/api/v1", tags=["alerts"], responses=FAULTS)
AlertId = Annotated[str, Path(description="Id of the alert.", max_length=64)]
_STIX: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A STIX bundle: https://docs.oasis-open.org/cti/stix/v2.1/os/stix-v2.1-os.html.",
        "content": {STIX: {"schema": {"type": "object", "required": ["type", "id", "objects"]}}},
    }
}


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


@router.get("/alerts/{alert_id}/stix", summary="One alert as a STIX 2.1 bundle", responses=_STIX,
            response_class=Response)  # fmt: skip
def alert_as_stix(by: With, alert_id: AlertId) -> Response:
    """For OpenCTI, MISP and the like: incident, narrative, the DISARM techniques of its frame, and the posts it quotes.

    Ids are made from what things are, so that a later export updates an earlier one. Authors stay pseudonyms. 400 for
    an alert that tells of what was not heard.
    """
    listings.check_alert_id(alert_id)
    with by.store.transaction() as tx:
        told = stix_of(tx, alert_id)
    name = f"attachment; filename=alert-{alert_id}.stix.json"
    return Response(json.dumps(told, ensure_ascii=False), media_type=STIX, headers={"Content-Disposition": name})


@router.get("/alerts/{alert_id}/recheck", summary="What of an alert's evidence stored data no longer says")
def recheck_alert(by: With, alert_id: AlertId) -> wire_alerts.Recheck:
    """Recomputed from stored posts and scores; 400 where nothing was counted or the scores are gone."""
    with by.store.transaction() as tx:
        listings.check_alert_id(alert_id)
        return wire_alerts.Recheck.model_validate(recheck(tx, alert_id))
