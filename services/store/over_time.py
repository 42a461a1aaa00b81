"""Frames over time as the faces show them, put together once for all of them. It writes nothing.

Steps are known by their places, 0 at the start of the period. A gap is unknown (null), never zero.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas import wire
from schemas.errors import PermanentError, Reason
from schemas.stance import Stance
from services.analysis import stepping
from services.analysis.digest import share
from services.store import alerts, codebooks, feeds, stances, trends, versions
from services.store.pool import Connection, Row
from services.store.readings import PERIOD, floor, heard

MAX_POINTS = 5000
NONE: Row = {"posts": 0, "units": 0, "authors": 0}
UNCOUNTED: Row = {"units": None, "authors": None}
EVERYTHING = versions.EVERYTHING


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


@dataclass(frozen=True, slots=True)
class _Asked:
    """Which steps of what are told."""

    present: datetime
    row: Row
    """Of the frame, with its codebook and version."""
    length: timedelta
    starts: list[datetime]
    since: datetime
    until: datetime

    @property
    def period(self) -> dict[str, Any]:
        """What queries are told of it."""
        asked = {"version_id": self.row["version_id"], "since": self.since, "until": self.until}
        return {**asked, "step": self.length}

    @property
    def told(self) -> dict[str, Any]:
        """What answers tell of it."""
        named = {name: self.row[name] for name in ("codebook", "version")}
        period = {"present": self.present, "since": self.since, "until": self.until}
        return {**named, **period, "step_seconds": int(self.length.total_seconds())}


def _asked(
    connection: Connection, wall: datetime, frame: str, *, step: str, since: datetime | None, until: datetime | None,
    codebook: str | None, version: int | None,
) -> _Asked:  # fmt: skip
    present, row = feeds.present(connection, wall), versions.frame_asked(connection, frame, codebook, version)
    length = _length(step)
    starts = whole_steps(since, versions.until_of(row, until), length, present, usual=stepping.usual_period(length))
    first = starts[0] if starts else floor(since or present, length)
    return _Asked(present, row, length, starts, first, starts[-1] + length if starts else first)


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
    asked = _asked(
        connection, wall, frame, step=step, since=since, until=until, codebook=codebook, version=version
    )  # fmt: skip
    name, length = asked.row["frame"], asked.length
    narrow: dict[str, Any] = {"source": source, "lang": lang}
    told = trends.counts(connection, list({name, EVERYTHING}), **asked.period, **narrow)
    counted, whole = told[name], name == EVERYTHING
    stood: dict[int, dict[Stance, int]] = {}
    if not whole and stances.any_reader(connection):
        found = stances.stance_trend(connection, **asked.period, frame=name, **narrow)
        stood = {(at - asked.since) // length: of for at, of in found.items()}
    if stance is not None:
        counted = _standing(connection, asked, stood, stance=stance, **narrow)
    judged: Row = {}
    if length == timedelta(hours=1) and source is None and lang is None and stance is None:
        judged = alerts.judged_series(connection, frame=name, **asked.period)
    covered = heard(connection, asked.starts, length, present=asked.present, source=source)
    points = _points(
        list(zip(asked.starts, covered, strict=True)), (counted, told[EVERYTHING]), judged, stood, whole=whole
    )
    about = {"frame": name, "title": asked.row["title"], **narrow, "stance": stance}
    # The points are checked in one call: one by one they take twice as long.
    return wire.Trend.model_validate({**asked.told, **about, "points": points})


def _standing(
    connection: Connection, asked: _Asked, stood: Mapping[int, Mapping[Stance, int]], *, stance: Stance, **about: Any
) -> dict[int, Row]:
    """Counts of the carriers that stand in one way; their voices while they are few."""
    posts = {place: of[stance] for place, of in stood.items() if stance in of}
    voices: dict[int, Row] = {}
    if sum(posts.values()) <= trends.VOICES:
        about |= {**asked.period, "frame": asked.row["frame"], "stance": stance}
        found = stances.stance_voices(connection, **about)
        voices = {(at - asked.since) // asked.length: of for at, of in found.items()}
    return {place: {**voices.get(place, UNCOUNTED), "posts": n} for place, n in posts.items()}


def _points(
    steps: Sequence[tuple[datetime, float | None]], counts: tuple[Mapping[int, Row], Mapping[int, Row]], judged: Row,
    stood: Mapping[int, Mapping[Stance, int]], *, whole: bool,
) -> list[Row]:  # fmt: skip
    """What TrendPoint says of each step (start, coverage): `counts` are those of the frame and of all posts."""
    carrying, scored = counts
    columns = [judged.get(name, ()) for name in ("places", "expected", "upper", "state")]
    verdicts = {place: of for place, *of in zip(*columns, strict=True)}
    points = []
    for place, (at, covered) in enumerate(steps):
        here, every = carrying.get(place, NONE), scored.get(place, NONE)["posts"]
        known = was_heard(covered, every)
        voices = here if known and not whole else UNCOUNTED
        expected, upper, state = verdicts.get(place, (None, None, None))
        points.append(
            {"at": at, "posts": here["posts"] if known else None, "units": voices["units"],
             "authors": voices["authors"], "share": share(here["posts"], every) if known else None,
             "coverage": covered, "expected": expected, "upper": upper, "state": state, "stances": stood.get(place)}
        )  # fmt: skip
    return points


def read_trends(
    connection: Connection, wall: datetime, *, frame: Sequence[str] = (), step: str = "1d",
    since: datetime | None = None, until: datetime | None = None, source: str | None = None, lang: str | None = None,
    codebook: str | None = None, version: int | None = None, stance: Stance | None = None, by_stance: bool = False,
) -> wire.Trends:  # fmt: skip
    """Several frames of one codebook (all when none is named) over one period: posts and shares; with `stance`, of the
    carriers that stand so; with `by_stance`, each step split as well.

    Raises PermanentError: NOT_FOUND, or BAD_INPUT for too many steps.
    """
    first = frame[0] if frame else EVERYTHING
    asked = _asked(
        connection, wall, first, step=step, since=since, until=until, codebook=codebook, version=version
    )  # fmt: skip
    for name in frame[1:]:
        versions.frame_asked(connection, name, asked.row["codebook"], version)
    of_version = codebooks.frames_of_version(connection, asked.row["version_id"])
    chosen = [f for f in of_version if not frame or f["frame"] in frame]
    names = [f["frame"] for f in chosen]
    narrow: dict[str, Any] = {**asked.period, "source": source, "lang": lang}
    counted = trends.trends(connection, [EVERYTHING, *names], **narrow)
    read = (by_stance or stance is not None) and stances.any_reader(connection)
    stood = stances.stance_trends(connection, names, **narrow) if read else {}
    if stance is not None:
        for name in names:
            of_steps = [stood.get((name, at), {}) for at in asked.starts]
            counted[name] = np.array([of.get(stance, 0) for of in of_steps], np.int64)
    covered = heard(connection, asked.starts, asked.length, present=asked.present, source=source)
    every = counted[EVERYTHING]
    divisor = np.maximum(every, 1)
    known = np.array([was_heard(part, n) for part, n in zip(covered, every.tolist(), strict=True)], bool)
    told = []
    for row in chosen:
        posts = counted[row["frame"]]
        split = tuple(
            stood.get((row["frame"], at)) if sure else None for at, sure in zip(asked.starts, known, strict=True)
        ) if read and by_stance else None  # fmt: skip
        about = {"frame": row["frame"], "title": row["title"], "posts": _where(known, posts)}
        told.append(wire.FrameTrend(**about, share=_where(known & (every > 0), posts / divisor), stances=split))
    return wire.Trends(
        **asked.told, source=source, lang=lang, stance=stance, at=tuple(asked.starts), coverage=tuple(covered),
        scored=_where(known, every), frames=tuple(told),
    )  # fmt: skip


def was_heard(covered: float | None, scored: int) -> bool:
    """Whether what was counted is known: a bucket in which nobody listened is only if something came all the same."""
    return bool(scored) if covered is None else covered > 0


def _where(known: NDArray[np.bool_], values: NDArray[Any]) -> tuple[Any, ...]:
    """Values by step; None where they are not known."""
    told = values.tolist()
    for place in np.flatnonzero(~known).tolist():
        told[place] = None
    return tuple(told)
