"""Pages of posts, newest first: looked for back from the present, stretch by stretch. It writes nothing."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from services.store import posts
from services.store.pool import Connection, Row

_NO_FILTER = dict.fromkeys(("frame", "source", "lang", "before", "before_id", "q", "stance"))
_FIRST = {False: timedelta(days=1), True: timedelta(hours=1)}
"""How far back is looked first, without words and with: most pages are full with that."""
_FURTHER = 24
"""How many times as far at most the next time."""
_CARRIERS = 200
"""Posts of a frame that are looked through for words at first; a thousand take some milliseconds."""
_RARE = 40
"""Words that fewer than one in so many of them has are looked for among all posts."""
_GUESS = 4
"""Where nearly none has them, as if so many had: all of a long period is looked at only where that was too little."""
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
    if filters["frame"] is None:
        says = filters["q"] is not None
        look = posts.newest_posts_that_say if says else posts.newest_posts
        return _by_stretch(connection, look, filters, {**period, "near": near, "width": _FIRST[says]})
    if filters["q"] is None:
        return posts.keys_of_posts(connection, posts.newest_carriers(connection, **filters, **period))
    return _carriers_that_say(connection, filters, {**period, "near": near})


def _carriers_that_say(connection: Connection, filters: Row, period: Row) -> list[Row]:
    """Common words are found among the frame's posts, rare ones among all: each is slow at the other."""
    found: list[Row] = []
    looked, size = 0, _CARRIERS
    while len(found) < period["limit"]:
        carriers = posts.newest_carriers(connection, **filters, **{**period, "limit": size})
        found += posts.posts_that_say(connection, carriers, filters["q"])
        looked += len(carriers)
        if len(carriers) < size:
            break
        filters = {**filters, "before": carriers[-1]["published_at"], "before_id": carriers[-1]["post_id"]}
        missing = period["limit"] - len(found)
        if len(found) * _RARE < looked:
            span = max(carriers[0]["published_at"] - carriers[-1]["published_at"], _FIRST[True])
            rest = {**period, "limit": missing, "width": span * max(_more(missing, max(len(found), _GUESS)), 1)}
            return found + _by_stretch(connection, posts.newest_carriers_that_say, filters, rest)
        size = max(int(looked * _more(missing, len(found))), _CARRIERS // 2)
    return found[: period["limit"]]


def _more(missing: int, found: int) -> float:
    """How many times as far to look as what gave `found`: to ask again costs more than to look at some in vain."""
    return 1.25 * missing / max(found, 1)


def _by_stretch(connection: Connection, look: Callable[..., list[Row]], filters: Row, period: Row) -> list[Row]:
    """Back from the present, further each time: as far as what the last stretch had lets expect."""
    found: list[Row] = []
    end, width = period["until"], period["width"]
    if filters["before"] is not None:
        end = min(end, filters["before"] + timedelta(microseconds=1))
    while end > period["since"] and len(found) < period["limit"]:
        begin = max(period["since"], min(end, period["near"]) - width)
        missing = period["limit"] - len(found)
        wanted = {**filters, "since": begin, "until": end, "limit": missing}
        here = look(connection, days=posts.days_received(connection, begin, end), **wanted)
        found += here
        end, width = begin, width * max(min(_FURTHER, _more(missing, len(here))), 1)
    return found
