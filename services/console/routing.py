"""Which page answers which address, and the scope it takes: deny by default. It decides nothing else."""

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route

from schemas.scopes import Scope
from services.analysis.permitting import usual_scope
from services.console import sign_in
from services.console.forms import MOST, Form, posted
from services.console.pages import (
    alerts,
    codebooks,
    explore,
    feeds,
    frames,
    judge,
    lists,
    now,
    posts,
    suggestions,
    tables,
)

WRITE: Scope = "write"


class Page(Route):
    """A route that says what it asks for, where that is not what its method would."""

    def __init__(
        self, path: str, endpoint: Callable[[Request], object], *, needs: Scope | None = None, **more: Any
    ) -> None:
        super().__init__(path, endpoint, **more)
        self.needs = needs


def _form(
    path: str, answer: Callable[[Request, Form], Response], *, needs: Scope | None = None, most: int = MOST
) -> Page:
    return Page(path, posted(answer, most=most), methods=["POST"], needs=needs)


PAGES = [
    Page("/", now.now),
    Page("/frames/{codebook}/{frame}.csv", tables.trend_table),
    Page("/frames/{codebook}/{frame}", frames.frame),
    Page("/alerts", alerts.alerts),
    Page("/alerts/{alert_id}.stix.json", alerts.export_stix),
    Page("/alerts/{alert_id}.json", alerts.export),
    Page("/alerts/{alert_id}", alerts.alert),
    _form("/alerts/{alert_id}/{action}", alerts.act, needs=WRITE),
    Page("/posts", lists.posts),
    Page("/posts/{post_id}/alike", posts.alike),
    Page("/posts/{post_id}", posts.post),
    Page("/feeds", feeds.feeds, methods=["GET"]),
    _form("/feeds", feeds.act),
    _form("/feeds/add", feeds.add),
    Page("/codebook", codebooks.edit),
    # Nothing of these is stored: they answer with what would be.
    _form("/codebook/preview", codebooks.try_out, needs="read", most=codebooks.MOST),
    _form("/codebook/apply", codebooks.apply, most=codebooks.MOST),
    _form("/codebook/rollback", codebooks.roll_back),
    _form("/explore/save", explore.save, needs="read", most=explore.MOST),
    Page("/explore", explore.form, methods=["GET"]),
    _form("/explore", explore.look, needs="read", most=explore.MOST),
    Page("/suggestions", suggestions.suggestions),
    _form("/suggestions/run", suggestions.run, needs=WRITE),
    Page("/suggestions/{suggestion_id}", suggestions.suggestion),
    _form("/suggestions/{suggestion_id}/{decision}", suggestions.decide, needs=WRITE),
    Page("/judge", judge.judge, methods=["GET"]),
    _form("/judge", judge.answer, needs=WRITE),
    _form("/judge/draw", judge.draw, needs=WRITE),
    # A name in a cookie of this browser.
    _form("/judge/name", judge.rename, needs="read"),
    Page("/sign-in", sign_in.show, methods=["GET"]),
    Page("/sign-in", sign_in.check, methods=["POST"]),
    Page("/sign-out", sign_in.leave, methods=["POST"]),
]


def scope_of(request: Request) -> Scope:
    """What a request asks for: as its page says, else as its method would; nothing is open because nobody said so."""
    found = next((p for p in PAGES if p.matches(request.scope)[0] is Match.FULL), None)
    return (found.needs if found else None) or usual_scope(request.method)
