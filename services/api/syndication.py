"""The routes that give alerts to feed readers: Atom and JSON Feed. They decide nothing."""

from fastapi import APIRouter, Request, Response

from services.analysis.syndicating import atom, json_feed
from services.api.routes import FAULTS, With
from services.store import alerts, feeds
from services.store.pool import Row

ENTRIES = 50
syndication = APIRouter(prefix="/api/v1", tags=["alerts"], responses=FAULTS)
_ATOM = "application/atom+xml"
_JSON = "application/feed+json"


@syndication.get(
    "/alerts.atom", summary="Alerts as an Atom feed", response_class=Response, responses={200: {"content": {_ATOM: {}}}}
)
def alerts_atom(by: With, request: Request) -> Response:
    """The newest fifty; an entry's id is its alert's, for ever, and `updated` moves when it is over."""
    with by.store.transaction() as tx:
        rows, present = alerts.list_alerts(tx, limit=ENTRIES), feeds.present(tx, by.now())
    return Response(atom(rows, present=present, home=_home(request)), media_type=_ATOM)


@syndication.get(
    "/alerts.json", summary="Alerts as a JSON Feed", response_class=Response, responses={200: {"content": {_JSON: {}}}}
)
def alerts_json(by: With, request: Request) -> Response:
    """The same, for readers of JSON Feed 1.1."""
    with by.store.transaction() as tx:
        rows: list[Row] = alerts.list_alerts(tx, limit=ENTRIES)
    return Response(json_feed(rows, home=_home(request)), media_type=_JSON)


def _home(request: Request) -> str:
    return str(request.app.state.public_url).rstrip("/")
