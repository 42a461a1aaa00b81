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
from services.console import pages, sign_in
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
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_OPEN = ("/sign-in", "/static/")


def create_console(store: Store, *, now: Callable[[], datetime], token: str = "", borrow: Borrow = nobody) -> Starlette:
    """The console as an ASGI app; an empty token leaves it open. `borrow` lends the encoder for the page of a post."""
    app = Starlette(
        routes=[
            Route("/", pages.now),
            Route("/frames/{codebook}/{frame}", pages.frame),
            Route("/alerts/{alert_id}", pages.alert),
            Route("/posts/{post_id}", pages.post),
            Route("/sign-in", sign_in.show, methods=["GET"]),
            Route("/sign-in", sign_in.check, methods=["POST"]),
            Route("/sign-out", sign_in.leave, methods=["POST"]),
            Mount("/static", StaticFiles(directory=STATIC)),
        ],
        middleware=[Middleware(BaseHTTPMiddleware, dispatch=_guard)],
        exception_handlers={
            TransientError: _away,
            psycopg.errors.UndefinedTable: _away,
            PermanentError: _permanent,
            HTTPException: _http,
            Exception: _bug,
        },
    )
    app.state.desk = pages.Desk(store, now, Session(token), borrow, guarded=bool(token))
    return app


async def _guard(request: Request, go_on: RequestResponseEndpoint) -> Response:
    desk: pages.Desk = request.app.state.desk
    static = request.url.path.startswith("/static/")
    if request.url.path.startswith(_OPEN) or desk.session.allows(request, desk.now()):
        answer = await go_on(request)
    else:
        answer = sign_in.ask(request)
    answer.headers.update(HEADERS)
    answer.headers["Cache-Control"] = "public, max-age=300" if static else "no-store"
    return answer


def _away(request: Request, _: Exception) -> Response:
    told = "The database is not available. This page will work again when it is back."
    answer = pages.page(request, "problem.html", status=503, title="Not available", told=told)
    answer.headers["Retry-After"] = str(RETRY_AFTER_S)
    return answer


def _permanent(request: Request, error: Exception) -> Response:
    assert isinstance(error, PermanentError)  # noqa: S101 - what we registered for
    status = 404 if error.reason is Reason.NOT_FOUND else 400
    return pages.page(request, "problem.html", status=status, title="Not found", told=f"{error}.".capitalize())


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    told = "There is no such page." if error.status_code == 404 else f"{error.detail}."
    answer = pages.page(request, "problem.html", status=error.status_code, title=error.detail, told=told)
    answer.headers.update(error.headers or {})
    return answer


def _bug(request: Request, _: Exception) -> Response:
    told = "This is a bug in framewatch; its log says more."
    answer = pages.page(request, "problem.html", status=500, title="Something broke", told=told)
    answer.headers.update({**HEADERS, "Cache-Control": "no-store"})
    return answer
