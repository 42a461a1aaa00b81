"""How a feed does, in one word from a closed list: from its row and the time. Pure.

Every face says this word and no other; what else is told of a feed is the faces'.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from schemas.records import HealthWord, Page
from services.analysis import ages

MEANINGS: Mapping[HealthWord, str] = {
    "failing": "the last attempt to hear it failed",
    "late": "nothing was heard of it for longer than it should take",
    "warning": "it is heard, but posts may be missing, or it says that it has moved",
    "new": "added, and not heard yet",
    "replaying": "posts of the past are being read, in their own time",
    "heard": "all is well",
    "paused": "stopped by somebody; its silence is no gap",
    "ended": "read to its end; nothing more comes of it",
}
"""Every word with what it means, what needs a person first."""
ORDER: tuple[HealthWord, ...] = tuple(MEANINGS)
NEED_A_LOOK: frozenset[HealthWord] = frozenset({"failing", "late"})
"""What counts as a feed that is not well."""
PATIENCE = 3
"""Intervals that may pass before a feed is late."""
LEAST = timedelta(minutes=10)
"""And at least so long: workers restart, sites take their time."""


def health(feed: Mapping[str, Any], now: datetime) -> HealthWord:
    """The health of a feed (a row of list_feeds).

    A feed that is sent to us is late when its sender is silent beyond its own habits (its warning says so), one that
    lives in its own time never.
    """
    if feed["state"] in ("paused", "ended"):
        settled: HealthWord = feed["state"]
        return settled
    if feed["failures"]:
        return "failing"
    if feed["mode"] == "push" and feed["warning"]:
        return "late"
    if feed["warning"] or feed.get("moved_to"):
        return "warning"
    if feed["heard_until"] is None:
        return "new" if now - feed["added_at"] < LEAST or feed["mode"] == "push" else "late"
    if feed["clock"] != "wall":
        return "replaying"
    return "late" if feed["mode"] != "push" and lag(feed, now) > patience(feed) else "heard"


def once(page: Page, now: datetime) -> HealthWord:
    """The health of a feed of which nothing is known but that it brought this page."""
    state = "ended" if page.ended else "enabled"
    row = {
        "state": state,
        "failures": 0,
        "mode": "poll",
        "clock": "wall",
        "interval_s": 0,
        "pace": 1.0,
        "added_at": now,
    }
    return health({**row, "warning": page.warning, "moved_to": page.moved_to, "heard_until": now}, now)


def counted(words: Iterable[HealthWord]) -> str:
    """1 failing, 12 heard: how many feeds do how, what needs a person first; "" for no feed."""
    found = Counter(words)
    return ", ".join(f"{found[word]:,} {word}" for word in ORDER if found[word])


def heard_until(feed: Mapping[str, Any], now: datetime) -> str:
    """Until when a feed was heard, for a table: how long ago; of a replay and of what has ended, when it was."""
    at = feed["heard_until"]
    if at is not None and (feed["clock"] != "wall" or feed["state"] == "ended"):
        return f"{ages.dated(at)} {at:%H:%M}"
    return ages.brief(at, now)


def lag(feed: Mapping[str, Any], now: datetime) -> timedelta:
    """How long ago the feed was heard up to; of one never heard, since it was added."""
    found: timedelta = max(now - (feed["heard_until"] or feed["added_at"]), timedelta(0))
    return found


def patience(feed: Mapping[str, Any]) -> timedelta:
    """How long a feed may not be heard before it is late."""
    interval: timedelta = timedelta(seconds=PATIENCE * feed["pace"] * feed["interval_s"])
    return max(interval, LEAST)
