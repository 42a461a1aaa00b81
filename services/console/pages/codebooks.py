"""The codebook: its text to be edited, what that would change on stored history, applying it, and going back.

What a codebook means is decided in schemas.codebook; what a change does, in services.usecases.previewing and
services.store.applying.
"""

import re
from dataclasses import dataclass
from typing import Any

import yaml
from starlette.requests import Request
from starlette.responses import Response

from schemas.errors import FramewatchError, PermanentError, Reason
from services.console import redrawn
from services.console.desk import Desk, actor, desk_of, page
from services.console.forms import Form, onward
from services.store import applying, changes, codebooks
from services.store.pool import Connection, Row
from services.usecases.previewing import preview

MOST = 12_000_000
"""Bytes of the form: a codebook of 2 MB in Cyrillic, as forms write it."""
AUDIT = 20
DAYS = 30
"""Days of history on which alerts are replayed."""
NEW = """codebook: my-team
title: What we watch
frames:
  - id: first-frame
    title: A few words
    description: What a post says that carries it, in a sentence.
    examples:
      - "a post that carries it"
    counterexamples:
      - "a near miss that does not"
background:
  - "a post that has nothing to do with it"
"""
_MISTAKE = re.compile(r"^codebook:(\d+): (.*)$")


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing that is wrong with the text."""

    line: int | None
    told: str


def mistakes(error: Exception) -> list[Mistake]:
    """The lines of an error of a codebook."""
    found = []
    for line in str(error).splitlines():
        named = _MISTAKE.match(line)
        found.append(Mistake(int(named[1]), named[2]) if named else Mistake(None, line.removeprefix("codebook: ")))
    return found


def edit(request: Request) -> Response:
    """The current text, or that of a version asked for."""
    desk, asked = desk_of(request), request.query_params
    with desk.store.transaction() as tx:
        versions = codebooks.list_codebooks(tx)
        chosen = _chosen(versions, asked.get("codebook", ""), asked.get("version", ""))
        found = codebooks.find_codebook(tx, chosen["codebook"], chosen["version"]) if chosen else None
        told = _standing(tx, versions)
    return _page(request, found["body"] if found else NEW, chosen=chosen, **told)


def try_out(request: Request, form: Form) -> Response:
    """What the text would change, or what is wrong with it; nothing is stored."""
    desk, text = desk_of(request), form.get("text", "")
    with desk.store.transaction() as tx:
        told = _standing(tx, codebooks.list_codebooks(tx))
    try:
        found = preview(desk.store, desk.borrow, text, now=desk.now(), rule=desk.rule, days=DAYS)
    except FramewatchError as error:
        return _refused(request, text, error, told)
    charts = {f.frame: redrawn.draw(f.trend) for f in found.frames}
    return _page(request, text, preview=found, charts=charts, chosen=_named(text, told["versions"]), **told)


def apply(request: Request, form: Form) -> Response:
    """Make the text the current version; stored posts are scored anew, and readers switch when that is done."""
    desk, text = desk_of(request), form.get("text", "")
    with desk.store.transaction() as tx:
        told = _standing(tx, codebooks.list_codebooks(tx))
    try:
        with desk.store.transaction() as tx:
            read, row = applying.apply(tx, text, desk.now(), by=actor(request))
    except FramewatchError as error:
        return _refused(request, text, error, told)
    return onward("/codebook", "applied" if row["state"] == "current" else "building", codebook=read.codebook)


def roll_back(request: Request, form: Form) -> Response:
    """Bring an earlier version back."""
    desk, to = desk_of(request), form.get("version", "")
    if not to.isdecimal() or len(to) > 9:
        raise PermanentError(Reason.BAD_INPUT, "choose a version")
    with desk.store.transaction() as tx:
        row = applying.rollback(tx, form.get("codebook") or None, now=desk.now(), to=int(to), by=actor(request))
    return onward("/codebook", "applied" if row["state"] == "current" else "building", codebook=row["codebook"])


def proposed(request: Request, text: str, why: str) -> Response:
    """The editor with a text that somebody proposes, not applied yet."""
    with desk_of(request).store.transaction() as tx:
        told = _standing(tx, codebooks.list_codebooks(tx))
    return _page(request, text, chosen=_named(text, told["versions"]), proposed=why, **told)


def current_text(desk: Desk, codebook: str) -> str:
    """The current text of a codebook. Raises PermanentError(NOT_FOUND)."""
    with desk.store.transaction() as tx:
        found = next((c for c in codebooks.current_codebooks(tx) if c["codebook"] == codebook), None)
    if found is None:
        raise PermanentError(Reason.NOT_FOUND, f"there is no current codebook {codebook}")
    return str(found["body"])


def _standing(tx: Connection, versions: list[Row]) -> dict[str, Any]:
    return {
        "versions": versions, "building": applying.progress(tx), "audit": changes.list_changes(tx, limit=AUDIT),
        "current": [v["codebook"] for v in versions if v["state"] == "current"],
    }  # fmt: skip


def _chosen(versions: list[Row], codebook: str, version: str) -> Row | None:
    """The version asked for, else the current one of the codebook asked for, else the first that is current."""
    mine = [v for v in versions if codebook in ("", v["codebook"])] or versions
    asked = next((v for v in mine if str(v["version"]) == version), None)
    return asked or next((v for v in mine if v["state"] == "current"), None) or next(iter(mine), None)


def _named(text: str, versions: list[Row]) -> Row | None:
    """The current version of the codebook that a text names."""
    try:
        told = yaml.safe_load(text)
    except yaml.YAMLError:
        return None
    name = told.get("codebook") if isinstance(told, dict) else None
    return next((v for v in versions if v["state"] == "current" and v["codebook"] == name), None)


def _refused(request: Request, text: str, error: FramewatchError, told: dict[str, Any]) -> Response:
    if error.reason is Reason.DATABASE_UNAVAILABLE:
        raise error
    status = 400 if error.reason is Reason.BAD_CODEBOOK else 503
    return _page(request, text, status=status, mistakes=mistakes(error), chosen=None, **told)


def _page(request: Request, text: str, *, status: int = 200, **told: Any) -> Response:
    return page(request, "codebook.html", status=status, text=text, **told)
