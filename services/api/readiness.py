"""Whether readers can rely on what they see: database, schema, stages, partitions. Tells all that is not right."""

from datetime import datetime, timedelta

from schemas import sql, wire
from schemas.errors import Reason, TransientError
from services.analysis.naming import many
from services.store import counts, readings
from services.store.pool import Connection

STAGES = ("collect", "classify", "rollup", "detect", "deliver", "digest")
"""The stages that tick often; what ticks by the hour cannot be late by minutes."""
PATIENCE = timedelta(minutes=2)
DAYS_AHEAD = 3


def read_ready(connection: Connection, wall: datetime) -> wire.Ready:
    """All is well, or TransientError naming all that is not."""
    newest = max(number for number, _, _ in sql.migrations())
    number = readings.schema_number(connection)
    if number != newest:
        raise _late([f"the database has schema {number or 0}, wanted is {newest}"])
    ran = {r["stage"]: r["ran_at"] for r in counts.stage_runs(connection)}
    last = counts.last_partition_day(connection)
    ahead = -1 if last is None else (last - wall.date()).days
    faults = [_told(stage, ran.get(stage)) for stage in STAGES if not _recent(ran.get(stage), wall)]
    if ahead < DAYS_AHEAD:
        faults.append(f"posts have partitions for {many(ahead, 'more day')}, wanted are {DAYS_AHEAD}")
    if faults:
        raise _late(faults)
    return wire.Ready(schema_number=newest, stages=ran, partition_days_ahead=ahead)


def _recent(ran: datetime | None, wall: datetime) -> bool:
    return ran is not None and wall - ran <= PATIENCE


def _told(stage: str, ran: datetime | None) -> str:
    return f"{stage} has never run" if ran is None else f"{stage} has not run since {ran:%Y-%m-%dT%H:%M:%SZ}"


def _late(faults: list[str]) -> TransientError:
    return TransientError(Reason.TIMEOUT, "not ready: " + "; ".join(faults), timedelta(seconds=5))
