"""How people are told when something was: how long ago while that says something, then by its date. Pure.

Times are UTC. Faces add a clock where the hour matters; nothing here is for programs.
"""

from datetime import datetime, timedelta

from services.analysis.naming import many

OLD = timedelta(weeks=3)
"""From here on a date says more than a number of days."""
_JUST_NOW = timedelta(seconds=5)
_SIZES = ((86_400, "day", "d"), (3600, "hour", "h"), (60, "minute", "min"), (1, "second", "s"))


def lasting(length: timedelta) -> str:
    """3 hours, 1 day: a length in its largest unit."""
    count, word, _ = _largest(length)
    return many(count, word)


def ago(at: datetime | None, now: datetime) -> str:
    """For a sentence: "never", "just now", "3 hours ago", and of what is older than OLD "on 14 Dec 2016"."""
    if at is None:
        return "never"
    if is_old(at, now):
        return f"on {dated(at)}"
    return "just now" if now - at < _JUST_NOW else f"{lasting(now - at)} ago"


def brief(at: datetime | None, now: datetime) -> str:
    """For a table: "never", "12 s ago", "3 h ago", and of what is older than OLD "14 Dec 2016"."""
    if at is None:
        return "never"
    if is_old(at, now):
        return dated(at)
    count, _, unit = _largest(now - at)
    return f"{count} {unit} ago"


def is_old(at: datetime, now: datetime) -> bool:
    """Whether a date says more of it than an age."""
    return now - at >= OLD


def dated(at: datetime) -> str:
    """14 Dec 2016."""
    return f"{at.day} {at:%b %Y}"


def _largest(length: timedelta) -> tuple[int, str, str]:
    seconds = max(int(length.total_seconds()), 0)
    size, word, unit = next((s for s in _SIZES if seconds >= s[0]), _SIZES[-1])
    return seconds // size, word, unit
