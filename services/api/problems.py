"""Errors as problem+json (RFC 9457). What a caller sent is never sent back; a database that is away is 503."""

import logging
from collections.abc import Mapping
from http import HTTPStatus

import psycopg.errors
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException

from schemas import wire
from schemas.errors import PermanentError, Reason, TransientError
from services.api.tracing import HEADER
from services.logs import REQUEST

RETRY_AFTER_S = 5
"""When to come back, if nobody knows better."""
_STATUS = {
    Reason.NOT_FOUND: 404,
    Reason.BAD_INPUT: 400,
    Reason.BAD_CODEBOOK: 400,
    Reason.NO_ACCESS: 403,
    Reason.MODEL_UNAVAILABLE: 503,
}

log = logging.getLogger("framewatch.api")


def problem(
    status: int, detail: str, *, reason: str | None = None, errors: tuple[wire.Fault, ...] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:  # fmt: skip
    """A response that says what is wrong."""
    title = HTTPStatus(status).phrase
    named = REQUEST.get()
    told = wire.Problem(title=title, status=status, detail=detail, reason=reason, errors=errors, request_id=named)
    return Response(told.model_dump_json(), status, dict(headers or {}), "application/problem+json")


def unauthorised(*, given: bool) -> Response:
    """401 for a missing or a wrong token."""
    detail = "this token is not the right one" if given else "a token is needed: Authorization: Bearer <token>"
    challenge = 'Bearer realm="framewatch"' + (', error="invalid_token"' if given else "")
    return problem(401, detail, headers={"WWW-Authenticate": challenge})


def too_often(seconds: float) -> Response:
    """429 for a caller who asks more often than is allowed."""
    wait = max(int(seconds), 1)
    told = f"too many requests; come back in {wait} s"
    return problem(429, told, reason=Reason.RATE_LIMITED, headers={"Retry-After": str(wait)})


def install(app: FastAPI) -> None:
    """Have every error of `app` told this way."""
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(TransientError, _transient)
    app.add_exception_handler(PermanentError, _permanent)
    app.add_exception_handler(psycopg.errors.UndefinedTable, _no_schema)
    app.add_exception_handler(Exception, _bug)


def take_only(request: Request, *types: str) -> None:
    """Raises HTTPException(415) unless a request says that it sends one of `types`."""
    if _type_of(request) not in types:
        which = types[0] if len(types) == 1 else f"one of {', '.join(types)}"
        raise HTTPException(415, f"say what is sent: Content-Type must be {which}")


def _type_of(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - what we registered for
    # A body of another type is not read: its first fault would be told as if it were of the wrong form.
    unread = any(e["loc"] == ("body",) and e["type"] != "missing" for e in error.errors())
    if unread and _type_of(request) != "application/json":
        return problem(415, "say what is sent: Content-Type must be application/json", reason=Reason.BAD_INPUT)
    faults = tuple(wire.Fault(parameter=_name(e["loc"]), told=str(e["msg"])) for e in error.errors()[:20])
    return problem(422, "the request has parameters that are wrong", reason=Reason.BAD_INPUT, errors=faults)


def _name(where: tuple[object, ...]) -> str:
    # Of the whole of a body or a query, or a place in a text that is no JSON: that is what is named.
    named = str(where[1] if len(where) > 1 and isinstance(where[1], str) else where[0])
    # A name the caller made up is not repeated; that of a header has hyphens.
    return named if named.replace("-", "_").isidentifier() and named.isascii() and len(named) <= 40 else "unknown"


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    if error.status_code == 405:
        takes = _methods(request)
        return problem(405, f"what is here takes {takes}", headers={"Allow": takes})
    if error.status_code == 404:
        return problem(404, "there is nothing at this address; what there is: /api/v1/docs")
    reason = Reason.BAD_INPUT if error.status_code == 415 else None
    return problem(error.status_code, str(error.detail), reason=reason, headers=error.headers)


def _methods(request: Request) -> str:
    """What the address of a request takes, over all routes that have it."""
    routes = [c for c in iter_route_contexts(request.app.routes) if c.path_regex.match(request.url.path)]
    found = {method for c in routes for method in c.methods or ()}
    return ", ".join(sorted(found | {"HEAD"} if "GET" in found else found))


def _transient(_: Request, error: Exception) -> Response:
    assert isinstance(error, TransientError)  # noqa: S101
    return away(error)


def away(error: TransientError) -> Response:
    """503 for what will work again by itself."""
    seconds = RETRY_AFTER_S if error.retry_after is None else max(int(error.retry_after.total_seconds()), 1)
    log.warning("answer_waits", extra={"reason": error.reason.value, "told": str(error)})
    detail = "the database is not available" if error.reason is Reason.DATABASE_UNAVAILABLE else str(error)
    return problem(503, detail, reason=error.reason, headers={"Retry-After": str(seconds)})


def _permanent(_: Request, error: Exception) -> Response:
    assert isinstance(error, PermanentError)  # noqa: S101
    status = _STATUS.get(error.reason, 500)
    if status >= 500:
        log.warning("answer_failed", extra={"reason": error.reason.value, "status": status, "told": str(error)})
    return problem(status, str(error), reason=error.reason)


def _no_schema(_: Request, error: Exception) -> Response:
    log.warning("no_schema", extra={"told": str(error).splitlines()[0]})
    headers = {"Retry-After": str(RETRY_AFTER_S)}
    return problem(503, "the database has no schema yet", reason=Reason.DATABASE_UNAVAILABLE, headers=headers)


def _bug(request: Request, error: Exception) -> Response:
    # The server logs where: the error goes on after this answer, past all that would have stamped it.
    about = {"method": request.method, "path": request.url.path[:200], "error": type(error).__name__}
    log.error("answer_failed", extra={"status": 500, **about})
    stamps = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", HEADER: REQUEST.get()}
    return problem(500, "this is a bug in framewatch; its log says more, under the id of this request", headers=stamps)
