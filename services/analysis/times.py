"""Reads stated times strictly and bounds them: a post never lies before 2000 or ahead of its receipt.

Pure: the time of receipt is an argument. It must not guess: what can be read in two ways is None.
"""

import re
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from zoneinfo import ZoneInfo

from schemas.records import TimeQuality
from services.analysis.months import month_number

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""No post is older than this."""
TOLERANCE = timedelta(minutes=15)
"""How far a sender's clock may run ahead of ours."""

_MAX_OFFSET = timedelta(hours=14)

_ZONE = r"(?:(?:GMT|UTC|UT)?(?P<offset>[+-][0-9]{1,2}(?::?[0-9]{2})?)|(?P<zone>[A-Za-z]{1,4}))(?:\s?\([^()]{0,40}\))?"
_CLOCK = (
    r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]{1,9}))?)?"
    r"(?:\s?(?P<half>[ap]\.?m\.?)(?![a-z]))?"
)
_DATE = r"(?P<year>[0-9]{4})(?P<mark>[-/.])(?P<month>[0-9]{1,2})(?P=mark)(?P<day>[0-9]{1,2})"
_WEEKDAY = r"(?:[^\W\d_]{2,14}\.?,?\s+)?"
_MONTH = r"(?P<month>[^\W\d_]{3,12})\.?"
_FORMS = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        # ISO 8601 and RFC 3339, extended and basic; also with a weekday, without leading zeros, with / or .
        rf"{_WEEKDAY}{_DATE}(?:(?:T|,?\s|\sT\s){_CLOCK}\s?(?:{_ZONE})?)?",
        r"(?P<year>[0-9]{4})(?P<month>[0-9]{2})(?P<day>[0-9]{2})"
        rf"(?:T(?P<hour>[0-9]{{2}})(?P<minute>[0-9]{{2}})(?P<second>[0-9]{{2}})?(?:{_ZONE})?)?",
        # W3C's profile of it (NOTE-datetime): a year, a month, an hour; ISO's day of the year
        r"(?P<year>[0-9]{4})(?:-(?P<month>[0-9]{2}))?",
        rf"(?P<year>[0-9]{{4}})-(?P<month>[0-9]{{2}})-(?P<day>[0-9]{{2}})T(?P<hour>[0-9]{{2}})(?:{_ZONE})?",
        r"(?P<year>[0-9]{4})-?(?P<ordinal>[0-9]{3})",
        # RFC 822, 1123, 2822, 5322, also without a clock
        rf"{_WEEKDAY}(?P<day>[0-9]{{1,2}})\.?[\s-]{_MONTH}[\s-](?P<year>[0-9]{{4}}|[0-9]{{2}}),?"
        rf"(?:(?:\s+|\sat\s|T){_CLOCK}\s?(?:{_ZONE})?)?",
        # C's asctime, and the American order in words
        rf"{_WEEKDAY}{_MONTH}\s(?P<day>[0-9]{{1,2}})\s{_CLOCK}\s(?:(?P<zone>[A-Za-z]{{1,4}})\s)?(?P<year>[0-9]{{4}})",
        rf"{_WEEKDAY}{_MONTH}\s(?P<day>[0-9]{{1,2}})(?:st|nd|rd|th)?,?\s(?P<year>[0-9]{{4}}),?"
        rf"(?:(?:\s|\sat\s){_CLOCK}\s?(?:{_ZONE})?)?",
        # Hungarian, Korean, Chinese and Japanese
        rf"(?P<year>[0-9]{{4}})[-.]\s?{_MONTH}[-.\s]\s?(?P<day>[0-9]{{1,2}})\.?(?:[T\s]{_CLOCK}\s?(?:{_ZONE})?)?",
        r"(?P<year>[0-9]{4})[년年]\s?(?P<month>[0-9]{1,2})[월月]\s?(?P<day>[0-9]{1,2})[일日]"
        rf"(?:\s?{_CLOCK}\s?(?:{_ZONE})?)?",
        r"(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})\s(?P<half>오전|오후)\s"
        r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2}))?",
    )
)
_KOREAN = re.compile("[년월일오]")
_ZONE_HOURS = {
    "z": 0,
    "ut": 0,
    "utc": 0,
    "gmt": 0,
    "wet": 0,
    "west": 1,
    "cet": 1,
    "met": 1,
    "mez": 1,
    "cest": 2,
    "mest": 2,
    "mesz": 2,
    "eet": 2,
    "eest": 3,
    "msk": 3,
    "jst": 9,
    "kst": 9,
    "hkt": 8,
    "sgt": 8,
    "aest": 10,
    "aedt": 11,
    "nzst": 12,
    "nzdt": 13,
    "hst": -10,
    "akst": -9,
    "akdt": -8,
    "pst": -8,
    "pdt": -7,
    "mst": -7,
    "mdt": -6,
    "cst": -6,
    "cdt": -5,
    "est": -5,
    "edt": -4,
    "ast": -4,
    "adt": -3,
    "art": -3,
    "brt": -3,
}
"""RFC 822's zones, and the others that mean one thing (BST, IST and the like mean several)."""


