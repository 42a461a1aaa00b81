"""The routes that change codebooks: what one would change, applying, rolling back, how far that is, who did it.

They decide nothing.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Body, Path, Query

from schemas import wire_codebooks as wire
from schemas.codebook import ID
from schemas.errors import PermanentError, Reason, TransientError
from schemas.wire import Wire
from services.api.callers import Actor, needs
from services.api.questions import Codebook, Cursor, Question, about, cursor, position
from services.api.routes import FAULTS, With
from services.store import applying, changes, codebooks
from services.store.dry_run import MAX_DAYS
from services.store.pool import Row
from services.usecases.previewing import preview

router = APIRouter(prefix="/api/v1/codebooks", tags=["codebooks"], responses=FAULTS)
Name = Annotated[str, Path(description="Id of the codebook.", pattern=ID, max_length=80)]
Given = Annotated[wire.CodebookText, Body()]
_turn = threading.Lock()


@contextmanager
def _alone() -> Iterator[None]:
    """One preview at a time: each reads all of history. Raises TransientError(TIMEOUT) while another is made."""
    if not _turn.acquire(blocking=False):
        raise TransientError(Reason.TIMEOUT, "another preview is being made; ask again", timedelta(seconds=10))
    try:
        yield
    finally:
        _turn.release()


@router.post("/preview", summary="What a codebook would change on stored history", openapi_extra=needs("read"))
def show(
    by: With,
    given: Given,
    days: Annotated[int, Query(description="Days on which past alerts are replayed.", ge=1, le=MAX_DAYS)] = 30,
) -> wire.Preview:
    """Nothing is written. Seconds over a million posts; one at a time, others are told to come back."""
    with _alone():
        return preview(by.store, by.borrow, given.text, now=by.now(), rule=by.rule, days=days)


@router.post("", summary="Make a codebook current", status_code=202)
def apply(by: With, given: Given, who: Actor) -> wire.Applied:
    """Stored posts are scored under it in the background; readers see the version before until all are."""
    with by.store.transaction() as tx:
        read, row = applying.apply(tx, given.text, by.now(), by=who)
    return _applied({**row, "codebook": read.codebook})


@router.post("/{codebook}/rollback", summary="Bring an earlier version back", status_code=202)
def rollback(by: With, codebook: Name, asked: Annotated[wire.RollbackAsked, Body()], who: Actor) -> wire.Applied:
    """Posts that came since are scored first; while a version is being built, that is given up instead."""
    with by.store.transaction() as tx:
        return _applied(applying.rollback(tx, codebook, now=by.now(), to=asked.to, by=who))


class ChangesQuestion(Question):
    """Which changes."""

    codebook: Codebook = None
    cursor: Cursor = None
    limit: Annotated[int, about("The last so many.", ge=1, le=1000)] = 50


@router.get("/changes", summary="What is being built, and who changed what")
def list_changes(by: With, asked: Annotated[ChangesQuestion, Query()]) -> wire.Changes:
    """The audit of every codebook, or of one, the newest first."""
    at = position(asked.cursor, int)["before_id"]
    with by.store.transaction() as tx:
        found = changes.list_changes(tx, asked.codebook, limit=asked.limit, before_id=at)
        building = [_fields(wire.Progress, r) for r in applying.progress(tx, asked.codebook)]
    following = cursor(found[-1]["asked_at"], found[-1]["change_id"]) if len(found) == asked.limit else None
    return wire.Changes(
        building=tuple(wire.Progress(**r) for r in building),
        changes=tuple(wire.Change(**_fields(wire.Change, r)) for r in found),
        next=following,
    )


@router.get("/{codebook}/versions/{version}", summary="A version as it was applied")
def version_text(
    by: With, codebook: Name, version: Annotated[int, Path(description="Number of the version.", ge=1, le=2**31 - 1)]
) -> wire.VersionText:
    """Byte by byte: a frame pack."""
    with by.store.transaction() as tx:
        found = codebooks.find_codebook(tx, codebook, version)
    if found is None:
        raise PermanentError(Reason.NOT_FOUND, f"there is no version {version} of {codebook}")
    return wire.VersionText(codebook=codebook, version=version, state=found["state"], text=found["body"])


def _applied(row: Row) -> wire.Applied:
    return wire.Applied(**_fields(wire.Applied, row))


def _fields(model: type[Wire], row: Row) -> Row:
    return {name: row[name] for name in model.model_fields}
