"""digest: fill the slots that are due; the unique row of a slot makes it one digest, whoever comes second."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from cronsim import CronSim

from schemas.records import Notice
from services.analysis.digest import subject
from services.store import alerts, deliveries, digests, feeds
from services.store.pool import Connection, Row
from workers.runtime import Outcome, Runtime

LATEST = timedelta(hours=1)
"""A digest waits this long for detection to come to its slot; then it goes out with what is known."""


def digest(rt: Runtime) -> Outcome:
    """Compose every digest whose slot has come; after a pause only the latest slot."""
    with rt.store.transaction() as tx:
        judged = judged_until(tx, rt.now())
        due = [(d, due_slot(d, judged)) for d in deliveries.list_digests(tx)]
    filled = sum(fill(rt, d, slot) for d, slot in due if slot is not None)
    return Outcome(rows=filled, wake=("deliver",) if filled else ())


def judged_until(tx: Connection, now: datetime) -> datetime:
    """How far digests may look: as far as every frame is judged, but never more than LATEST behind the wall clock."""
    present = feeds.present(tx, now)
    positions = [w["evaluated_until"] for w in alerts.watch_positions(tx)]
    judged: datetime = min([present, *(p for p in positions if p is not None)])
    return max(judged, now - LATEST) if present == now else judged


def due_slot(row: Row, judged: datetime) -> datetime | None:
    """The latest slot of a digest's schedule that has come and is not filled; None when there is none."""
    zone = ZoneInfo(row["timezone"])
    last = row["last_slot"] or row["since"]
    # Walking back from the present finds the latest slot at once, however long the pause was.
    latest: datetime = next(CronSim(row["schedule"], (judged + timedelta(seconds=1)).astimezone(zone), reverse=True))
    return latest if last < latest <= judged else None


def fill(rt: Runtime, row: Row, slot: datetime) -> int:
    """Compose one slot; 1 when it was this worker that filled it."""
    with rt.store.transaction() as tx:
        body: dict[str, Any] | None = digests.read_digest(tx, row["digest"], slot)
        if body is None:
            return 0
        if not deliveries.fill_slot(tx, row["digest"], slot, body=body, now=rt.now()):
            return 0
        name = f"digest.{row['digest']}.{slot:%Y%m%dT%H%M%SZ}"
        notice = Notice(name, "digest", subject(body, slot), body)
        deliveries.add_deliveries(tx, notice, now=rt.now(), digest=row["digest"], slot=slot)
    return 1
