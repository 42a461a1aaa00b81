"""How a feed does, in one word: from its row and the time. Pure; wording is the faces'."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Literal

Health = Literal["failing", "late", "odd", "new", "heard", "paused", "ended"]
ORDER: tuple[Health, ...] = ("failing", "late", "odd", "new", "heard", "paused", "ended")
"""What needs a person first."""
PATIENCE = 3
"""Intervals that may pass before a feed is late."""
LEAST = timedelta(minutes=10)
"""And at least so long: workers restart, sites take their time."""


def health(feed: Mapping[str, Any], now: datetime) -> Health:
    """The health of a feed (a row of list_feeds).

    `failing`: the last fetch failed. `late`: nothing was heard for longer than PATIENCE intervals. `odd`: it warns, or
    says that it has moved. `new`: not fetched yet. `heard`: all is well. A feed that is sent to us is late when its
    sender is silent beyond its own habits (its warning says so), one that lives in its own time never.
    """
    if feed["state"] in ("paused", "ended"):
        settled: Health = feed["state"]
        return settled
    if feed["failures"]:
        return "failing"
    if feed["mode"] == "push" and feed["warning"]:
        return "late"
    if feed["warning"] or feed.get("moved_to"):
        return "odd"
    if feed["heard_until"] is None:
        return "new" if now - feed["added_at"] < LEAST or feed["mode"] == "push" else "late"
    if feed["clock"] == "wall" and feed["mode"] != "push" and lag(feed, now) > patience(feed):
        return "late"
    return "heard"


def lag(feed: Mapping[str, Any], now: datetime) -> timedelta:
    """How long ago the feed was heard up to; of one never heard, since it was added."""
    found: timedelta = max(now - (feed["heard_until"] or feed["added_at"]), timedelta(0))
    return found


def patience(feed: Mapping[str, Any]) -> timedelta:
    """How long a feed may not be heard before it is late."""
    interval: timedelta = timedelta(seconds=PATIENCE * feed["pace"] * feed["interval_s"])
    return max(interval, LEAST)
