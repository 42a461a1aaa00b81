"""digest: fill the slots that are due; the unique row of a slot makes it one digest, whoever comes second."""

from datetime import datetime, timedelta
from typing import Any

from schemas.records import Notice
from services.analysis import slots
from services.analysis.digest import nothing_new
from services.analysis.headlines import subject
from services.store import alerts, deliveries, digesting, feeds, mailing
from services.store.pool import Connection, Row
from workers.runtime import Outcome, Runtime

LATEST = timedelta(hours=1)
"""A digest waits this long for detection to come to its slot; then it goes out with what is known."""


def digest(rt: Runtime) -> Outcome:
    """Compose every digest whose slot has come; after a pause only the latest slot."""
    with rt.store.transaction() as tx:
        judged = judged_until(tx, rt.now())
        due = [(d, due_slot(d, judged)) for d in deliveries.list_digests(tx)] if judged else []
    filled = sum(fill(rt, d, slot) for d, slot in due if slot is not None)
    return Outcome(rows=filled, wake=("deliver",) if filled else ())


def judged_until(tx: Connection, now: datetime) -> datetime | None:
    """How far digests may look: as far as every frame is judged, but never more than LATEST behind the wall clock.

    None while a replay has not been judged at all.
    """
    present = feeds.present(tx, now)
    positions = [w["evaluated_until"] for w in alerts.watch_positions(tx)]
    known: list[datetime] = [p for p in positions if p is not None]
    judged = min([present, *known]) if len(known) == len(positions) else None
    if present != now:
        return judged
    return max(judged or now - LATEST, now - LATEST)


def due_slot(row: Row, judged: datetime) -> datetime | None:
    """The latest slot of a digest's schedule that has come and is not filled; None when there is none."""
    last = row["last_slot"] or row["since"]
    latest = slots.latest(row["schedule"], row["timezone"], judged)
    return latest if last < latest <= judged else None


def fill(rt: Runtime, row: Row, slot: datetime) -> int:
    """Compose one slot; 1 when it was this worker that filled it."""
    name, since = row["digest"], slots.before(row["schedule"], row["timezone"], slot)
    with rt.store.transaction() as tx:
        edition = digesting.Edition(name, slot, since, row["timezone"])
        body: dict[str, Any] | None = digesting.read_digest(tx, edition)
        if body is None:
            return 0
        if not deliveries.fill_slot(tx, name, slot, body=body, now=rt.now()):
            return 0
        notice = Notice(f"digest.{name}.{slot:%Y%m%dT%H%M%SZ}", "digest", subject(body, slot), body)
        silent = row["silent_when_empty"] and nothing_new(body)
        posting = mailing.Posting(name, row["channels"], rt.sign, slot=slot, silent=silent)
        mailing.post_digest(tx, notice, posting, now=rt.now())
    return 1
