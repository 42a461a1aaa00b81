"""Frames as the faces show them, and what was heard, put together once for all of them. It writes nothing.

Times: `wall` is the clock's; answers stand in the stream's own present. A gap is unknown (null), never zero.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import psycopg.errors

from schemas import wire
from schemas.wire_detection import State
from services.analysis import stepping
from services.analysis.conditions import condition
from services.analysis.coverage import coverage
from services.analysis.digest import share
from services.store import alerts, codebooks, conditions, counting, feeds, qualities, versions
from services.store.pool import Connection, Row, one

DAY = timedelta(days=1)
PERIOD = timedelta(days=14)
"""What is shown when no period is asked for."""
BUCKET = stepping.BUCKET
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
"""Before everything that is stored."""
EVERYTHING = versions.EVERYTHING
current_frame = versions.current_frame


def schema_number(connection: Connection) -> int | None:
    """Number of the newest migration; None when the database has no schema (the transaction is then spent)."""
    try:
        return int(one(connection, "readings", "schema_number")["number"])
    except psycopg.errors.UndefinedTable:
        return None


def last_hours(present: datetime, length: timedelta) -> tuple[datetime, datetime]:
    """The period of `length` that ends with the bucket the present is in."""
    until = floor(present, BUCKET) + BUCKET
    return until - length, until


def floor(at: datetime, step: timedelta) -> datetime:
    """The start of the step that `at` is in, as Postgres bins it."""
    seconds = step.total_seconds()
    return datetime.fromtimestamp(at.timestamp() // seconds * seconds, UTC)


def heard(
    connection: Connection, starts: Sequence[datetime], step: timedelta, *, present: datetime, source: str | None = None
) -> list[float | None]:
    """Coverage of each bucket, None where nothing was expected; nothing is expected after the present."""
    if not starts:
        return []
    until = min(starts[-1] + step, present)
    spans = feeds.spans(connection, starts[0], until) if until > starts[0] else []
    if source is not None:
        ours = {f["feed_id"] for f in feeds.list_feeds(connection) if f["source"] == source}
        spans = [s for s in spans if s["feed_id"] in ours]
    found = coverage(np.array([s.timestamp() for s in starts]), step.total_seconds(), spans)
    return [None if np.isnan(value) else float(value) for value in found]


def heard_from(connection: Connection, feed_id: int, present: datetime) -> float | None:
    """Coverage of one feed in the 24 hours before the present, None where nothing was expected."""
    spans = [s for s in feeds.spans(connection, present - DAY, present) if s["feed_id"] == feed_id]
    value = coverage(np.array([(present - DAY).timestamp()]), DAY.total_seconds(), spans)[0]
    return None if np.isnan(value) else float(value)


def _totals(
    connection: Connection, version_id: int, since: datetime, until: datetime, *, covered: float | None
) -> dict[str, Row]:
    """Coverage, posts, units, authors and share of each frame in a period; None when nothing was heard."""
    counted = counting.count_frames(connection, version_id, since, until, silent=covered == 0)
    return {frame: {**told, "coverage": covered} for frame, told in counted.items()}


def _shares_before(
    connection: Connection, version_id: int, frames: Sequence[str], *, since: datetime, until: datetime,
    covered: float | None,
) -> dict[str, float | None]:  # fmt: skip
    """The share of frames in the period as long as this one that ended when it began; None when nothing was heard."""
    posts = counting.posts_before(connection, version_id, frames, since=since, until=until)
    return {f: share(posts[f], posts[EVERYTHING]) if covered != 0 else None for f in frames}


def read_frames(connection: Connection, wall: datetime) -> wire.Frames:
    """Every current frame: its newest verdict, its last 24 hours, and its share in the 24 hours before."""
    present = feeds.present(connection, wall)
    since, until = last_hours(present, DAY)
    known = codebooks.list_frames(connection)
    now, before = {}, {}
    covered = heard(connection, [since - DAY, since], DAY, present=present)
    for number in {f["version_id"] for f in known}:
        now[number] = _totals(connection, number, since, until, covered=covered[1])
        names = [f["frame"] for f in known if f["version_id"] == number]
        before[number] = _shares_before(connection, number, names, since=since, until=until, covered=covered[0])
    verdicts = {(v["version_id"], v["frame"]): v for v in alerts.last_verdicts(connection)}
    firing = conditions.alerts_on(connection, wall)
    good = qualities.read_quality_at(connection, present)
    found = [
        _frame(
            {
                **row,
                **now[row["version_id"]][row["frame"]],
                "firing": firing.get((row["codebook"], row["frame"])),
                "quality": good[row["codebook"], row["frame"]],
            },
            verdicts.get((row["version_id"], row["frame"])),
            before[row["version_id"]][row["frame"]],
        )
        for row in known
    ]
    return wire.Frames(present=present, since=since, until=until, frames=tuple(found))


def _frame(row: Row, verdict: Row | None, previous: float | None) -> wire.Frame:
    change = None if row["share"] is None or previous is None else row["share"] - previous
    judged = None if verdict is None else wire.Verdict(**fields_of(wire.Verdict, unheard(verdict)))
    state: State = judged.state if judged else "learning"
    alert_id, alert = row["firing"] or (None, None)
    told = condition(state, judged.bucket if judged else None, alert)
    extra = {"verdict": judged, "state": state, "previous_share": previous, "change": change, "alert_id": alert_id,
             "condition": told.condition, "detail": told.detail}  # fmt: skip
    return wire.Frame(**fields_of(wire.Frame, {**row, **extra}))


def unheard(row: Row) -> Row:
    """A row whose counts are unknown when its coverage is nought."""
    return {**row, "posts": None, "units": None} if row["coverage"] == 0 else row


def fields_of(model: type[wire.Wire], row: Row) -> Row:
    """What a row holds of a wire model's fields."""
    return {name: row[name] for name in model.model_fields if name in row}
