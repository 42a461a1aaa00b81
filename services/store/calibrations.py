"""What replays over all frames found, as rows: read by detection, published by the faces."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from psycopg.types.json import Jsonb

from schemas.wire_detection import Calibration
from services.analysis import budget, promise
from services.analysis.budget import Schedule, Told
from services.analysis.calibrating import BEYOND
from services.store.pool import Connection, Row, row, rows, run

_NONE: Row = {"at": [], "spikes": [], "rises": []}


def told(connection: Connection, *, since: datetime, until: datetime, step: timedelta) -> list[Told]:
    """What the two tests said of each current frame in a period."""
    beyond = {(e["version_id"], e["frame"]): e for e in evidence_beyond(connection, since, until, step)}
    found = []
    for judged in judged_days(connection, since, until):
        e = beyond.get((judged["version_id"], judged["frame"]), _NONE)
        numbers = (np.array(e["at"], np.int64), np.array(e["spikes"], float), np.array(e["rises"], float))
        found.append(Told(*numbers, np.array(judged["days"], np.int64), np.array(judged["judged"], float)))
    return found


def evidence_beyond(connection: Connection, since: datetime, until: datetime, step: timedelta) -> list[Row]:
    """Numbers of the buckets in which either test went beyond, and what both said: at, spikes, rises; a row a frame."""
    values = {"since": since, "until": until, "step_s": step.total_seconds(), "beyond": BEYOND}
    return rows(connection, "calibrations", "evidence_beyond", **values)


def judged_days(connection: Connection, since: datetime, until: datetime) -> list[Row]:
    """Days since the epoch, and how many buckets of each were judged: days, judged; a row a frame."""
    return rows(connection, "calibrations", "judged_days", since=since, until=until)


def add_calibration(connection: Connection, found: Mapping[str, Any]) -> None:
    """Keep what a replay found; of two replays for one day the first stands. `found`: the columns."""
    run(connection, "calibrations", "add_calibration", **{**found, "found": Jsonb(found["found"])})


def newest_calibration(connection: Connection) -> Row | None:
    """The newest: holds_from, made_at, budget, series, days, asked, accepted, alarms, held."""
    return row(connection, "calibrations", "newest_calibration")


def calibrations_until(connection: Connection, until: datetime, limit: int) -> list[Row]:
    """The newest rows before `until`: holds_from, found."""
    return rows(connection, "calibrations", "calibrations_until", until=until, limit=limit)


def schedule(connection: Connection, since: datetime, until: datetime) -> Schedule:
    """What held when in a period."""
    limit = (until - since).days + 2
    found = reversed(calibrations_until(connection, until, limit))
    return tuple((r["holds_from"].timestamp(), budget.from_json(r["found"])) for r in found)


def read_calibration(connection: Connection) -> Calibration | None:
    """How the budget is kept, as published: the newest replay, in rates a week; None before the first.

    For the API, the exporter and the console.
    """
    found = newest_calibration(connection)
    if found is None:
        return None
    weeks = found["days"] / 7
    known = weeks > 0 and found["series"] > 0
    rate = {name: found[name] / weeks if known else None for name in ("alarms", "held")}
    since = found["holds_from"].astimezone(UTC)
    told = promise.words(found["budget"], found["series"], (found["days"], since), (rate["held"], rate["alarms"]))
    return Calibration(
        holds_from=since, made_at=found["made_at"].astimezone(UTC),
        budget=found["budget"], frames=found["series"], days=found["days"], alarms_a_week_by_theory=rate["alarms"],
        alarms_a_week=rate["held"], threshold_by_theory=found["asked"], threshold=found["accepted"], told=told,
    )  # fmt: skip
