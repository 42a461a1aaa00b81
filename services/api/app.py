"""Puts the API together: routes, errors, guard. It opens nothing itself; store and clock are given."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any
from uuid import uuid4

from fastapi import Depends, FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from schemas.scopes import MEANING
from services.analysis.alerting import Rule
from services.analysis.intake import Intake
from services.analysis.permitting import usual_scope
from services.api import (
    alerts,
    answers,
    channels,
    codebooks,
    detection,
    digests,
    events,
    exports,
    feeds,
    frames,
    posts,
    rules,
    trends,
)
from services.api.about import ABOUT, TAGS
from services.api.alerting import alerting
from services.api.callers import OPEN, permit
from services.api.etags import Etags
from services.api.examples import illustrate
from services.api.guard import Guard
from services.api.heads import Heads
from services.api.labels import judging
from services.api.leaving import leaving
from services.api.problems import install
from services.api.push import pushes
from services.api.reference import reference
from services.api.routes import Means, probes
from services.api.suggestions import suggestions
from services.api.syndication import syndication
from services.api.tracing import HEADER, Tracing
from services.api.websub import hubs
from services.sources import Means as SourceMeans
from services.store.pool import Store
from services.usecases.why import Borrow, nobody

OPENAPI = "/api/v1/openapi.json"
_TOKENS = (
    "A token of `framewatch tokens create`, or FRAMEWATCH_API_TOKEN, which may do everything; not needed while that is "
    "empty. Each operation names the scope it needs: "
    + "; ".join(f"{scope}: {told}" for scope, told in MEANING.items())
)
_REQUEST_ID = {
    "description": "Id of the request: the one that came in X-Request-Id, if it is 1 to 128 letters, digits or "
    "._:/+=@-; else a new one. Problems and our log name it.",
    "required": True,
    "schema": {"type": "string"},
}
_TOPICS = (
    alerts, answers, channels, codebooks, detection, digests, events, exports, feeds, frames, posts, rules, trends,
)  # fmt: skip
_RULE = Rule()


def create_api(
    store: Store,
    *,
    now: Callable[[], datetime],
    intake: Callable[[], Intake],
    token: str = "",
    borrow: Borrow = nobody,
    rule: Rule = _RULE,
    public_url: str = "",
    outside: Callable[[], SourceMeans] | None = None,
    rate: int = 0,
    stopping: Callable[[], bool] = lambda: False,
    reader_of: Callable[[str], int | None] = lambda _: None,
    fresh_id: Callable[[], str] = lambda: uuid4().hex,
) -> FastAPI:
    """The API as an ASGI app; an empty token leaves it open. `borrow` lends the encoder for what is asked of words.

    `outside` is what feeds and channels are tried with; without it they cannot be.
    `rate` is the requests a minute of each token; 0 sets no limit. `stopping` says that listeners should go.
    `fresh_id` names requests whose caller has not.
    """
    app = FastAPI(
        title="framewatch",
        version="1",
        description=ABOUT,
        openapi_url=OPENAPI,
        docs_url=None,
        redoc_url=None,
        dependencies=[Depends(permit)],
        generate_unique_id_function=_named,
    )
    means = Means(store, now, intake, borrow, rule, public_url=public_url)
    app.state.means = means if outside is None else replace(means, outside=outside)
    app.state.public_url = public_url
    app.state.listeners, app.state.stopping = 0, stopping
    app.state.reader_of = reader_of
    _add_routes(app)
    install(app)
    app.add_middleware(Etags)
    app.add_middleware(Guard, store=store, now=now, token=token, rate=rate)
    app.add_middleware(Tracing, fresh=fresh_id)
    app.add_middleware(Heads)
    app.openapi = cache(lambda: describe(app))  # type: ignore[method-assign]
    return app


def _add_routes(app: FastAPI) -> None:
    app.include_router(probes)
    # Before the routes of single alerts: `dry-run` is no alert's id.
    app.include_router(alerting)
    app.include_router(syndication)
    for topic in _TOPICS:
        app.include_router(topic.router)
    for router in (judging, pushes, suggestions, hubs, leaving, reference):
        app.include_router(router)


def _named(route: APIRoute) -> str:
    """What client generators call a route: get_alerts, get_alerts_by_alert_id, post_alerts_by_alert_id_ack."""
    parts = route.path_format.removeprefix("/api/v1").replace("{", "by_").replace("}", "")
    method = min(route.methods or {"GET"}).lower()
    return "_".join([method, *filter(None, re.split("[^A-Za-z0-9_]", parts))])


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI 3.1 document: what FastAPI knows, with our errors' media type, the token and examples."""
    told = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes, tags=TAGS
    )  # fmt: skip
    for path, operations in told["paths"].items():
        for method, operation in operations.items():
            if method in ("get", "delete"):
                operation["responses"].pop("415", None)
            for status, answer in operation["responses"].items():
                answer.setdefault("headers", {})[HEADER] = {"$ref": "#/components/headers/RequestId"}
                if int(status) >= 400:
                    answer["content"] = {"application/problem+json": answer["content"]["application/json"]}
            wanted = operation.pop("x-scope", None) or usual_scope(method.upper())
            operation["security"] = [] if path in OPEN else [{"token": [wanted]}]
    about = {"type": "http", "scheme": "bearer", "description": _TOKENS}
    told["components"]["securitySchemes"] = {"token": about}
    told["components"]["headers"] = {"RequestId": _REQUEST_ID}
    illustrate(told)
    return told
