"""Puts the console together: the door, headers, errors. It opens nothing itself; store and clock are given."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import psycopg.errors
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from schemas.errors import PermanentError, Reason, TransientError
from schemas.scopes import MEANING
from services.analysis.alerting import Rule
from services.console import sign_in
from services.console.desk import Desk, page
from services.console.forms import is_ours
from services.console.routing import PAGES, scope_of
from services.console.session import Session
from services.store.pool import Store
from services.usecases.why import Borrow, nobody

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
_OPEN = ("/sign-in", "/sign-out", "/static/")


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
    app.state.desk = Desk(store, now, Session(store, token), borrow, rule or Rule(), guarded=bool(token))
    return app


async def _guard(request: Request, go_on: RequestResponseEndpoint) -> Response:
    static = request.url.path.startswith("/static/")
    if not _storable(request):
        answer = page(request, "problem.html", status=404, title="Not found", told="There is no such page.")
    elif not is_ours(request):
        answer = page(request, "problem.html", status=403, title="Not from here", told=FORGED)
    elif request.url.path.startswith(_OPEN):
        answer = await go_on(request)
    else:
        answer = await _admit(request, go_on)
    answer.headers.update(HEADERS)
    answer.headers["Cache-Control"] = "public, max-age=300" if static else "no-store"
    return answer


async def _admit(request: Request, go_on: RequestResponseEndpoint) -> Response:
    """Let through whoever may do what is asked: deny by default, as the API does."""
    desk: Desk = request.app.state.desk
    try:
        caller = await run_in_threadpool(desk.session.caller, request, desk.now())
    except (TransientError, psycopg.errors.UndefinedTable) as error:
        return _away(request, error)
    if caller is None:
        return sign_in.ask(request)
    request.state.caller = caller
    wanted = scope_of(request)
    if wanted in caller.scopes:
        return await go_on(request)
    told = f"The token {caller.name} may not do this: it takes one with the scope {wanted} ({MEANING[wanted]})."
    return page(request, "problem.html", status=403, title="Not with this token", told=told)


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
