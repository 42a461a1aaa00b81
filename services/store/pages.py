"""Pages of posts, newest first: looked for back from the present, stretch by stretch. It writes nothing."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from services.store import posts
from services.store.pool import Connection, Row

_NO_FILTER = dict.fromkeys(("frame", "source", "lang", "before", "before_id", "q", "stance"))
_DAY, _HOUR, _INSTANT = timedelta(days=1), timedelta(hours=1), timedelta(microseconds=1)
_FURTHER = 24
"""How many times as far at most the next time."""
_NEVER = datetime(9000, 1, 1, tzinfo=UTC)
"""After everything that is stored."""


def list_posts(
    connection: Connection, *, version_id: int | None, since: datetime, until: datetime | None, near: datetime,
    limit: int, **filters: Any,
) -> list[Row]:  # fmt: skip
    """Posts of a period, newest first; filters: frame, source, lang, before, before_id, q; of a frame, stance too.

    It looks back from `near`; without `until` newer posts are told as well. `q` are words as one types them into a
    search: all of them, "a phrase", or, -without. Frames are those of the version.
    """
    filters = {**_NO_FILTER, **filters, "version_id": version_id}
    period = {"since": since, "until": until or _NEVER, "limit": limit}
    while True:
        keys = _chosen(connection, filters, period, near)
        told = posts.posts_by_key(connection, version_id, keys)
        # Fewer when one of them was erased meanwhile: a short page would say that it is the last.
        if len(told) == len(keys):
            return told


def _chosen(connection: Connection, filters: Row, period: Row, near: datetime) -> list[Row]:
    """Keys of the page. How far back is looked first differs: most pages are full with that."""
    asked = {**period, "near": near}
    if filters["frame"] is None:
        if filters["q"] is None:
            return _by_stretch(connection, posts.newest_posts, filters, asked, _DAY)
        return _by_stretch(connection, posts.newest_posts_that_say, filters, asked, _HOUR)
    if filters["q"] is None:
        return posts.keys_of_posts(connection, posts.newest_carriers(connection, **filters, **period))
    span = posts.span_of_carriers(connection, **filters, **period)
    if span is None:
        return []
    # Each day of a stretch is looked up by itself: no more of them than there are.
    asked = {**period, "since": span[0], "until": span[1] + _INSTANT, "near": span[1]}
    return _by_stretch(connection, posts.newest_carriers_that_say, filters, asked, _DAY)


def _by_stretch(
    connection: Connection, look: Callable[..., list[Row]], filters: Row, asked: Row, width: timedelta
) -> list[Row]:
    """Back from the present, further each time: as far as what the last stretch had lets expect, and a quarter more."""
    found: list[Row] = []
    end = asked["until"]
    if filters["before"] is not None:
        end = min(end, filters["before"] + _INSTANT)
    while end > asked["since"] and len(found) < asked["limit"]:
        begin = max(asked["since"], min(end, asked["near"]) - width)
        missing = asked["limit"] - len(found)
        here = look(connection, **{**filters, "since": begin, "until": end, "limit": missing})
        found += here
        end, width = begin, width * max(min(_FURTHER, 1.25 * missing / max(len(here), 1)), 1)
    return found
