"""Stance: who reads it, which carriers wait to be read, and what was read of a frame in a period."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from schemas.stance import ANSWERS, Stance
from services.store import codebooks, trends
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


def fold_stances(connection: Connection, limit: int) -> int:
    """Add up to `limit` stance deltas to their rows; how many. Only the one folder may (folding.lock_fold)."""
    folded: int = one(connection, "stances", "fold_stances", limit=limit, stances=list(ANSWERS))["deltas"]
    return folded


def stance_trend(
    connection: Connection, *, frame: str, source: str | None = None, lang: str | None = None, **about: Any
) -> dict[datetime, dict[Stance, int]]:
    """Posts by step and stance; about: version_id, since, until, step. Steps in which nothing was read are left out."""
    values = {"source": source, "lang": lang, **about}
    kept = trends.kept_step(values)
    if kept is None:
        found = stance_trends_of_carriers(connection, [frame], **values)
        return {at: of for (_, at), of in found.items()}
    told = rows(connection, "stances", "stance_trend", name=kept[0], frame=frame, **values)
    return {at: _by_stance(posts) for at, posts in _added_up(told, about).items() if any(posts)}


def stance_trends(
    connection: Connection, frames: Sequence[str], **about: Any
) -> dict[tuple[str, datetime], dict[Stance, int]]:
    """Posts by (frame, step) and stance; about: version_id, since, until, step, source, lang."""
    kept = trends.kept_step(about)
    if kept is None:
        return stance_trends_of_carriers(connection, frames, **about)
    places = list(enumerate(codebooks.frame_names(connection, about["version_id"])))
    wanted = [(name, 4 * place) for place, name in places if name in set(frames)]
    told = _added_up(rows(connection, "stances", "stance_trends", name=kept[0], **about), about)
    return {
        (name, at): _by_stance(posts[place : place + 4])
        for at, posts in told.items()
        for name, place in wanted
        if any(posts[place : place + 4])
    }


def _added_up(told: Sequence[Row], about: Mapping[str, Any]) -> dict[datetime, Sequence[int]]:
    """Numbers of kept steps by the steps that were asked for, which may be longer."""
    since, step = about["since"], about["step"]
    found: dict[datetime, Sequence[int]] = {}
    for r in told:
        at = since + (r["at"] - since) // step * step
        found[at] = [a + b for a, b in zip(found[at], r["posts"], strict=True)] if at in found else r["posts"]
    return found


def stance_trends_of_carriers(
    connection: Connection, frames: Sequence[str], **about: Any
) -> dict[tuple[str, datetime], dict[Stance, int]]:
    """The same by any step, from the carriers themselves: as slow as there are many."""
    found: dict[tuple[str, datetime], dict[Stance, int]] = {}
    for r in rows(connection, "stances", "stance_trends_of_carriers", frames=list(frames), **about):
        found.setdefault((r["frame"], r["at"]), {})[r["stance"]] = r["posts"]
    return found


def stance_voices(
    connection: Connection, *, stance: Stance, source: str | None = None, lang: str | None = None, **about: Any
) -> dict[datetime, Row]:
    """units and authors of the carriers that stand so, by step; about: version_id, frame, since, until, step."""
    found = rows(connection, "stances", "stance_voices", stance=stance, source=source, lang=lang, **about)
    return {r["at"]: r for r in found}


def _by_stance(posts: Sequence[int]) -> dict[Stance, int]:
    return {stance: n for stance, n in zip(ANSWERS, posts, strict=True) if n}


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
