"""How good each current frame is, put together from labels and samples at the moment of asking. It writes nothing
but which labels chose a threshold."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from schemas.wire_labels import FrameQuality, Qualities
from schemas.wire_quality import Quality
from services.analysis import measuring
from services.analysis.taught import taught, thresholds
from services.store import codebooks, feeds, labels
from services.store.pool import Connection, Row, rows, run

Frame = tuple[str, str]
"""Codebook and frame."""
Made = tuple[UUID | None, int, date]
"""What a quality was made of: the mark of its frame, its version, and the oldest week."""

_made: dict[Frame, tuple[Made, Quality]] = {}
"""The last quality of each frame: thousands of judged samples take 200 ms to put together, and seldom change."""


def quality_marks(connection: Connection) -> dict[Frame, UUID]:
    """What changes with anything that a frame's quality is made of; none for one that was never sampled or judged."""
    return {(m["codebook"], m["frame"]): m["mark"] for m in rows(connection, "qualities", "quality_marks")}


def judged_samples(
    connection: Connection, oldest: date, *, codebook: str | None = None, frame: str | None = None
) -> list[Row]:
    """What was judged of samples under the current versions, a row a sample and judge, in the order of drawing."""
    return rows(connection, "qualities", "judged_samples", oldest=oldest, codebook=codebook, frame=frame)


def threshold_choices(connection: Connection) -> list[Row]:
    """Thresholds that labels chose: codebook, frame, threshold, unit_key."""
    return rows(connection, "qualities", "threshold_choices")


def add_threshold_units(
    connection: Connection, *, codebook: str, frame: str, threshold: float, units: Iterable[bytes], now: datetime
) -> None:
    """Remember that labels of these units chose a threshold."""
    values: dict[str, Any] = {"codebook": codebook, "frame": frame, "threshold": threshold, "now": now}
    run(connection, "qualities", "add_threshold_units", **values, unit_key=list(units))


def read_quality(connection: Connection, wall: datetime) -> dict[Frame, Quality]:
    """How good each current frame is, by (codebook, frame); one that was never judged is there too.

    A text that the current version was taught with, near copies included, or whose label chose the threshold it has,
    does not count.
    """
    return read_quality_at(connection, feeds.present(connection, wall))


def read_quality_at(
    connection: Connection, present: datetime, *, codebook: str | None = None, frame: str | None = None
) -> dict[Frame, Quality]:
    """`read_quality` at a present of the stream, of one codebook or frame where one is named."""
    oldest = labels.oldest_week(present)
    # Marks first: what changes before the rest is read makes another mark, and is made anew the next time.
    marks = quality_marks(connection)
    wanted: dict[Frame, Made] = {
        (f["codebook"], f["frame"]): (marks.get((f["codebook"], f["frame"])), f["version_id"], oldest)
        for f in codebooks.list_frames(connection)
        if codebook in (None, f["codebook"]) and frame in (None, f["frame"])
    }
    known = {key: _made[key][1] for key, of in wanted.items() if key in _made and _made[key][0] == of}
    fresh = _make(connection, {key for key in wanted if key not in known and marks.get(key)}, oldest)
    _made.update((key, (wanted[key], good)) for key, good in fresh.items())
    nothing = Quality(**measuring.quality((), bool))
    return {key: known.get(key) or fresh.get(key) or nothing for key in wanted}


def _make(connection: Connection, frames: set[Frame], oldest: date) -> dict[Frame, Quality]:
    if not frames:
        return {}
    codebook, frame = next(iter(frames)) if len(frames) == 1 else (None, None)
    found: dict[Frame, list[Row]] = {key: [] for key in frames}
    for row in judged_samples(connection, oldest, codebook=codebook, frame=frame):
        found.get((row["codebook"], row["frame"]), []).append(row)
    leaked = leaks(connection)
    return {key: Quality(**measuring.quality(of, leaked)) for key, of in found.items()}


def leaks(connection: Connection) -> Callable[[Mapping[str, Any]], bool]:
    """Whether the text of a row of judged_samples was used to make the version it is measured under."""
    bodies = {c["version_id"]: c["body"] for c in codebooks.current_codebooks(connection)}
    chose = _chose(threshold_choices(connection))

    def leaked(row: Mapping[str, Any]) -> bool:
        body = bodies[row["version_id"]]
        key = (row["codebook"], row["frame"], thresholds(body).get(row["frame"]))
        return bytes(row["unit_key"]) in chose.get(key, ()) or taught(body, row["text"])

    return leaked


def was_taught(current: Sequence[Row], row: Row) -> bool:
    """Whether the text of a row of judged_samples is in the version it is measured under; `current` codebooks."""
    return taught(next(c["body"] for c in current if c["version_id"] == row["version_id"]), row["text"])


def read_qualities(connection: Connection, wall: datetime) -> Qualities:
    """The quality of every current frame, with the names it goes by."""
    found = read_quality(connection, wall)
    frames = []
    for row in codebooks.list_frames(connection):
        about = {k: row[k] for k in ("codebook", "version", "frame", "title")}
        frames.append(FrameQuality(**about, **dict(found[row["codebook"], row["frame"]])))
    return Qualities(present=feeds.present(connection, wall), frames=tuple(frames))


def _chose(choices: Sequence[Row]) -> Mapping[tuple[str, str, float | None], set[bytes]]:
    found: dict[tuple[str, str, float | None], set[bytes]] = {}
    for c in choices:
        found.setdefault((c["codebook"], c["frame"], c["threshold"]), set()).add(bytes(c["unit_key"]))
    return found
