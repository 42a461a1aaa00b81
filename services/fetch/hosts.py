"""Bounds how many requests one host gets from this process at a time. It must not know other processes."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from schemas.errors import Reason, TransientError


class HostSlots:
    """`per_host` slots for each host name; thread-safe, and forgets hosts nobody holds."""

    def __init__(self, per_host: int) -> None:
        self._per_host = per_host
        self._held: Counter[str] = Counter()
        self._changed = threading.Condition()

    @contextmanager
    def hold(self, host: str, deadline: float) -> Iterator[None]:
        """Hold a slot of `host`. Raises TransientError(TIMEOUT) when none is free by `deadline` (monotonic)."""
        with self._changed:
            left = deadline - time.monotonic()
            if not self._changed.wait_for(lambda: self._held[host] < self._per_host, timeout=max(left, 0)):
                raise TransientError(Reason.TIMEOUT, f"Other requests to {host} took all the time there was.")
            self._held[host] += 1
        try:
            yield
        finally:
            with self._changed:
                self._held[host] -= 1
                self._held += Counter()  # drops the zeros
                self._changed.notify_all()
