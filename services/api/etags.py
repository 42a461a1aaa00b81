"""Marks what is read with a weak ETag and answers 304 to who has it already. It knows no route and keeps nothing.

Streams pass by unmarked. `present` moves with the clock and says nothing of what it stands beside: it does not count.
"""

import re
from hashlib import blake2b

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_PRESENT = re.compile(rb'"present":"[^"]*",?')


class Etags:
    """Wraps an ASGI app."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Mark a whole answer to a GET, or leave it out when the caller has it."""
        if scope["type"] != "http" or scope["method"] != "GET":
            await self.app(scope, receive, send)
            return
        known = Headers(scope=scope).get("if-none-match", "")
        held: Message | None = None

        async def marked(message: Message) -> None:
            nonlocal held
            if message["type"] == "http.response.start":
                held = message
            elif held is not None:
                start, held = held, None
                if start["status"] == 200 and not message.get("more_body"):
                    message = _mark(start, message, known)
                await send(start)
                await send(message)
            else:
                await send(message)

        await self.app(scope, receive, marked)


def _mark(start: Message, message: Message, known: str) -> Message:
    """The answer with its mark; without its body when `known` (If-None-Match) names it."""
    etag = f'W/"{blake2b(_PRESENT.sub(b"", message.get("body", b""), count=1), digest_size=12).hexdigest()}"'
    headers = MutableHeaders(raw=list(start["headers"]))
    headers["ETag"] = etag
    headers["Cache-Control"] = "private, no-cache"
    headers.add_vary_header("Accept")
    named = {mark.strip().removeprefix("W/") for mark in known.split(",")}
    if known.strip() == "*" or etag.removeprefix("W/") in named:
        start["status"] = 304
        del headers["content-length"]
        del headers["content-type"]
        message = {**message, "body": b""}
    start["headers"] = headers.raw
    return message
