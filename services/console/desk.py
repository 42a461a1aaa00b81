"""What every page of the console needs: the desk they work at, the templates, and a filled template as an answer.

It knows no page and reads nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from jinja2 import ChainableUndefined, Environment, PackageLoader
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from services.analysis import health
from services.analysis.alerting import Rule
from services.analysis.naming import VOICE
from services.analysis.permitting import LOCAL, Caller
from services.console import words
from services.console.session import Session
from services.store.pool import Store
from services.usecases.why import Borrow

NAV = (
    ("Now", "/", "n"), ("Alerts", "/alerts", "a"), ("Posts", "/posts", "p"), ("Explore", "/explore", "e"),
    ("Suggestions", "/suggestions", "s"), ("Judge", "/judge", "j"), ("Feeds", "/feeds", "f"),
    ("Codebook", "/codebook", "c"),
)  # fmt: skip
"""Name, path and key (after g) of the pages that every page leads to."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What a page needs."""

    store: Store
    now: Callable[[], datetime]
    session: Session
    borrow: Borrow
    rule: Rule
    """The rule of the settings."""
    guarded: bool


def desk_of(request: Request) -> Desk:
    """The desk of the app that a request came to."""
    desk: Desk = request.app.state.desk
    return desk


@cache
def environment() -> Environment:
    """Templates that escape everything."""
    made = Environment(
        loader=PackageLoader("services.console"), autoescape=True, undefined=ChainableUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    made.filters.update(words.filters())
    made.globals |= {
        "NAV": NAV, "VOICE": VOICE, "HEALTH": health.MEANINGS, "NEED_A_LOOK": health.NEED_A_LOOK,
    }  # fmt: skip
    return made


def caller_of(request: Request) -> Caller | None:
    """Who asks, as the door found; None before it, where somebody signs in."""
    return getattr(request.state, "caller", None)


def actor(request: Request) -> str:
    """Name of whoever asks, for rows that say who did what: the token's, `operator`, or `console` in an open house."""
    caller = caller_of(request)
    return caller.name if caller is not None and caller is not LOCAL else "console"


def page(request: Request, template: str, *, status: int = 200, **told: Any) -> Response:
    """A filled template; `may` says what whoever asks may do, so that it offers nothing else."""
    desk, caller = desk_of(request), caller_of(request)
    about: dict[str, Any] = {"now": desk.now(), "guarded": desk.guarded, "path": request.url.path}
    about |= {"said": said(request), "caller": caller, "may": caller.scopes if caller else frozenset()}
    return HTMLResponse(environment().get_template(template).render(**about, **told), status)


def said(request: Request) -> str:
    """What a form that led here did, in our words; anything that is not ours is nothing."""
    return words.DONE.get(request.query_params.get("done", ""), "")
