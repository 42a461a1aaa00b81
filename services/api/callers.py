"""Whether a route may be run, as services.analysis.permitting has it. It reads no header; the guard says who asks.

A GET needs `read` and everything else `admin`, unless the route itself says `needs("write")` or `needs("push")`.
"""

from typing import Annotated, Any

from fastapi import Depends, Request
from starlette.routing import BaseRoute

from schemas.scopes import Scope
from services.analysis.permitting import Caller, check, usual_scope

OPEN = frozenset({"/healthz", "/readyz", "/api/v1/docs"})
"""What is asked without a token: by an orchestrator, and by whoever wants to read how to ask."""
CALLBACKS = ("/websub/", "/leave/")
"""Where hubs tell us of news and readers leave a digest; a signed word in the path stands for the token."""
_SCOPE = "x-scope"


def needs(scope: Scope) -> dict[str, Any]:
    """`openapi_extra` of a route that needs another scope than its method would."""
    return {_SCOPE: scope}


def scope_of(route: BaseRoute | object, method: str) -> Scope:
    """What a route asks for."""
    said: Scope | None = (getattr(route, "openapi_extra", None) or {}).get(_SCOPE)
    return said or usual_scope(method)


def is_open(path: str) -> bool:
    """Whether a path is answered without a token."""
    return path in OPEN or path.startswith(CALLBACKS)


async def permit(request: Request) -> None:
    """Let a route be run, or raise PermanentError(NO_ACCESS). Stands before every route of the app."""
    if is_open(request.url.path):
        return
    caller: Caller | None = getattr(request.state, "caller", None)
    wanted = scope_of(request.scope["route"], request.method)
    check(caller, wanted)


async def actor(request: Request) -> str:
    """Name of whoever asks: the token's, `operator`, or `local` in an open house. For rows that say who did what."""
    caller: Caller = request.state.caller
    return caller.name


Actor = Annotated[str, Depends(actor)]
