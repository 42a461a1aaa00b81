"""What the console asks beyond what all faces share: verdicts of all frames at once, parts, carriers, filtered lists.

It reads only.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from services.store.pool import Connection, Row, rows

Key = tuple[str, str]
"""Codebook and frame."""


class Hour(NamedTuple):
    """One judged hour as a trend point: the first page has tens of thousands of them, too many to be models."""

    at: datetime
    posts: int | None = None
    units: int | None = None
    coverage: float | None = None
    expected: float | None = None
    upper: float | None = None
    state: str | None = None
    share: float | None = None


def verdict_series(
    connection: Connection, since: datetime, until: datetime, *, frames: Sequence[str] | None = None
) -> dict[Key, list[Hour]]:
    """The judged hours of every current frame in a period, in order; with `frames`, of those of such ids alone."""
    found = {}
    asked = {"since": since, "until": until, "frames": None if frames is None else list(frames)}
    for row in rows(connection, "overview", "verdict_series", **asked):
        columns = [row[name] for name in Hour._fields if name in row]
        found[row["codebook"], row["frame"]] = [Hour(*of) for of in zip(*columns, strict=True)]
    return found


def parts(connection: Connection, by: str, **about: Any) -> list[Row]:
    """part and posts of a frame in a period (version_id, frame, since, until), most first; `by` is source or lang."""
    return parts_by_source(connection, **about) if by == "source" else parts_by_lang(connection, **about)


def parts_by_source(connection: Connection, **about: Any) -> list[Row]:
    """Posts by source, most first."""
    return rows(connection, "overview", "parts_by_source", **about)


def parts_by_lang(connection: Connection, **about: Any) -> list[Row]:
    """Posts by language, most first."""
    return rows(connection, "overview", "parts_by_lang", **about)


def top_carriers(connection: Connection, *, limit: int, **about: Any) -> list[Row]:
    """Authors by their posts in a frame and period: author, source, posts, texts, first_at, last_at."""
    return rows(connection, "overview", "top_carriers", limit=limit, **about)


def filtered_alerts(
    connection: Connection, *, limit: int, frame: str | None = None, kind: str | None = None,
    is_open: bool | None = None, before: datetime | None = None, before_id: str | None = None,
) -> list[Row]:  # fmt: skip
    """Alerts newest first, of a frame, a kind, going on or over."""
    asked = {"frame": frame, "kind": kind, "open": is_open, "before": before, "before_id": before_id, "limit": limit}
    return rows(connection, "overview", "filtered_alerts", **asked)


def alert_quotes(connection: Connection, alert_ids: Sequence[str]) -> dict[str, Row]:
    """Of alerts, by id, the post that carries the frame most surely: text, lang, published_at, post_id, source."""
    found = rows(connection, "overview", "alert_quotes", alert_ids=list(alert_ids))
    return {row["alert_id"]: row["post"] for row in found}


def last_carried(connection: Connection, version_id: int, frame: str, before: datetime) -> datetime | None:
    """The newest bucket before a time in which a post carried a frame (`*`: any post); None when there is none."""
    found = rows(connection, "overview", "last_carried", version_id=version_id, frame=frame, before=before)
    return found[0]["bucket"] if found else None


def feed_intake(connection: Connection) -> dict[int, dict[str, int]]:
    """Of every feed, posts by what became of them: fetched, new, duplicate, dropped:<reason>."""
    found: dict[int, dict[str, int]] = {}
    for row in rows(connection, "overview", "feed_intake"):
        found.setdefault(row["feed_id"], {})[row["outcome"]] = int(row["posts"])
    return found