@lru_cache(maxsize=4096)
def parse_time(raw: str) -> datetime | None:
    """The UTC time that `raw` states in a form that can be read in one way only; None for anything else.

    Forms: ISO 8601 (RFC 3339, W3C), RFC 822/5322, asctime, a month in words in one of the languages of
    services.analysis.months, and the East Asian ones. A missing zone means UTC (Korean forms: Korea), a bare date
    its midnight, a bare month or year its first. Nothing is rolled over: month 13, 31 June, hour 24 or offsets
    beyond 14 hours are None, and so are 1/2/2003 and 03-01-02. Second 60 (a leap second) reads as 59.
    """
    text = " ".join(raw[:200].split())
    for form in _FORMS:
        if match := form.fullmatch(text):
            part = match.groupdict()
            korean = not part.get("zone") and not part.get("offset") and _KOREAN.search(text)
            return _build({**part, "zone": "kst"} if korean else part)
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
    offset, hour = _offset(part.get("zone") or "", part.get("offset") or ""), _hour(part)
    month = part.get("month") or "1"
    number = int(month) if month.isdigit() else month_number(month)
    if offset is None or number is None or hour is None:
        return None
    minute, second = (int(part.get(name) or 0) for name in ("minute", "second"))
    micro = int((part.get("fraction") or "")[:6].ljust(6, "0"))
    year = _year(part["year"] or "")
    try:
        stated = datetime(
            year, number, int(part.get("day") or 1), hour, minute, min(second, 59), micro, timezone(offset)
        )
        if part.get("ordinal"):
            stated += timedelta(days=int(part["ordinal"] or 0) - 1)
        return stated.astimezone(UTC) if second <= 60 and stated.year == year else None
    except (ValueError, OverflowError):
        return None


def _hour(part: dict[str, str | None]) -> int | None:
    hour, half = int(part.get("hour") or 0), (part.get("half") or "").lower()
    if not half:
        return hour
    if not 1 <= hour <= 12:
        return None
    return hour % 12 + (12 if half[0] in "p" or half == "오후" else 0)


def _year(text: str) -> int:
    if len(text) == 4:
        return int(text)
    return int(text) + (2000 if int(text) < 50 else 1900)  # RFC 5322, 4.3


def _offset(zone: str, stated: str) -> timedelta | None:
    if not stated:
        hours = _ZONE_HOURS.get(zone.lower()) if zone else 0
        return None if hours is None else timedelta(hours=hours)
    whole, minutes = ([*stated[1:].split(":"), ""])[:2] if ":" in stated else (stated[1:3], stated[3:])
    offset = timedelta(hours=int(whole), minutes=int(minutes or 0))
    if int(minutes or 0) > 59 or offset > _MAX_OFFSET:
        return None
    return -offset if stated[0] == "-" else offset


def clock(at: datetime, zone: str = "UTC") -> str:
    """13 Dec 04:00, by the clocks of a time zone."""
    local = at.astimezone(UTC if zone == "UTC" else ZoneInfo(zone))
    return f"{local.day} {local:%b %H:%M}"
