"""Stance: who reads it, which carriers wait to be read, and what was read of a frame in a period."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from schemas.stance import Stance
from services.store.pool import Connection, Row, columns, one, row, rows, run

_KEY = ("version_id", "frame", "published_at", "post_id")


def find_reader(connection: Connection, model_id: int, lesson: str) -> Row | None:
    """The stored reader of a model and lesson: reader_id and body."""
    return row(connection, "stances", "find_reader", model_id=model_id, lesson=lesson)


def add_reader(connection: Connection, model_id: int, lesson: str, *, body: bytes, now: datetime) -> None:
    """Keep a reader for all workers; the first one stays."""
    run(connection, "stances", "add_reader", model_id=model_id, lesson=lesson, body=body, now=now)


def any_reader(connection: Connection) -> bool:
    """Whether stance was ever read here: where not, nothing is told of it."""
    return bool(one(connection, "stances", "any_reader")["found"])


def unread_carriers(connection: Connection, model_id: int, limit: int) -> list[Row]:
    """Carriers without a stance: their key, text, vector (16-bit floats) and how many frames the post carries."""
    return rows(connection, "stances", "unread_carriers", model_id=model_id, limit=limit)


def settle_stances(connection: Connection, reader_id: int, read: list[Mapping[str, Any]]) -> int:
    """Write what was read of carriers (their key and stance); how many still waited for it."""
    given = columns(read, *_KEY, "stance")
    settled: int = one(connection, "stances", "settle_stances", reader_id=reader_id, **given)["settled"]
    return settled


def stance_counts(connection: Connection, **period: Any) -> dict[str, dict[str, int]]:
    """Posts and units by stance of a frame in a period, `unread` among them; empty where stance was never read."""
    if not any_reader(connection):
        return {}
    found = rows(connection, "stances", "stance_counts", **{"unit_key": None, **period})
    return {r["stance"]: {"posts": r["posts"], "units": r["units"]} for r in found}


def stance_trend(
    connection: Connection, *, version_id: int, frame: str, since: datetime, until: datetime, step: timedelta,
    source: str | None = None, lang: str | None = None,
) -> dict[datetime, dict[Stance, Row]]:  # fmt: skip
    """Posts, units and authors by step and stance; steps in which nothing was read are left out."""
    about: Mapping[str, Any] = {"version_id": version_id, "frame": frame, "since": since, "until": until}
    found: dict[datetime, dict[Stance, Row]] = {}
    for r in rows(connection, "stances", "stance_trend", **about, step=step, source=source, lang=lang):
        found.setdefault(r["at"], {})[r["stance"]] = r
    return found


def frame_stances(
    connection: Connection, version_id: int, frames: Sequence[str], since: datetime, until: datetime
) -> dict[str, dict[str, dict[str, int]]]:
    """Posts and units by frame and stance in a period; empty where stance was never read."""
    if not any_reader(connection):
        return {}
    about = {"version_id": version_id, "frames": list(frames), "since": since, "until": until}
    found: dict[str, dict[str, dict[str, int]]] = {frame: {} for frame in frames}
    for r in rows(connection, "stances", "frame_stances", **about):
        found[r["frame"]][r["stance"]] = {"posts": r["posts"], "units": r["units"]}
    return found


def stance_trends(
    connection: Connection, frames: Sequence[str], **about: Any
) -> dict[tuple[str, datetime], dict[Stance, int]]:
    """Posts by (frame, step) and stance; about: version_id, since, until, step, source, lang."""
    found: dict[tuple[str, datetime], dict[Stance, int]] = {}
    for r in rows(connection, "stances", "stance_trends", frames=list(frames), **about):
        found.setdefault((r["frame"], r["at"]), {})[r["stance"]] = r["posts"]
    return found
