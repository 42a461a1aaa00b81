"""Trends as they are kept, read at any step. It writes nothing."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.store import codebooks
from services.store.pool import Connection, Row, one, rows

Counts = NDArray[np.int64]
"""Posts by step: nought where there are none."""
KEPT = {timedelta(hours=1): "1h", timedelta(days=1): "1d", timedelta(weeks=1): "1w"}
"""Steps that are kept as rows; the migration that makes them says of what."""
VOICES = 8_000
"""Posts of a frame whose voices are counted at once where nobody keeps them: more take too long, and are unknown."""
AT_ONCE = 2_000
"""Posts whose voices are counted by who asks; that takes about ten milliseconds."""


def trend(
    connection: Connection, *, frame: str, since: datetime, step: timedelta, **about: Any
) -> list[Row]:  # fmt: skip
    """(at, posts, units, authors) of one frame, or '*' for all posts, by step; empty steps are left out.

    about: version_id, until, source, lang. Counts are as those of `counts`.
    """
    told = counts(connection, [frame], since=since, step=step, **about)[frame]
    return [{"at": since + place * step, **told[place]} for place in sorted(told)]


def counts(
    connection: Connection, frames: Sequence[str], *, version_id: int, since: datetime, until: datetime,
    step: timedelta, source: str | None = None, lang: str | None = None,
) -> dict[str, dict[int, Row]]:  # fmt: skip
    """Posts, units and authors of each of the frames ('*' is all posts) by the places of their steps, 0 at `since`.

    Empty steps are left out. Posts are exact, and voices where they stand still or are few (AT_ONCE); of a busy step
    that changes they are as uncounted_steps says.
    """
    values: dict[str, Any] = {"version_id": version_id, "since": since, "until": until, "source": source, "lang": lang}
    kept = kept_step({**values, "step": step})
    if kept is None:
        return {frame: _counts_of_points(connection, frame=frame, step=step, **values) for frame in frames}
    name, width = kept
    values["step"] = width
    found = rows(connection, "trends", "counts", name=name, at_once=AT_ONCE, frames=list(frames), **values)
    told = {r["frame"]: r for r in found}
    if width == step:
        return {frame: _counts_of_steps(connection, told.get(frame), **values) for frame in frames}
    values["step"] = step
    return {frame: _added_up(connection, told.get(frame), frame=frame, width=width, **values) for frame in frames}


def _counts_of_points(connection: Connection, *, since: datetime, step: timedelta, **about: Any) -> dict[int, Row]:
    found = trend_of_points(connection, since=since, step=step, **about)
    return {(r.pop("at") - since) // step: r for r in found}


def _counts_of_steps(connection: Connection, told: Row | None, **values: Any) -> dict[int, Row]:
    """What is kept of a frame, and of steps whose voices have to be counted what is counted now."""
    if told is None:
        return {}
    each = zip(told["places"], told["posts"], told["units"], told["authors"], strict=True)
    found = {place: {"posts": posts, "units": units, "authors": authors} for place, posts, units, authors in each}
    if told["stale"]:
        for of in voices_of_steps(connection, told["stale"], frame=told["frame"], **values):
            found[of.pop("place")] |= of
    return found


def _added_up(
    connection: Connection, told: Row | None, *, width: timedelta, since: datetime, step: timedelta, **about: Any
) -> dict[int, Row]:
    """Longer steps from shorter ones: posts add up, voices are counted over the whole of each, while they are few."""
    if told is None:
        return {}
    posts: Counter[int] = Counter()
    for place, n in zip(told["places"], told["posts"], strict=True):
        posts[place * width // step] += n
    few = about["frame"] == "*" or posts.total() <= VOICES
    found = voices_by_step(connection, since=since, step=step, **about) if few else []
    voices = {(r.pop("at") - since) // step: r for r in found}
    unknown = dict.fromkeys(("units", "authors"), 0 if few else None)
    return {place: {"posts": n, **unknown, **voices.get(place, {})} for place, n in posts.items()}


def voices_of_steps(connection: Connection, stale: Sequence[datetime], **values: Any) -> list[Row]:
    """Units and authors by place of some steps of one frame: as slow as there are many carriers in them."""
    return rows(connection, "trends", "voices_of_steps", stale=list(stale), **values)


def voices_by_step(connection: Connection, **values: Any) -> list[Row]:
    """at, units and authors of one frame by any step: as slow as there are many carriers."""
    return rows(connection, "trends", "voices_by_step", **values)


def trend_of_points(connection: Connection, **values: Any) -> list[Row]:
    """The same by any step and period, from the points themselves: as slow as there are many."""
    return rows(connection, "trends", "trend_of_points", **values)


def trends(
    connection: Connection, frames: Sequence[str], *, since: datetime, until: datetime, step: timedelta, **about: Any
) -> dict[str, Counts]:
    """Posts of each of the frames ('*' is all posts) by step; about: version_id, source, lang.

    The period is of whole steps, and `since` the start of one.
    """
    values = {"since": since, "until": until, "step": step, **about}
    length, kept = (until - since) // step, kept_step(values)
    if kept is None:
        found = {r["frame"]: r for r in trends_of_points(connection, frames=list(frames), **values)}
        return {frame: _spread(found.get(frame), length) for frame in frames}
    name, width = kept
    told = rows(connection, "trends", "trends", name=name, **{**values, "step": width})
    every = ("*", *codebooks.frame_names(connection, about["version_id"]))
    posts = np.zeros((length, len(every)), np.int64)
    if told:
        places = np.array([r["place"] for r in told]) // (step // width)
        np.add.at(posts, places, np.array([r["posts"] for r in told]))
    return {frame: posts[:, column] for column, frame in enumerate(every) if frame in set(frames)}


def _spread(told: Row | None, length: int) -> Counts:
    posts = np.zeros(length, np.int64)
    if told is not None:
        posts[told["places"]] = told["posts"]
    return posts


def trends_of_points(connection: Connection, **values: Any) -> list[Row]:
    """The same by any step, from the points themselves."""
    return rows(connection, "trends", "trends_of_points", **values)


def kept_step(asked: Mapping[str, Any]) -> tuple[str, timedelta] | None:
    """The longest kept step that this (step, since, until) is made of; None: ask the points."""
    step = asked["step"]
    if any(asked[end].timestamp() % step.total_seconds() for end in ("since", "until")):
        return None
    return next(((name, width) for width, name in reversed(KEPT.items()) if not step % width), None)


def frame_windows(connection: Connection, version_id: int, hours: int, until: datetime) -> dict[str, Row]:
    """posts, units, authors, before (posts in as many hours before), changed and before_changed, by frame.

    '*' is all posts; of what is marked as changed, points say how many posts there are. Frames of which nothing is kept
    for just these hours are left out.
    """
    found = rows(connection, "trends", "frame_windows", version_id=version_id, hours=hours, until=until)
    return {f["frame"]: f for f in found}


def frame_totals(connection: Connection, version_id: int, since: datetime, until: datetime) -> list[Row]:
    """frame, title, posts, units and authors of every frame in a period, in the order of the codebook."""
    known = codebooks.frames_of_version(connection, version_id)
    about: dict[str, Any] = {"version_id": version_id, "since": since, "until": until}
    counted = count_frames(connection, [f["frame"] for f in known], **about)
    return [{"title": f["title"], **counted[f["frame"]]} for f in known]


def count_frames(connection: Connection, frames: Sequence[str], **period: Any) -> dict[str, Row]:
    """posts, units and authors of some frames in a period; period: version_id, since, until."""
    posts = posts_between(connection, frames, **period)
    voices = voices_between(connection, frames, **period)
    return {v["frame"]: {**v, "posts": posts[v["frame"]]} for v in voices}


def posts_between(connection: Connection, frames: Sequence[str], **period: Any) -> dict[str, int]:
    """Posts of some frames ('*' is all posts) in a period."""
    found = rows(connection, "trends", "posts_between", frames=list(frames), **period)
    return {f["frame"]: f["posts"] for f in found}


def voices_between(connection: Connection, frames: Sequence[str], **period: Any) -> list[Row]:
    """frame, units and authors of some frames in a period: as slow as there are many carriers."""
    return rows(connection, "trends", "voices_between", frames=list(frames), **period)


def posts_scored(connection: Connection, version_id: int, since: datetime, until: datetime) -> int:
    """All posts scored in a period: what shares are shares of."""
    return posts_between(connection, ["*"], version_id=version_id, since=since, until=until)["*"]


def first_bucket(connection: Connection, version_id: int) -> datetime | None:
    """Where the trend of a codebook begins."""
    value: datetime | None = one(connection, "trends", "first_bucket", version_id=version_id)["bucket"]
    return value


def last_bucket(connection: Connection, version_id: int) -> datetime | None:
    """The newest bucket with a post scored under a version; None where there is none."""
    at: datetime | None = one(connection, "trends", "last_bucket", version_id=version_id)["bucket"]
    return at
