"""Stands before every route: who asks, how often, and that nothing of it stays in caches. It knows no route.

Requests are counted in this process alone: the limit protects it and its database, and needs no trip to either.
"""

import hmac
import logging
from collections.abc import Callable
from datetime import datetime

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from schemas.errors import TransientError
from services.analysis.limiting import Pace
from services.analysis.permitting import LOCAL, OPERATOR, Caller, holder
from services.api.callers import is_open
from services.api.problems import away, too_often, unauthorised
from services.pacing import GUESSES, Paces
from services.store import tokens
from services.store.pool import Store

log = logging.getLogger("framewatch.api")


class Guard:
    """Wraps an ASGI app; with an empty token the house is open, and only a token of ours is looked at."""

    def __init__(self, app: ASGIApp, *, store: Store, now: Callable[[], datetime], token: str, rate: int) -> None:
        self.app = app
        self.store = store
        self.now = now
        self.token = token.encode()
        self.pace = Pace.a_minute(rate) if rate > 0 else None
        self.paces = Paces()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 401 or 429, or let the request through with its caller in its state."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status = 0

        async def stamped(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers.setdefault("Cache-Control", "no-store")
                headers["X-Content-Type-Options"] = "nosniff"
            await send(message)

        if is_open(scope["path"]):
            await self.app(scope, receive, stamped)
            return
        found = await self.who(scope)
        if isinstance(found, Response):
            await found(scope, receive, stamped)
            return
        scope.setdefault("state", {})["caller"] = found
        await self.app(scope, receive, stamped)
        if scope["method"] not in ("GET", "HEAD", "OPTIONS"):
            told = {"caller": found.name, "method": scope["method"], "path": scope["path"][:200], "status": status}
            log.info("api_write", extra=told)

    async def who(self, scope: Scope) -> Caller | Response:
        """The caller of a request, or the answer that turns it away."""
        given = Headers(scope=scope).get("authorization", "")
        scheme, _, word = given.partition(" ")
        token = word.strip() if scheme.lower() == "bearer" else ""
        if not self.token and not tokens.looks_ours(token):
            return LOCAL
        if self.token and hmac.compare_digest(token.encode("latin-1"), self.token):
            return self._counted(OPERATOR)
        if not tokens.looks_ours(token):
            return unauthorised(given=bool(given))
        address = f"guess {(scope.get('client') or ('',))[0]}"
        if wait := self.paces.wait(address, GUESSES, self.now(), peek=True):
            return too_often(wait)
        try:
            found = await run_in_threadpool(self._find, token)
        except TransientError as error:
            return away(error)
        if found is None:
            self.paces.wait(address, GUESSES, self.now())
            return unauthorised(given=bool(given))
        return self._counted(found)

    def _find(self, token: str) -> Caller | None:
        with self.store.transaction() as tx:
            row = tokens.find_token(tx, token, self.now())
        return None if row is None else holder(row)

    def _counted(self, caller: Caller) -> Caller | Response:
        wait = self.paces.wait(caller.key, self.pace, self.now()) if self.pace else 0.0
        return too_often(wait) if wait else caller
