"""Decides when to try again: the next fetch of a feed, the next attempt of a delivery.

Pure: `now` and `jitter` (a number in [0, 1) that the caller draws) are arguments. It must not claim or send.
"""

from datetime import datetime, timedelta

LONGEST_WAIT = timedelta(hours=24)
"""No feed is left alone for longer because of failures, its ttl or a Retry-After; dead feeds come back."""
DELIVERY_WAITS = (
    timedelta(0),
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""Wait before each attempt of a delivery; the retry schedule recommended by Standard Webhooks."""
_SPREAD = 0.1


def next_fetch(
    now: datetime,
    interval: timedelta,
    *,
    min_interval: timedelta | None = None,
    failures: int = 0,
    retry_after: timedelta | None = None,
    jitter: float = 0.0,
) -> datetime:
    """When to fetch a feed next.

    The longest of our `interval` and the feed's own `min_interval`, times one more for each failure in a row,
    but not before `retry_after`; up to a tenth later by `jitter`. At most 24 hours away, or `interval` when
    that is longer.
    """
    limit = max(LONGEST_WAIT, interval)
    polite = min(max(interval, min_interval or timedelta(0)), limit)
    wait = max(polite * min(1 + max(failures, 0), 10_000), retry_after or timedelta(0))
    return now + _spread(wait, limit, jitter)


def retry_at(
    now: datetime, attempts: int, *, retry_after: timedelta | None = None, jitter: float = 0.0
) -> datetime | None:
    """When to try a delivery again after `attempts` failed ones; None means: park it.

    Follows DELIVERY_WAITS, not before `retry_after` (at most 24 hours), up to a tenth later by `jitter`.
    """
    if attempts >= len(DELIVERY_WAITS):
        return None
    wait = max(DELIVERY_WAITS[max(attempts, 0)], min(retry_after or timedelta(0), LONGEST_WAIT))
    return now + _spread(wait, LONGEST_WAIT * (1 + _SPREAD), jitter)


def _spread(wait: timedelta, limit: timedelta, jitter: float) -> timedelta:
    return min(min(wait, limit) * (1 + _SPREAD * jitter), limit)
