"""listen: hold streams open, each in a thread of its own, and settle every page of theirs as collect does.

One run goes on for as long as there are streams; a second one in the same process finds the first and ends at once.
"""

import threading
import time
from datetime import timedelta

from schemas.errors import FramewatchError, Reason, TransientError
from schemas.records import Feed
from services.store import feeds
from workers.hearing import settle_failure, settle_page
from workers.runtime import Outcome, Runtime

STREAMS = 64
"""Streams held open by one process."""
LOOK = timedelta(seconds=5)
"""How often the listener looks for streams that nobody listens to."""

_listening = threading.Lock()


def listen(rt: Runtime) -> Outcome:
    """Listen until there is no stream left or the worker stops."""
    if not _listening.acquire(blocking=False):
        return Outcome()
    threads: list[threading.Thread] = []
    counted = _Counted()
    try:
        while not rt.stopping():
            threads = [t for t in threads if t.is_alive()]
            with rt.store.transaction() as tx:
                claimed = feeds.claim_streams(tx, limit=max(STREAMS - len(threads), 0), lease=rt.lease)
            threads += [_start(rt, feed, counted) for feed in claimed]
            if not threads:
                break
            _wait(rt, threads)
    finally:
        for thread in threads:
            thread.join()
        _listening.release()
    return Outcome(rows=counted.rows, failures=counted.failures, fenced_off=counted.fenced_off)


class _Counted:
    """What all threads did, added up."""

    def __init__(self) -> None:
        self.rows = self.failures = self.fenced_off = 0
        self._lock = threading.Lock()

    def add(self, *, rows: int = 0, failures: int = 0, fenced_off: int = 0) -> None:
        with self._lock:
            self.rows += rows
            self.failures += failures
            self.fenced_off += fenced_off


def _start(rt: Runtime, feed: Feed, counted: _Counted) -> threading.Thread:
    thread = threading.Thread(target=_follow, args=(rt, feed, counted), name=f"stream-{feed.feed_id}", daemon=True)
    thread.start()
    return thread


def _wait(rt: Runtime, threads: list[threading.Thread]) -> None:
    until = time.monotonic() + LOOK.total_seconds()
    while not rt.stopping() and time.monotonic() < until and any(t.is_alive() for t in threads):
        time.sleep(0.1)


def _follow(rt: Runtime, feed: Feed, counted: _Counted) -> None:
    """One stream, page by page, until it ends; its end is written down like any failed fetch."""
    error: FramewatchError = TransientError(Reason.UNREACHABLE, "The server closed the stream. It is opened again.")
    try:
        for page in rt.stream(feed.source).listen(feed, rt.now, rt.stopping):
            settled = settle_page(rt, feed, page, rt.now(), lease=rt.lease)
            if settled.feed is None:
                counted.add(fenced_off=1)
                return
            feed = settled.feed
            counted.add(rows=settled.rows)
            if settled.rows:
                rt.nudge("classify")
    except FramewatchError as failure:
        error = failure
    if rt.stopping():
        settle_stop(rt, feed)
    else:
        counted.add(failures=1)
        settle_failure(rt, feed, error)


def settle_stop(rt: Runtime, feed: Feed) -> None:
    """Let go of a stream, so that the next listener takes it up at once."""
    now = rt.now()
    settled = {
        "cursor": feed.cursor, "heard_until": feed.heard_until, "title": "", "now": now, "next_fetch_at": now,
        "failures": 0, "reason": None, "error": None, "ended": False,
    }  # fmt: skip
    with rt.store.transaction() as tx:
        feeds.settle_feed(tx, feed, **settled)
