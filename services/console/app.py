"""Puts the console together: routes, sign-in, headers, errors. It opens nothing itself; store and clock are given."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import psycopg.errors
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from schemas.errors import PermanentError, Reason, TransientError
from services.analysis.alerting import Rule
from services.console import sign_in
from services.console.desk import Desk, page
from services.console.forms import is_ours, posted
from services.console.pages import alerts, codebooks, explore, feeds, frames, judge, now, posts, suggestions
from services.console.session import Session
from services.store.pool import Store
from services.why import Borrow, nobody

STATIC = Path(__file__).parent / "static"
RETRY_AFTER_S = 5
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self';"
        " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_OPEN = ("/sign-in", "/static/")
PAGES = [
    Route("/", now.now),
    Route("/frames/{codebook}/{frame}", frames.frame),
    Route("/alerts", alerts.alerts),
    Route("/alerts/{alert_id}.json", alerts.export),
    Route("/alerts/{alert_id}", alerts.alert),
    Route("/alerts/{alert_id}/{action}", posted(alerts.act), methods=["POST"]),
    Route("/posts/{post_id}", posts.post),
    Route("/feeds", feeds.feeds, methods=["GET"]),
    Route("/feeds", posted(feeds.act), methods=["POST"]),
    Route("/feeds/add", posted(feeds.add), methods=["POST"]),
    Route("/codebook", codebooks.edit),
    Route("/codebook/preview", posted(codebooks.try_out, most=codebooks.MOST), methods=["POST"]),
    Route("/codebook/apply", posted(codebooks.apply, most=codebooks.MOST), methods=["POST"]),
    Route("/codebook/rollback", posted(codebooks.roll_back), methods=["POST"]),
    Route("/explore/save", posted(explore.save, most=explore.MOST), methods=["POST"]),
    Route("/explore", explore.form, methods=["GET"]),
    Route("/explore", posted(explore.look, most=explore.MOST), methods=["POST"]),
    Route("/suggestions", suggestions.suggestions),
    Route("/suggestions/run", posted(suggestions.run), methods=["POST"]),
    Route("/suggestions/{suggestion_id}", suggestions.suggestion),
    Route("/suggestions/{suggestion_id}/{decision}", posted(suggestions.decide), methods=["POST"]),
    Route("/judge", judge.judge, methods=["GET"]),
    Route("/judge", posted(judge.answer), methods=["POST"]),
    Route("/judge/draw", posted(judge.draw), methods=["POST"]),
    Route("/judge/name", posted(judge.rename), methods=["POST"]),
    Route("/sign-in", sign_in.show, methods=["GET"]),
    Route("/sign-in", sign_in.check, methods=["POST"]),
    Route("/sign-out", sign_in.leave, methods=["POST"]),
]


def create_console(
    store: Store, *, now: Callable[[], datetime], token: str = "", borrow: Borrow = nobody, rule: Rule | None = None
) -> Starlette:
    """The console as an ASGI app; an empty token leaves it open.

    `borrow` lends the encoder, `rule` is the rule of the settings.
    """
    app = Starlette(
        routes=[*PAGES, Mount("/static", StaticFiles(directory=STATIC))],
        middleware=[Middleware(BaseHTTPMiddleware, dispatch=_guard)],
        exception_handlers={
            TransientError: _away,
            psycopg.errors.UndefinedTable: _away,
            PermanentError: _permanent,
            HTTPException: _http,
            Exception: _bug,
        },
    )
    app.state.desk = Desk(store, now, Session(token), borrow, rule or Rule(), guarded=bool(token))
    return app


async def _guard(request: Request, go_on: RequestResponseEndpoint) -> Response:
    desk: Desk = request.app.state.desk
    static = request.url.path.startswith("/static/")
    if not _storable(request):
        answer = page(request, "problem.html", status=404, title="Not found", told="There is no such page.")
    elif not is_ours(request):
        answer = page(request, "problem.html", status=403, title="Not from here", told=FORGED)
    elif request.url.path.startswith(_OPEN) or desk.session.allows(request, desk.now()):
        answer = await go_on(request)
    else:
        answer = sign_in.ask(request)
    answer.headers.update(HEADERS)
    answer.headers["Cache-Control"] = "public, max-age=300" if static else "no-store"
    return answer


def _storable(request: Request) -> bool:
    """Whether what is asked for is text that a database could hold: no NUL, no half of a surrogate pair."""
    asked = [request.scope["path"], *(text for pair in request.query_params.multi_items() for text in pair)]
    return not any("\0" in text or any("\ud800" <= c <= "\udfff" for c in text) for text in asked)


FORGED = "This was not sent by one of our own pages, so nothing was changed. Open the page again and use its form."


def _away(request: Request, _: Exception) -> Response:
    told = "The database is not available. This page will work again when it is back."
    answer = page(request, "problem.html", status=503, title="Not available", told=told)
    answer.headers["Retry-After"] = str(RETRY_AFTER_S)
    return answer


def _permanent(request: Request, error: Exception) -> Response:
    assert isinstance(error, PermanentError)  # noqa: S101 - what we registered for
    status, title = (404, "Not found") if error.reason is Reason.NOT_FOUND else (400, "That cannot be done")
    told = str(error).rstrip(".")
    return page(request, "problem.html", status=status, title=title, told=f"{told[:1].upper()}{told[1:]}.")


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    told = "There is no such page." if error.status_code == 404 else f"{error.detail}."
    answer = page(request, "problem.html", status=error.status_code, title=error.detail, told=told)
    answer.headers.update(error.headers or {})
    return answer


def _bug(request: Request, _: Exception) -> Response:
    told = "This is a bug in framewatch; its log says more."
    answer = page(request, "problem.html", status=500, title="Something broke", told=told)
    answer.headers.update({**HEADERS, "Cache-Control": "no-store"})
    return answer
