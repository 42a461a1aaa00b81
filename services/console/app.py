"""Puts the console together: routes, pages, sign-in. It opens nothing itself; store and clock are given."""

from collections.abc import Callable
from datetime import datetime

from starlette.applications import Starlette

from services.store.pool import Store


def create_console(store: Store, *, now: Callable[[], datetime], token: str = "") -> Starlette:
    """The console as an ASGI app; an empty token leaves it open."""
    return Starlette()
