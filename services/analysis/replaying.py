"""Decides what a replay means beside live feeds: whether detection waits for it, and what people are told of it.

Pure: rows of feeds and the time are arguments.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from services.analysis.naming import many

Feed = Mapping[str, Any]
GRACE = timedelta(minutes=15)
"""How long the first live feed of a house leaves time to a replay that was there before it: that of the demonstration
takes half a minute."""


def live_since(feeds: Iterable[Feed]) -> datetime | None:
    """Since when there has been a live feed; None while none is on."""
    return min((f["added_at"] for f in feeds if f["clock"] == "wall" and f["state"] == "enabled"), default=None)


def is_waited_for(feed: Feed, since: datetime | None, now: datetime) -> bool:
    """Whether detection goes no further than this feed was heard.

    It follows a replay where nothing is live. Beside live feeds (on `since` then) a replay is history that is filled
    in: it may take days, and must hold up nobody who watches the present; only one that ran before the first live
    feed came has GRACE to come to its end.
    """
    if feed["clock"] == "wall" or since is None:
        return True
    return bool(feed["added_at"] < since and now - since < GRACE)


def told(feed: Feed, since: datetime | None, now: datetime) -> str:
    """What an enabled replay beside live feeds does, for people; "" where there is nothing to tell."""
    if feed["clock"] == "wall" or feed["state"] != "enabled" or since is None:
        return ""
    if is_waited_for(feed, since, now):
        left = max(-((now - since - GRACE) // timedelta(minutes=1)), 1)
        return f"a replay: live feeds are judged when it is over, in {many(left, 'minute')} at the latest"
    return "a replay beside live feeds: its posts are counted in their own time, and its hours are not judged"
