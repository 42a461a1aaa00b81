"""Everything of a period, in order of time, a batch at a time: memory stays flat and no connection is held meanwhile.

Each batch is a transaction of its own that goes on where the last one ended, so a slow reader holds nothing up: what is
stored from the beginning to the end of an export is in it once; what comes or goes meanwhile may or may not be.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from schemas import wire
from schemas.errors import PermanentError, Reason
from services.analysis import stepping
from services.store import codebooks, feeds, over_time, readings, stances, versions
from services.store.pool import Connection, Row, Store, rows

BATCH = 2_000
POINTS = 1_000
"""Steps of a trend in a batch."""
Fetch = Callable[[Connection, dict[str, Any]], list[Row]]


def posts(store: Store, wall: datetime, **asked: Any) -> Iterator[list[Row]]:
    """Posts with the frames they carry; asked: since, until, source, lang, frame, codebook, version, stance.

    Raises PermanentError, before the first batch: NOT_FOUND for a frame or version that there is not, BAD_INPUT for a
    stance without a frame.
    """
    about = _about(store, wall, asked)
    stance = asked.get("stance")
    if about["frame"] in (None, readings.EVERYTHING):
        if stance is not None:
            raise PermanentError(Reason.BAD_INPUT, "stance is of a frame: name one beside stance")
        about.pop("frame")
        return _batches(store, about, export_posts, ("published_at", "post_id"))
    return _batches(store, {**about, "stance": stance}, export_posts_of_frame, ("published_at", "post_id"))


def scores(store: Store, wall: datetime, **asked: Any) -> Iterator[list[Row]]:
    """What the model said of each post: scores by frame, frames, model, codebook and version; asked as above."""
    about = _about(store, wall, {**asked, "frame": None})
    about.pop("frame")
    with store.transaction() as tx:
        named = codebooks.frames_of_version(tx, about["version_id"]) if about["version_id"] else []
    names = [f["frame"] for f in named]
    stamp = {k: named[0][k] for k in ("codebook", "version")} if named else {}
    for batch in _batches(store, about, export_scores, ("published_at", "post_id")):
        yield [{**r, **stamp, "scores": dict(zip(names, r["probabilities"], strict=False))} for r in batch]


def alerts(store: Store, wall: datetime, **asked: Any) -> Iterator[list[Row]]:
    """Alerts raised in a period with their evidence; asked: since, until, frame."""
    since, until = asked.get("since") or readings.BEGINNING, asked.get("until") or wall + timedelta(seconds=1)
    about = {"since": since, "until": until, "frame": asked.get("frame"), "after_id": ""}
    return _batches(store, about, export_alerts, ("raised_at", "alert_id"))


def trends(store: Store, wall: datetime, *, step: str, **asked: Any) -> Iterator[list[Row]]:
    """Every step of every frame (or of one), as /trends tells them; asked as above."""
    with store.transaction() as tx:
        present = feeds.present(tx, wall)
        known, ends = codebooks.list_frames(tx), None
        version = asked.get("version")
        if asked.get("frame") or asked.get("codebook") or version:
            row = versions.frame_asked(tx, asked.get("frame") or readings.EVERYTHING, asked.get("codebook"), version)
            known = [row] if asked.get("frame") else codebooks.frames_of_version(tx, row["version_id"])
            ends = versions.until_of(row, asked.get("until"))
    length = stepping.length_of(step)
    until = min(ends or asked.get("until") or present, present)
    since = asked.get("since") or until - stepping.usual_period(length)
    last = readings.floor(until, length)
    last += length if last < until or asked.get("until") is None else timedelta(0)
    for frame in known:
        at = readings.floor(since, length)
        while at < last:
            end = min(at + POINTS * length, last)
            with store.transaction() as tx:
                told = over_time.read_trend(
                    tx, wall, frame=frame["frame"], codebook=frame["codebook"], step=step, since=at, until=end,
                    source=asked.get("source"), lang=asked.get("lang"), version=version,
                    stance=asked.get("stance"),
                )  # fmt: skip
            yield [_point(told, p) for p in told.points]
            at = end


def any_stance(store: Store) -> bool:
    """Whether stance was ever read here: where not, nothing is told of it."""
    with store.transaction() as tx:
        return stances.any_reader(tx)


def export_posts(connection: Connection, about: dict[str, Any]) -> list[Row]:
    """One batch of posts."""
    return rows(connection, "exports", "export_posts", **about)


def export_posts_of_frame(connection: Connection, about: dict[str, Any]) -> list[Row]:
    """One batch of the posts that carry a frame."""
    return rows(connection, "exports", "export_posts_of_frame", **about)


def export_scores(connection: Connection, about: dict[str, Any]) -> list[Row]:
    """One batch of scores."""
    return rows(connection, "exports", "export_scores", **about)


def export_alerts(connection: Connection, about: dict[str, Any]) -> list[Row]:
    """One batch of alerts."""
    return rows(connection, "exports", "export_alerts", **about)


def _about(store: Store, wall: datetime, asked: dict[str, Any]) -> dict[str, Any]:
    with store.transaction() as tx:
        present = feeds.present(tx, wall)
        frame, codebook, version = asked.get("frame"), asked.get("codebook"), asked.get("version")
        row: Row = {"version_id": None}
        if frame or codebook or version or codebooks.current_codebooks(tx):
            row = versions.frame_asked(tx, frame or readings.EVERYTHING, codebook, version)
    version_id = row["version_id"]
    until = versions.until_of(row, asked.get("until")) or present + timedelta(seconds=1)
    since = asked.get("since") or until - readings.PERIOD
    narrow = {"source": asked.get("source"), "lang": asked.get("lang")}
    return {"version_id": version_id, "frame": frame, "since": since, "until": until, "after_id": 0, **narrow}


def _batches(store: Store, about: dict[str, Any], fetch: Fetch, key: tuple[str, str]) -> Iterator[list[Row]]:
    # Before the first row of all: nothing lies at this time with so small a key.
    after: dict[str, Any] = {"after": about["since"] - timedelta(microseconds=1), "after_id": about["after_id"]}
    while True:
        with store.transaction() as tx:
            found = fetch(tx, {**about, **after, "limit": BATCH})
        if found:
            yield found
        if len(found) < BATCH:
            return
        after = {"after": found[-1][key[0]], "after_id": found[-1][key[1]]}


def _point(told: wire.Trend, point: wire.TrendPoint) -> Row:
    about = {k: getattr(told, k) for k in ("codebook", "version", "frame", "source", "lang", "step_seconds")}
    return {**about, **dict(point)}
