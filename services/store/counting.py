"""Counts of every frame in a period, None where nothing was heard. It adds up no spans, and writes only what it keeps.

Posts are exact. Distinct voices of a day take as long to count as there are carriers: for the hours before the present
rollup keeps them, and of what changed since then only little is counted again by who asks.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from services.analysis.digest import share
from services.store import codebooks, feeds, folding, trends
from services.store.pool import Connection, Row

HOURS = (1, 24)
"""Lengths of the periods that are kept, each ending with the present's five minutes."""
STALE = timedelta(seconds=15)
"""How old counts of voices become, at most, while rollup runs: counting all of a busy day takes a tenth of a second."""
EVERYTHING = "*"


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
    frames = codebooks.frame_names(connection, version_id)
    keys = ("posts", "units", "authors")
    if silent:
        return {frame: dict.fromkeys((*keys, "share")) for frame in frames}
    kept = _kept(connection, version_id, since, until)
    counts, scored = _brought_up(connection, kept, frames, version_id=version_id, since=since, until=until)
    return {f: {**{k: counts[f][k] for k in keys}, "share": share(counts[f]["posts"], scored)} for f in frames}


def posts_before(
    connection: Connection, version_id: int, frames: Sequence[str], *, since: datetime, until: datetime
) -> dict[str, int]:
    """Posts of frames, and of '*', in a period as long as this one that ended when this one begins."""
    kept, names = _kept(connection, version_id, since, until), [*frames, EVERYTHING]
    if all(name in kept and not kept[name]["before_changed"] for name in names):
        return {name: kept[name]["before"] for name in names}
    earlier = since - (until - since)
    return trends.posts_between(connection, names, version_id=version_id, since=earlier, until=since)


def keep(connection: Connection, until: datetime, now: datetime) -> None:
    """Keep the counts of the hours before `until`. Only the one folder may (folding.lock_fold)."""
    folding.count_windows(connection, HOURS, until=until, stale=now - STALE, now=now)


def _kept(connection: Connection, version_id: int, since: datetime, until: datetime) -> dict[str, Row]:
    hours = (until - since) / timedelta(hours=1)
    return trends.frame_windows(connection, version_id, int(hours), until) if hours in HOURS else {}


def _brought_up(
    connection: Connection, kept: dict[str, Row], frames: Sequence[str], **period: Any
) -> tuple[dict[str, Row], int]:
    """What is kept and what is not, by frame; and all posts."""
    moved = [f for f in (*frames, EVERYTHING) if f not in kept or kept[f]["changed"]]
    posts = {f: kept[f]["posts"] for f in kept} | (trends.posts_between(connection, moved, **period) if moved else {})
    voices = {f: kept[f] for f in kept}
    changed = [f for f in moved if f in kept and f != EVERYTHING]
    little = changed if sum(posts[f] for f in changed) <= trends.AT_ONCE else []
    missing = [f for f in moved if f not in kept and f != EVERYTHING]
    if missing or little:
        voices |= {v["frame"]: v for v in trends.voices_between(connection, [*missing, *little], **period)}
    return {f: {**voices[f], "posts": posts[f]} for f in frames}, posts[EVERYTHING]
