"""Slots of a schedule: a cron expression kept in the reader's own time zone. Pure; the clock is an argument.

Must not skip a slot or give it twice where clocks are put forward or back: as cron of Debian, a slot in the hour that
does not exist comes right after it, and one in the hour that comes twice comes once.
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from schemas.errors import PermanentError, Reason


def check(schedule: str, timezone: str, now: datetime) -> None:
    """Raises PermanentError(BAD_CONFIG) for a schedule or time zone that cannot be kept."""
    try:
        next(CronSim(schedule, now.astimezone(ZoneInfo(timezone))))
    except CronSimError as error:
        raise PermanentError(Reason.BAD_CONFIG, f"{schedule!r} is no schedule: {error}; try '0 7 * * *'") from error
    except StopIteration:
        raise PermanentError(Reason.BAD_CONFIG, f"{schedule!r} never comes; try '0 7 * * *'") from None
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise PermanentError(Reason.BAD_CONFIG, f"{timezone!r} is no time zone; try Europe/Berlin") from error


def latest(schedule: str, timezone: str, at: datetime) -> datetime:
    """The latest slot at or before `at`, however long ago."""
    # Walking back from the present finds it at once, however long the pause was.
    return before(schedule, timezone, at + timedelta(seconds=1))


def before(schedule: str, timezone: str, at: datetime) -> datetime:
    """The slot before `at`."""
    found = _utc(next(CronSim(schedule, at.astimezone(ZoneInfo(timezone)), reverse=True)))
    # In the second pass of an hour that comes twice, walking back misses the slot of the first; walking on finds it.
    while (following := after(schedule, timezone, found)) < at:
        found = following
    return found


def after(schedule: str, timezone: str, at: datetime) -> datetime:
    """The slot after `at`."""
    return _utc(next(CronSim(schedule, at.astimezone(ZoneInfo(timezone)))))


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)
