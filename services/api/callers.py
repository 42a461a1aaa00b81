"""Who asks, and what that is enough for: deny by default. It reads no header; the guard says who it is.

A GET needs `read` and everything else `admin`, unless the route itself says `needs("write")` or `needs("push")`.
"""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request
from starlette.routing import BaseRoute

from schemas.errors import PermanentError, Reason
from schemas.scopes import SCOPES, Scope

OPEN = frozenset({"/healthz", "/readyz"})
"""What an orchestrator asks without a token."""
CALLBACKS = ("/websub/", "/leave/")
"""Where hubs tell us of news and readers leave a digest; a signed word in the path stands for the token."""
_SCOPE = "x-scope"


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who may ask: a name for the log and what is allowed."""

    name: str
    scopes: frozenset[Scope]
    key: str = ""
    """What requests are counted under; empty: not at all."""


EVERYTHING: frozenset[Scope] = frozenset(SCOPES)
LOCAL = Caller("local", EVERYTHING)
"""Whoever asks a house that is open, which only this machine can."""
OPERATOR = Caller("operator", EVERYTHING, "operator")
"""Whoever has FRAMEWATCH_API_TOKEN."""


def needs(scope: Scope) -> dict[str, Any]:
    """`openapi_extra` of a route that needs another scope than its method would."""
    return {_SCOPE: scope}


def scope_of(route: BaseRoute | object, method: str) -> Scope:
    """What a route asks for."""
    said: Scope | None = (getattr(route, "openapi_extra", None) or {}).get(_SCOPE)
    return said or usual_scope(method)


def usual_scope(method: str) -> Scope:
    """What a method asks for where its route says nothing."""
    return "read" if method in ("GET", "HEAD") else "admin"


def is_open(path: str) -> bool:
    """Whether a path is answered without a token."""
    return path in OPEN or path.startswith(CALLBACKS)


async def permit(request: Request) -> None:
    """Let a route be run, or raise PermanentError(NO_ACCESS). Stands before every route of the app."""
    if is_open(request.url.path):
        return
    caller: Caller | None = getattr(request.state, "caller", None)
    wanted = scope_of(request.scope["route"], request.method)
    if caller is None or wanted not in caller.scopes:
        told = f"this needs a token with the scope {wanted}; see: framewatch tokens create"
        raise PermanentError(Reason.NO_ACCESS, told)


async def actor(request: Request) -> str:
    """Name of whoever asks: the token's, `operator`, or `local` in an open house. For rows that say who did what."""
    caller: Caller = request.state.caller
    return caller.name


Actor = Annotated[str, Depends(actor)]
