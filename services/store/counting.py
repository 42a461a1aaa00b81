"""Counts of every frame in a period, None where nothing was heard. It writes nothing and adds up no spans."""

from datetime import datetime

from services.analysis.digest import share
from services.store import feeds, trends
from services.store.pool import Connection, Row


def counted(
    connection: Connection, version_id: int, since: datetime, until: datetime, *, present: datetime
) -> dict[str, Row]:
    """Posts, units, authors and share of each frame, for those who ask every few seconds; not how much was heard."""
    silent = feeds.was_silent(connection, since, min(until, present))
    return count_frames(connection, version_id, since, until, silent=silent)


def count_frames(
    connection: Connection, version_id: int, since: datetime, until: datetime, *, silent: bool
) -> dict[str, Row]:
    """The same by somebody who knows already whether nothing was heard."""
    found = {t["frame"]: t for t in trends.frame_totals(connection, version_id, since, until)}
    if silent:
        return {frame: dict.fromkeys(("posts", "units", "authors", "share")) for frame in found}
    scored, keys = trends.posts_scored(connection, version_id, since, until), ("posts", "units", "authors")
    return {frame: {**{k: t[k] for k in keys}, "share": share(t["posts"], scored)} for frame, t in found.items()}
