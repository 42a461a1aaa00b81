"""Lengths of the steps of a trend, as people write them: 15m, 6h, 1d, 2w. Pure; it reads nothing that is kept."""

import re
from datetime import timedelta

FORM = r"^[1-9][0-9]{0,3}[mhdw]$"
BUCKET = timedelta(minutes=5)
LONGEST = timedelta(weeks=52)
TOLD = "a step is a whole number of minutes (of five), hours, days or weeks, 52 weeks at most: 15m, 6h, 1d, 2w"
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_USUAL = (
    (timedelta(weeks=1), timedelta(days=364)),
    (timedelta(days=1), timedelta(days=90)),
    (timedelta(hours=1), timedelta(days=14)),
    (BUCKET, timedelta(days=1)),
)


def length_of(step: str) -> timedelta:
    """How long a step is. Raises ValueError, and says what a step is, for one that cannot be counted."""
    if re.fullmatch(FORM, step):
        length = int(step[:-1]) * _UNITS[step[-1]]
        if not length % BUCKET and length <= LONGEST:
            return length
    raise ValueError(TOLD)


def usual_period(length: timedelta) -> timedelta:
    """What is shown of a trend by steps of such a length when no period is asked for: what a chart can show."""
    return next(period for shortest, period in _USUAL if length >= shortest)
