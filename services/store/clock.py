"""The time all workers share: the database's, carried on by a clock that nobody can set. Reads nothing else."""

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from schemas.errors import TransientError
from services.store import counts
from services.store.pool import Store

FRESH_S = 60.0
"""Seconds for which one look at the database's clock is carried on; quartz drifts by a millisecond in that time."""


class SharedClock:
    """Now, aware UTC, whatever this machine's own wall clock says; thread-safe.

    While the database is away the last look is carried on; before the first one, TransientError(DATABASE_UNAVAILABLE).
    """

    def __init__(self, store: Store, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._monotonic = monotonic
        self._seen: tuple[datetime, float] | None = None
        self._lock = threading.Lock()

    def __call__(self) -> datetime:
        """The present."""
        with self._lock:
            if self._seen is None or self._monotonic() - self._seen[1] > FRESH_S:
                self._seen = self._look(self._seen)
            at, then = self._seen
            return at + timedelta(seconds=self._monotonic() - then)

    def _look(self, before: tuple[datetime, float] | None) -> tuple[datetime, float]:
        try:
            with self._store.transaction() as tx:
                return counts.database_clock(tx), self._monotonic()
        except TransientError:
            if before is None:
                raise
            return before
