"""Reads stated times strictly and bounds them: a post never lies before 2000 or ahead of its receipt.

Pure: the time of receipt is an argument. It must not guess: what is not a time in one of the three forms is None.
"""

import re
from datetime import UTC, datetime, timedelta, timezone

from schemas.records import TimeQuality

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""No post is older than this."""
TOLERANCE = timedelta(minutes=15)
"""How far a sender's clock may run ahead of ours."""

_ZONE = r"(?P<zone>[A-Za-z]{1,4}|[+-]\d{2}(?::?\d{2})?)"
_CLOCK = r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?"
_FORMS = tuple(
    re.compile(form, re.ASCII | re.IGNORECASE)
    for form in (
        # ISO 8601 and RFC 3339, extended and basic
        rf"(?P<year>\d{{4}})-(?P<month>\d{{2}})-(?P<day>\d{{2}})(?:[T ]{_CLOCK}\s?{_ZONE}?)?",
        r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})"
        rf"(?:T(?P<hour>\d{{2}})(?P<minute>\d{{2}})(?P<second>\d{{2}})?(?P<fraction>(?!))?{_ZONE}?)?",
        # RFC 822, 1123, 2822, 5322
        r"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,?\s+)?"
        rf"(?P<day>\d{{1,2}})[\s-](?P<month>[A-Za-z]{{3,9}})[\s-](?P<year>\d{{4}}|\d{{2}}),?\s+{_CLOCK}\s?{_ZONE}?",
    )
)
_MONTHS = ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october"]
_MONTHS += ["november", "december"]
_MONTH_NUMBERS = {name[:n]: i for i, name in enumerate(_MONTHS, 1) for n in (3, len(name))} | {"sept": 9}
_ZONE_HOURS = {"z": 0, "ut": 0, "utc": 0, "gmt": 0, "est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7}
_ZONE_HOURS |= {"mdt": -6, "pst": -8, "pdt": -7}
_MAX_OFFSET = timedelta(hours=14)


def parse_time(raw: str) -> datetime | None:
    """The UTC time that `raw` states in RFC 822/5322, RFC 3339 or ISO 8601 form; None for anything else.

    A missing zone means UTC and a bare date its midnight. Nothing is rolled over: month 13, 31 June, hour 24
    or offsets beyond 14 hours are None. Second 60 (a leap second) reads as 59.
    """
    text = " ".join(raw[:200].split())
    for form in _FORMS:
        if match := form.fullmatch(text):
            return _build(match.groupdict())
    return None


def event_time(stated: datetime | None, raw: str, received_at: datetime) -> tuple[datetime, TimeQuality]:
    """When a post counts, and how far that can be trusted (`received_at` is aware).

    A stated time between 2000-01-01 and 15 minutes after receipt is kept (`stated`); else it is the time of
    receipt, as `missing` (nothing was said), `bad` (unreadable, before 2000) or `future`.
    """
    if stated is None:
        return received_at, "bad" if raw.strip() else "missing"
    if stated.tzinfo is None or stated < EARLIEST:
        return received_at, "bad"
    if stated > received_at + TOLERANCE:
        return received_at, "future"
    return stated.astimezone(UTC), "stated"


def _build(part: dict[str, str | None]) -> datetime | None:
    offset = _offset(part["zone"])
    month = part["month"] or ""
    number = int(month) if month.isdigit() else _MONTH_NUMBERS.get(month.lower())
    if offset is None or number is None:
        return None
    hour, minute, second = (int(part[name] or 0) for name in ("hour", "minute", "second"))
    micro = int((part["fraction"] or "")[:6].ljust(6, "0"))
    day, year = int(part["day"] or 0), _year(part["year"] or "")
    second = 59 if second == 60 else second
    try:
        return datetime(year, number, day, hour, minute, second, micro, timezone(offset)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _year(text: str) -> int:
    if len(text) == 4:
        return int(text)
    return int(text) + (2000 if int(text) < 50 else 1900)  # RFC 5322, 4.3


def _offset(zone: str | None) -> timedelta | None:
    if not zone:
        return timedelta()
    if zone[0] not in "+-":
        hours = _ZONE_HOURS.get(zone.lower())
        return None if hours is None else timedelta(hours=hours)
    digits = zone[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    if int(digits[2:]) > 59 or offset > _MAX_OFFSET:
        return None
    return -offset if zone[0] == "-" else offset
