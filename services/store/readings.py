"""Frames and trends as the faces show them, put together once for all of them. It writes nothing.

Times: `wall` is the clock's; answers stand in the stream's own present. A gap is unknown (null), never zero.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import psycopg.errors

from schemas import wire
from schemas.errors import PermanentError, Reason
from schemas.stance import Stance
from services.analysis import stepping
from services.analysis.coverage import coverage
from services.analysis.digest import share
from services.store import alerts, codebooks, counting, feeds, qualities, stances, trends, versions
from services.store.pool import Connection, Row, one, rows

DAY = timedelta(days=1)
PERIOD = timedelta(days=14)
"""What is shown when no period is asked for."""
BUCKET = stepping.BUCKET
MAX_POINTS = 5000
UNCOUNTED: Row = {"units": None, "authors": None}
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
"""Before everything that is stored."""
EVERYTHING = versions.EVERYTHING
current_frame = versions.current_frame


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


def totals(
    connection: Connection, version_id: int, since: datetime, until: datetime, *, present: datetime
) -> tuple[float | None, dict[str, Row]]:
    """Coverage of a period, and posts, units, authors and share of each frame in it; None when nothing was heard."""
    covered = heard(connection, [since], until - since, present=present)[0]
    counted = counting.count_frames(connection, version_id, since, until, silent=covered == 0)
    return covered, {frame: {**told, "coverage": covered} for frame, told in counted.items()}


def shares_before(
    connection: Connection, version_id: int, frames: Sequence[str], *, since: datetime, until: datetime,
    present: datetime,
) -> dict[str, float | None]:  # fmt: skip
    """The share of frames in the period as long as this one that ended when it began; None when nothing was heard."""
    length = until - since
    known = heard(connection, [since - length], length, present=present)[0] != 0
    posts = counting.posts_before(connection, version_id, frames, since=since, until=until)
    return {f: share(posts[f], posts[EVERYTHING]) if known else None for f in frames}


def read_frames(connection: Connection, wall: datetime) -> wire.Frames:
    """Every current frame: its newest verdict, its last 24 hours, and its share in the 24 hours before."""
    present = feeds.present(connection, wall)
    since, until = last_hours(present, DAY)
    known = codebooks.list_frames(connection)
    now, before = {}, {}
    for number in {f["version_id"] for f in known}:
        now[number] = totals(connection, number, since, until, present=present)[1]
        names = [f["frame"] for f in known if f["version_id"] == number]
        before[number] = shares_before(connection, number, names, since=since, until=until, present=present)
    verdicts = {(v["version_id"], v["frame"]): v for v in alerts.last_verdicts(connection)}
    firing = {(a["codebook"], a["frame"]): a["alert_id"] for a in reversed(firing_alerts(connection))}
    good = qualities.read_quality(connection, wall)
    found = [
        _frame(
            {
                **row,
                **now[row["version_id"]][row["frame"]],
                "alert_id": firing.get((row["codebook"], row["frame"])),
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
    state = judged.state if judged else "learning"
    extra = {"verdict": judged, "state": state, "previous_share": previous, "change": change}
    return wire.Frame(**fields_of(wire.Frame, {**row, **extra}))


def unheard(row: Row) -> Row:
    """A row whose counts are unknown when its coverage is nought."""
    return {**row, "posts": None, "units": None} if row["coverage"] == 0 else row


def whole_steps(since: datetime | None, until: datetime | None, step: timedelta, present: datetime,
                usual: timedelta = PERIOD) -> list[datetime]:  # fmt: skip
    """The starts of the steps that touch a period, none after the present. Raises PermanentError(BAD_INPUT)."""
    end = min(until or present + timedelta(seconds=1), floor(present, step) + step)
    begin = floor(since or end - usual, step)
    count = max(-((begin - end) // step), 0)
    if count > MAX_POINTS:
        told = f"the period has {count} steps, more than {MAX_POINTS}: ask for a longer step or a shorter period"
        raise PermanentError(Reason.BAD_INPUT, told)
    return [begin + i * step for i in range(count)]


def _length(step: str) -> timedelta:
    try:
        return stepping.length_of(step)
    except ValueError as wrong:
        raise PermanentError(Reason.BAD_INPUT, str(wrong)) from None


def read_trend(
    connection: Connection, wall: datetime, *, frame: str, step: str = "1h", since: datetime | None = None,
    until: datetime | None = None, source: str | None = None, lang: str | None = None, codebook: str | None = None,
    stance: Stance | None = None, version: int | None = None,
) -> wire.Trend:  # fmt: skip
    """Every step of a period; with `stance`, counts of the carriers that stand so.

    Raises PermanentError: NOT_FOUND, or BAD_INPUT for too many steps, for what is none, or for the stance of all posts.
    """
    if stance is not None and frame == EVERYTHING:
        raise PermanentError(Reason.BAD_INPUT, "stance is of a frame: name one beside stance")
    present = feeds.present(connection, wall)
    row, length = versions.frame_asked(connection, frame, codebook, version), _length(step)
    starts = whole_steps(since, versions.until_of(row, until), length, present, usual=stepping.usual_period(length))
    first = starts[0] if starts else floor(since or present, length)
    end = starts[-1] + length if starts else first
    about: dict[str, Any] = {"version_id": row["version_id"], "since": first, "until": end}
    narrow: dict[str, Any] = {"step": length, "source": source, "lang": lang}
    counted = {p["at"]: p for p in trends.trend(connection, **about, frame=row["frame"], **narrow)}
    scored = counted
    if row["frame"] != EVERYTHING:
        scored = {p["at"]: p for p in trends.trend(connection, **about, frame=EVERYTHING, **narrow)}
    stood: dict[datetime, dict[Stance, int]] = {}
    if row["frame"] != EVERYTHING and stances.any_reader(connection):
        stood = stances.stance_trend(connection, **about, frame=row["frame"], **narrow)
    if stance is not None:
        posts = {at: of[stance] for at, of in stood.items() if stance in of}
        few = sum(posts.values()) <= trends.VOICES
        asked = {**about, **narrow, "frame": row["frame"], "stance": stance}
        voices = stances.stance_voices(connection, **asked) if few else {}
        counted = {at: {**voices.get(at, UNCOUNTED), "posts": n} for at, n in posts.items()}
    judged: dict[datetime, Row] = {}
    if length == timedelta(hours=1) and source is None and lang is None and stance is None:
        number, name = row["version_id"], row["frame"]
        judged = {v["bucket"]: v for v in alerts.list_verdicts(connection, number, name, since=first, until=end)}
    covered = heard(connection, starts, length, present=present, source=source)
    whole = row["frame"] == EVERYTHING
    points = [
        _point(at, part, (counted.get(at, {}), scored.get(at, {}), judged.get(at, {}), stood.get(at)), whole=whole)
        for at, part in zip(starts, covered, strict=True)
    ]
    return wire.Trend(
        present=present, since=first, until=end, step_seconds=int(length.total_seconds()), codebook=row["codebook"],
        version=row["version"], frame=row["frame"], title=row["title"], source=source, lang=lang, stance=stance,
        points=tuple(points),
    )  # fmt: skip


def read_trends(
    connection: Connection, wall: datetime, *, frame: Sequence[str] = (), step: str = "1d",
    since: datetime | None = None, until: datetime | None = None, source: str | None = None, lang: str | None = None,
    codebook: str | None = None, version: int | None = None, stance: Stance | None = None, by_stance: bool = False,
) -> wire.Trends:  # fmt: skip
    """Several frames of one codebook (all when none is named) over one period: posts and shares; with `stance`, of the
    carriers that stand so; with `by_stance`, each step split as well.

    Raises PermanentError: NOT_FOUND, or BAD_INPUT for too many steps.
    """
    present, length = feeds.present(connection, wall), _length(step)
    about = versions.frame_asked(connection, frame[0] if frame else EVERYTHING, codebook, version)
    for name in frame:
        versions.frame_asked(connection, name, about["codebook"], version)
    of_version = codebooks.frames_of_version(connection, about["version_id"])
    chosen = [f for f in of_version if not frame or f["frame"] in frame]
    starts = whole_steps(since, versions.until_of(about, until), length, present, usual=stepping.usual_period(length))
    first = starts[0] if starts else floor(since or present, length)
    end = starts[-1] + length if starts else first
    names = [f["frame"] for f in chosen]
    narrow: dict[str, Any] = {"version_id": about["version_id"], "since": first, "until": end, "step": length,
                              "source": source, "lang": lang}  # fmt: skip
    counted = trends.trends(connection, [EVERYTHING, *names], **narrow)
    read = (by_stance or stance is not None) and stances.any_reader(connection)
    stood = stances.stance_trends(connection, names, **narrow) if read else {}
    if stance is not None:
        counted, places = {EVERYTHING: counted.get(EVERYTHING, {})}, {at: i for i, at in enumerate(starts)}
        for (name, at), of in stood.items():
            counted.setdefault(name, {})[places[at]] = of.get(stance, 0)
    covered = heard(connection, starts, length, present=present, source=source)
    every = counted.get(EVERYTHING, {}).get
    known = [was_heard(part, every(place, 0)) for place, part in enumerate(covered)]
    scored = _series(counted.get(EVERYTHING, {}), known)
    told = []
    for row in chosen:
        carrying = _series(counted.get(row["frame"], {}), known)
        parts = _shares(carrying, scored)
        split = tuple(
            stood.get((row["frame"], at)) if sure else None for at, sure in zip(starts, known, strict=True)
        ) if read and by_stance else None  # fmt: skip
        about_frame = {"frame": row["frame"], "title": row["title"]}
        told.append(wire.FrameTrend(**about_frame, share=parts, posts=carrying, stances=split))
    return wire.Trends(
        present=present, since=first, until=end, step_seconds=int(length.total_seconds()), codebook=about["codebook"],
        version=about["version"], source=source, lang=lang, stance=stance, at=tuple(starts), coverage=tuple(covered),
        scored=scored, frames=tuple(told),
    )  # fmt: skip


def was_heard(covered: float | None, scored: int) -> bool:
    """Whether what was counted is known: a bucket in which nobody listened is only if something came all the same."""
    return bool(scored) if covered is None else covered > 0


def _series(counted: Mapping[int, int], known: Sequence[bool]) -> tuple[int | None, ...]:
    """Posts of each step, given by their places; None where nothing was heard."""
    posts = counted.get
    return tuple([posts(place, 0) if sure else None for place, sure in enumerate(known)])


def _shares(carrying: Sequence[int | None], scored: Sequence[int | None]) -> tuple[float | None, ...]:
    return tuple([n / every if every and n is not None else None for n, every in zip(carrying, scored, strict=True)])


def _point(
    at: datetime, covered: float | None, told: tuple[Row, Row, Row, dict[Stance, int] | None], *, whole: bool
) -> wire.TrendPoint:
    counted, scored, judged, stood = told
    known = was_heard(covered, scored.get("posts", 0))
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
        stances=stood,
    )


def fields_of(model: type[wire.Wire], row: Row) -> Row:
    """What a row holds of a wire model's fields."""
    return {name: row[name] for name in model.model_fields if name in row}
