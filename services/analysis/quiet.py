"""Quiet hours: `22:00-07:00 Europe/Berlin`, and when they end. Pure; messages are delayed until then, never lost."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from schemas.errors import PermanentError, Reason

_FORM = re.compile(r"(\d{1,2}):(\d\d)\s*-\s*(\d{1,2}):(\d\d)\s+(\S+)")


@dataclass(frozen=True, slots=True)
class Quiet:
    """From `begins` to `ends` by the clock on the wall of `zone`; over midnight when it ends before it begins."""

    begins: time
    ends: time
    zone: ZoneInfo

    def until(self, now: datetime) -> datetime | None:
        """The end of the quiet hours that `now` lies in, in UTC; None outside of them."""
        local = now.astimezone(self.zone)
        at = local.time()
        over_night = self.ends <= self.begins
        inside = (at >= self.begins or at < self.ends) if over_night else self.begins <= at < self.ends
        if not inside:
            return None
        day = local.date() + timedelta(days=1 if over_night and at >= self.begins else 0)
        return datetime.combine(day, self.ends, self.zone).astimezone(UTC)


def parse(text: str) -> Quiet:
    """Quiet hours as people write them. Raises PermanentError(BAD_INPUT) with the form they should have."""
    found = _FORM.fullmatch(text.strip())
    try:
        hours = [int(n) for n in found.groups()[:4]] if found else []
        begins, ends = time(hours[0], hours[1]), time(hours[2], hours[3])
        zone = ZoneInfo(found[5] if found else "")
    except (ValueError, OSError, LookupError) as error:
        told = f"quiet hours {text!r} should look like `22:00-07:00 Europe/Berlin` (from, to, time zone)"
        raise PermanentError(Reason.BAD_INPUT, told) from error
    if begins == ends:
        raise PermanentError(Reason.BAD_INPUT, "quiet hours that begin when they end would never end")
    return Quiet(begins, ends, zone)
