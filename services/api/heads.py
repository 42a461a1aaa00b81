"""Answers HEAD wherever GET is: the same status and headers, nothing after them. It knows no route."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class _Told(Exception):  # noqa: N818 - nothing went wrong
    """Raised into an app that would go on streaming what nobody is sent."""


class Heads:
    """Wraps an ASGI app."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Ask as GET, and tell no more than the head of the answer."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return

        async def headed(message: Message) -> None:
            if message["type"] != "http.response.body":
                await send(message)
                return
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            if message.get("more_body"):
                raise _Told

        try:
            await self.app({**scope, "method": "GET"}, receive, headed)
        except _Told:
            return
