"""What the faces show, read in one transaction and put together once for all of them. It writes nothing.

Times: `wall` is the clock's; answers stand in the stream's own present. A gap is unknown (null), never zero.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import numpy as np
import psycopg.errors

from schemas import wire
from schemas.errors import PermanentError, Reason
from services import logs
from services.analysis.coverage import coverage
from services.analysis.digest import share
from services.store import alerts, codebooks, deliveries, feeds, posts, trends
from services.store.pool import Connection, Row, one, rows

DAY = timedelta(days=1)
PERIOD = timedelta(days=14)
"""What is shown when no period is asked for."""
STEPS = {"5m": timedelta(minutes=5), "1h": timedelta(hours=1), "1d": DAY, "1w": timedelta(weeks=1)}
Step = Literal["5m", "1h", "1d", "1w"]
MAX_POINTS = 5000
EVERYTHING = "*"
_ALERT_ID = re.compile("[0-9a-f]{20}")


def firing_alerts(connection: Connection) -> list[Row]:
    """The bursts going on: alert_id, codebook, frame, onset."""
    return rows(connection, "readings", "firing_alerts")


def schema_number(connection: Connection) -> int | None:
    """Number of the newest migration; None when the database has no schema (the transaction is then spent)."""
    try:
        return int(one(connection, "readings", "schema_number")["number"])
    except psycopg.errors.UndefinedTable:
        return None


def last_hours(present: datetime, length: timedelta) -> tuple[datetime, datetime]:
    """The period of `length` that ends with the bucket the present is in."""
    until = floor(present, STEPS["5m"]) + STEPS["5m"]
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


def current_frame(connection: Connection, frame: str, codebook: str | None = None) -> Row:
    """The row of a frame (or '*') of a current codebook. Raises PermanentError(NOT_FOUND)."""
    known = [f for f in codebooks.list_frames(connection) if codebook in (None, f["codebook"])]
    for row in known:
        if frame == EVERYTHING:
            return {**row, "frame": EVERYTHING, "title": "All posts"}
        if row["frame"] == frame:
            return row
    where = "any current codebook" if codebook is None else f"the current codebook {codebook}"
    raise PermanentError(Reason.NOT_FOUND, f"there is no frame {frame} in {where}")


def totals(
    connection: Connection, version_id: int, since: datetime, until: datetime, *, present: datetime
) -> tuple[float | None, dict[str, Row]]:
    """Coverage of a period, and posts, units, authors and share of each frame in it; None when nothing was heard."""
    covered = heard(connection, [since], until - since, present=present)[0]
    scored = trends.posts_scored(connection, version_id, since, until)
    found = {t["frame"]: t for t in trends.frame_totals(connection, version_id, since, until)}
    if covered == 0:
        nothing = dict.fromkeys(("posts", "units", "authors", "share"))
        return covered, {frame: {**nothing, "coverage": covered} for frame in found}
    keys = ("posts", "units", "authors")
    return covered, {
        frame: {**{k: t[k] for k in keys}, "share": share(t["posts"], scored), "coverage": covered}
        for frame, t in found.items()
    }


def read_frames(connection: Connection, wall: datetime) -> wire.Frames:
    """Every current frame: its newest verdict, its last 24 hours, and its share in the 24 hours before."""
    present = feeds.present(connection, wall)
    since, until = last_hours(present, DAY)
    known = codebooks.list_frames(connection)
    now, before = {}, {}
    for number in {f["version_id"] for f in known}:
        now[number] = totals(connection, number, since, until, present=present)[1]
        before[number] = totals(connection, number, since - DAY, since, present=present)[1]
    verdicts = {(v["version_id"], v["frame"]): v for v in alerts.last_verdicts(connection)}
    firing = {(a["codebook"], a["frame"]): a["alert_id"] for a in reversed(firing_alerts(connection))}
    found = [
        _frame(
            {**row, **now[row["version_id"]][row["frame"]], "alert_id": firing.get((row["codebook"], row["frame"]))},
            verdicts.get((row["version_id"], row["frame"])),
            before[row["version_id"]][row["frame"]]["share"],
        )
        for row in known
    ]
    return wire.Frames(present=present, since=since, until=until, frames=tuple(found))


def _frame(row: Row, verdict: Row | None, previous: float | None) -> wire.Frame:
    change = None if row["share"] is None or previous is None else row["share"] - previous
    judged = None if verdict is None else wire.Verdict(**_known(wire.Verdict, unheard(verdict)))
    state = judged.state if judged else "learning"
    extra = {"verdict": judged, "state": state, "previous_share": previous, "change": change}
    return wire.Frame(**_known(wire.Frame, {**row, **extra}))


def unheard(row: Row) -> Row:
    """A row whose counts are unknown when its coverage is nought."""
    return {**row, "posts": None, "units": None} if row["coverage"] == 0 else row


def whole_steps(since: datetime | None, until: datetime | None, step: timedelta, present: datetime) -> list[datetime]:
    """The starts of the steps that touch a period, none after the present. Raises PermanentError(BAD_INPUT)."""
    end = min(until or present + timedelta(seconds=1), floor(present, step) + step)
    begin = floor(since or end - PERIOD, step)
    count = max(-((begin - end) // step), 0)
    if count > MAX_POINTS:
        told = f"the period has {count} steps, more than {MAX_POINTS}: ask for a longer step or a shorter period"
        raise PermanentError(Reason.BAD_INPUT, told)
    return [begin + i * step for i in range(count)]


def read_trend(
    connection: Connection, wall: datetime, *, frame: str, step: Step = "1h", since: datetime | None = None,
    until: datetime | None = None, source: str | None = None, lang: str | None = None, codebook: str | None = None,
) -> wire.Trend:  # fmt: skip
    """Every step of a period. Raises PermanentError: NOT_FOUND, or BAD_INPUT for too many steps."""
    present = feeds.present(connection, wall)
    row, length = current_frame(connection, frame, codebook), STEPS[step]
    starts = whole_steps(since, until, length, present)
    first = starts[0] if starts else floor(since or present, length)
    end = starts[-1] + length if starts else first
    about: dict[str, Any] = {"version_id": row["version_id"], "since": first, "until": end}
    narrow: dict[str, Any] = {"step": length, "source": source, "lang": lang}
    counted = {p["at"]: p for p in trends.trend(connection, **about, frame=row["frame"], **narrow)}
    scored = counted
    if row["frame"] != EVERYTHING:
        scored = {p["at"]: p for p in trends.trend(connection, **about, frame=EVERYTHING, **narrow)}
    judged: dict[datetime, Row] = {}
    if step == "1h" and source is None and lang is None:
        number, name = row["version_id"], row["frame"]
        judged = {v["bucket"]: v for v in alerts.list_verdicts(connection, number, name, since=first, until=end)}
    covered = heard(connection, starts, length, present=present, source=source)
    points = [
        _point(at, part, counted.get(at, {}), scored.get(at, {}), judged.get(at, {}), whole=row["frame"] == EVERYTHING)
        for at, part in zip(starts, covered, strict=True)
    ]
    return wire.Trend(
        present=present, since=first, until=end, step_seconds=int(length.total_seconds()), codebook=row["codebook"],
        version=row["version"], frame=row["frame"], title=row["title"], source=source, lang=lang, points=tuple(points),
    )  # fmt: skip


def _point(
    at: datetime, covered: float | None, counted: Row, scored: Row, judged: Row, *, whole: bool
) -> wire.TrendPoint:
    known = covered != 0
    posts_here = counted.get("posts", 0)
    voices = known and not whole
    return wire.TrendPoint(
        at=at,
        posts=posts_here if known else None,
        units=counted.get("units", 0) if voices else None,
        authors=counted.get("authors", 0) if voices else None,
        share=share(posts_here, scored.get("posts", 0)) if known else None,
        coverage=covered,
        expected=judged.get("expected"),
        upper=judged.get("upper"),
        state=judged.get("state"),
    )


def read_posts(
    connection: Connection, wall: datetime, *, frame: str | None = None, since: datetime | None = None,
    until: datetime | None = None, **filters: Any,
) -> wire.PostPage:  # fmt: skip
    """Posts newest first, without `next`; filters: codebook, source, lang, before, before_id, limit."""
    present = feeds.present(connection, wall)
    since = since or present - PERIOD
    codebook = filters.pop("codebook", None)
    if frame is None and codebook is None and not codebooks.current_codebooks(connection):
        about: Row = {"version_id": None, "codebook": None, "version": None}
    else:
        about = current_frame(connection, frame or EVERYTHING, codebook)
    wanted = None if frame in (None, EVERYTHING) else frame
    found = posts.list_posts(
        connection, version_id=about["version_id"], frame=wanted, since=since, until=until, **filters
    )
    told = tuple(wire.Post(**_known(wire.Post, {**p, "uncertain": p["uncertain"] or ()})) for p in found)
    about = {k: about[k] for k in ("codebook", "version")}
    return wire.PostPage(present=present, since=since, until=until, posts=told, next=None, **about)


def read_alerts(connection: Connection, wall: datetime, **page: Any) -> wire.AlertPage:
    """Alerts newest first, without `next`; page: limit, frame, before, before_id."""
    found = tuple(wire.AlertLine(**a) for a in alerts.list_alerts(connection, **page))
    return wire.AlertPage(present=feeds.present(connection, wall), alerts=found, next=None)


def read_alert(connection: Connection, wall: datetime, alert_id: str) -> wire.Alert:
    """One alert with evidence, deliveries and its counts as they are now. Raises PermanentError(NOT_FOUND)."""
    row = alerts.read_alert(connection, alert_id) if _ALERT_ID.fullmatch(alert_id) else None
    if row is None:
        raise PermanentError(Reason.NOT_FOUND, "there is no alert of this id")
    present = feeds.present(connection, wall)
    evidence = row["evidence"]
    book = evidence.get("codebook") or {}
    burst = row["kind"] == "burst"
    sent = tuple(wire.Delivery(**d) for d in deliveries.deliveries_of_alert(connection, alert_id))
    about = {
        "codebook": book.get("id") if burst else None, "version": book.get("version") if burst else None,
        "title": (evidence.get("frame") or {}).get("title"), "reason": evidence.get("reason"), "deliveries": sent,
        "live": _live(connection, row, present) if burst else None, "present": present,
    }  # fmt: skip
    return wire.Alert(**_known(wire.Alert, {**row, **about}))


def _live(connection: Connection, row: Row, present: datetime) -> wire.Live:
    """The counts of the episode now, under the version of the codebook that readers see, if it has the frame."""
    step = timedelta(seconds=row["evidence"].get("step_seconds") or 3600)
    until = row["last_bucket"] + step if row["state"] == "resolved" else last_hours(present, step)[1]
    book = (row["evidence"].get("codebook") or {}).get("id")
    seen = [f for f in codebooks.list_frames(connection) if f["codebook"] == book and f["frame"] == row["frame"]]
    version_id = seen[0]["version_id"] if seen else row["version_id"]
    period = {"since": row["onset"], "until": until}
    counts = alerts.alert_counts(connection, version_id=version_id, frame=row["frame"], **period)
    return wire.Live(**period, **counts)


def read_feeds(connection: Connection, wall: datetime) -> wire.Feeds:
    """Every feed, without passwords."""
    found = [_known(wire.Feed, f) for f in feeds.list_feeds(connection)]
    hidden = ({**f, "address": logs.mask(f["address"]), "last_error": _masked(f["last_error"])} for f in found)
    return wire.Feeds(present=feeds.present(connection, wall), feeds=tuple(wire.Feed(**f) for f in hidden))


def read_codebooks(connection: Connection, wall: datetime) -> wire.Codebooks:
    """Every version of every codebook, the frames of the current ones named."""
    named: dict[int, list[str]] = {}
    for frame in codebooks.list_frames(connection):
        named.setdefault(frame["version_id"], []).append(frame["frame"])
    found = codebooks.list_codebooks(connection)
    told = (_known(wire.CodebookVersion, {**c, "frames": tuple(named.get(c["version_id"], ()))}) for c in found)
    books = tuple(wire.CodebookVersion(**c) for c in told)
    return wire.Codebooks(present=feeds.present(connection, wall), codebooks=books)


def read_last_digest(connection: Connection, wall: datetime) -> wire.Digest:
    """The newest digest. Raises PermanentError(NOT_FOUND) before there is one."""
    row = deliveries.last_digest(connection)
    if row is None:
        raise PermanentError(Reason.NOT_FOUND, "no digest has been composed yet")
    return wire.Digest(present=feeds.present(connection, wall), **row)


def _known(model: type[wire.Wire], row: Row) -> Row:
    return {name: row[name] for name in model.model_fields if name in row}


def _masked(text: str | None) -> str | None:
    return None if text is None else logs.mask(text)
