"""Stands before every route: asks for the token, and keeps answers out of caches. It knows no route but the probes."""

import hmac

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.api.problems import unauthorised

OPEN = frozenset({"/healthz", "/readyz"})
"""What an orchestrator asks without a token."""
CALLBACKS = "/websub/"
"""Where hubs tell us of news; a word in the path and a signature stand for the token."""


class Guard:
    """Wraps an ASGI app; an empty token means open."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self.app = app
        self.token = token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 401, or let the request through."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def stamped(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Cache-Control"] = "no-store"
                headers["X-Content-Type-Options"] = "nosniff"
            await send(message)

        given = Headers(scope=scope).get("authorization", "")
        if scope["path"] in OPEN or scope["path"].startswith(CALLBACKS) or self.allows(given):
            await self.app(scope, receive, stamped)
        else:
            await unauthorised(given=bool(given))(scope, receive, stamped)

    def allows(self, given: str) -> bool:
        """Whether an Authorization header names the token; takes the same time however wrong it is."""
        scheme, _, token = given.partition(" ")
        right = hmac.compare_digest(token.strip().encode("latin-1"), self.token)
        return not self.token or (right and scheme.lower() == "bearer")
