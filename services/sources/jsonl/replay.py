"""The options of a jsonl feed, and how far a replay of the past has come. Pure: `now` is an argument."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from schemas.errors import PermanentError, Reason
from services.analysis.times import parse_time

PAGE = 2000
"""Lines a page unless `options.page` says otherwise."""
_MAX_PAGE = 20_000


def page_size(options: Mapping[str, Any]) -> int:
    """Lines a page. Raises PermanentError(BAD_CONFIG) for a `page` that is no number from 1 to 20,000."""
    size = options.get("page", PAGE)
    if isinstance(size, bool) or not isinstance(size, int) or not 1 <= size <= _MAX_PAGE:
        raise PermanentError(Reason.BAD_CONFIG, f"option page must be a whole number from 1 to {_MAX_PAGE}")
    return size


def horizon(options: Mapping[str, Any], now: datetime) -> datetime | None:
    """The feed's present in a replay: `from` + `speed` · (now - `started_at`); None when nothing is held back.

    Raises PermanentError(BAD_CONFIG) naming the option that cannot be used.
    """
    speed = options.get("speed")
    if speed is None:
        return None
    if isinstance(speed, bool) or not isinstance(speed, int | float) or not 0 < speed < math.inf:
        raise PermanentError(Reason.BAD_CONFIG, "option speed must be a number above 0")
    started, begin = _time(options, "started_at"), _time(options, "from")
    try:
        return begin + timedelta(seconds=speed * max((now - started).total_seconds(), 0))
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)


def _time(options: Mapping[str, Any], name: str) -> datetime:
    value = options.get(name)
    moment = parse_time(value) if isinstance(value, str) else None
    if moment is None:
        raise PermanentError(Reason.BAD_CONFIG, f"option speed needs {name}, a time such as 2016-12-11T00:00:00Z")
    return moment
