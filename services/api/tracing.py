"""Gives every request an id: answers bear it, problems name it, lines of the log that are written meanwhile name it.

It knows no route and keeps nothing.
"""

from collections.abc import Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.analysis.tracing import request_id
from services.logs import REQUEST

HEADER = "X-Request-Id"


class Tracing:
    """Wraps an ASGI app. The id stays set when the app fails: what is said of the failure names it too."""

    def __init__(self, app: ASGIApp, *, fresh: Callable[[], str]) -> None:
        self.app = app
        self.fresh = fresh

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through under its id."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        named = request_id(Headers(scope=scope).get(HEADER, ""), self.fresh())
        # Never taken back: each request has a task of its own, and who logs a failure does so after we have gone.
        REQUEST.set(named)

        async def stamped(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[HEADER] = named
            await send(message)

        await self.app(scope, receive, stamped)
