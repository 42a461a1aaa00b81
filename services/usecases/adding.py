"""Feeds as people name them → rows: the one place where a person's feed is added, paused and enabled, by any face.

It fetches nothing and decides no schedule.
"""

from dataclasses import replace
from datetime import datetime

from schemas.errors import PermanentError, Reason
from services.analysis.listing import Listed
from services.sources import host_of, mode_of
from services.sources.guess import recognise
from services.store import feeds
from services.store.pool import Connection, Row

USUAL_S = {"poll": 15 * 60, "stream": 10, "push": 15 * 60}
"""Seconds between fetches when nobody says; of a stream, before it is opened again."""
Known = dict[tuple[str, str], Row]


def checked(feed: Listed) -> Listed:
    """`feed` with its kind and canonical address, and its mode if that is not the usual one.

    Raises what recognise and mode_of raise.
    """
    kind, address = recognise(feed.address, feed.kind)
    mode = mode_of(kind, feed.mode)
    return replace(feed, kind=kind, address=address, mode="" if mode == mode_of(kind) else mode)


def known_feeds(tx: Connection) -> Known:
    """The rows there are, by kind and address."""
    return {(f["source"], f["address"]): f for f in feeds.list_feeds(tx)}


def add(tx: Connection, feed: Listed, known: Known, now: datetime) -> bool:
    """Add a checked feed, due at once; False when it is there already, and then only what is said here changes."""
    there = known.get((feed.kind, feed.address))
    title, options, mode = feed.title, dict(feed.options), feed.mode
    if there:
        title, options, mode = title or there["title"], {**there["options"], **options}, mode or there["mode"]
        if (title, options, mode) == (there["title"], there["options"], there["mode"]):
            return False
    mode = mode or mode_of(feed.kind)
    feed_id, new = feeds.add_feed(
        tx, source=feed.kind, address=feed.address, title=title, now=now, interval_s=feed.interval_s or USUAL_S[mode],
        clock=there["clock"] if there else "wall", mode=mode, host=host_of(feed.kind, feed.address), options=options,
    )  # fmt: skip
    if new and feed.paused:
        feeds.set_feed_state(tx, feed_id, "paused", now)
        feeds.stop_expecting_feed(tx, feed_id, now)
    return new


def set_state(tx: Connection, feed_id: int, state: str, now: datetime) -> None:
    """Pause a feed (then its silence is no gap) or enable it. Raises PermanentError(NOT_FOUND)."""
    if not feeds.set_feed_state(tx, feed_id, state, now):
        raise unknown(feed_id)
    (feeds.expect_feed if state == "enabled" else feeds.stop_expecting_feed)(tx, feed_id, now)


def unknown(feed_id: int) -> PermanentError:
    """What is said of a feed that there is not."""
    return PermanentError(Reason.NOT_FOUND, f"there is no feed {feed_id}; see: framewatch feeds list")
