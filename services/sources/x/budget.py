"""The monthly budget of X's posts, in reads, shared by all workers through the ledger. Must not fetch."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from schemas.errors import PermanentError, Reason, TransientError
from services.analysis.naming import many
from services.sources.base import Means

LONGEST_WAIT = timedelta(hours=24)
_REMEDY = "X bills every post that is read: set FRAMEWATCH_X_MONTHLY_READS to the posts a month that you will pay for."


@dataclass(slots=True)
class Reserved:
    """Reads taken from the budget for one request; `used` of them are kept."""

    reads: int
    used: int = 0


class Budget:
    """Takes reads from the month's account before a request, and gives back what X did not charge."""

    def __init__(self, means: Means) -> None:
        self._ledger = means.ledger
        self._limit: Callable[[], int] = lambda: _monthly_reads(means)

    @contextmanager
    def reserve(self, sizes: Sequence[int], now: datetime) -> Iterator[Reserved]:
        """Hold the first of `sizes` that the month of `now` still allows.

        A request that fails is given back whole: X charges for answers with data only, and for a post once a day
        (docs.x.com, Pricing). Raises PermanentError(BAD_CONFIG) without a budget, TransientError(BUDGET_SPENT).
        """
        limit, account = self._limit(), f"x:{now:%Y-%m}"
        reads = next((size for size in sizes if self._ledger(account, size, limit)), 0)
        if not reads:
            raise _spent(limit, now)
        held = Reserved(reads)
        try:
            yield held
        finally:
            if held.used != reads:
                self._ledger(account, held.used - reads, limit)


def _monthly_reads(means: Means) -> int:
    text = means.keys.get("x_monthly_reads", "").strip()
    if text in ("", "0"):
        raise PermanentError(Reason.BAD_CONFIG, f"FRAMEWATCH_X_MONTHLY_READS is not set. {_REMEDY}")
    if not (text.isascii() and text.isdigit() and len(text) <= 12):
        raise PermanentError(Reason.BAD_CONFIG, f"FRAMEWATCH_X_MONTHLY_READS is no whole number. {_REMEDY}")
    return int(text)


def _spent(limit: int, now: datetime) -> TransientError:
    first = (now.replace(day=1, hour=0, minute=0, second=0, microsecond=0) + timedelta(days=32)).replace(day=1)
    return TransientError(
        Reason.BUDGET_SPENT,
        f"X has been read to this month's limit: {many(limit, 'post')} (FRAMEWATCH_X_MONTHLY_READS). It goes on on "
        f"{first:%-d %B}, or when the number is raised.",
        min(first - now, LONGEST_WAIT),
    )
