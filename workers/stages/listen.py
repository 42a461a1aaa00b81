"""listen: hold streams open, each in a thread of its own, and settle every page of theirs as collect does.

One run goes on for as long as there are streams; a second one in the same process finds the first and ends at once.
"""

import threading
import time
from datetime import timedelta
from typing import Self

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
    with _Listener() as listener:
        while listener.first and not rt.stopping():
            room = max(STREAMS - len(listener.alive()), 0)
            with rt.store.transaction() as tx:
                claimed = feeds.claim_streams(tx, limit=room, lease=rt.lease)
            for feed in claimed:
                listener.start(rt, feed)
            if not listener.alive():
                break
            _wait(rt, listener)
    return Outcome(rows=listener.rows, failures=listener.failures, fenced_off=listener.fenced_off)


class _Listener:
    """The threads of one run, and what they did, added up. Leaving it waits for all of them."""

    def __init__(self) -> None:
        self.rows = self.failures = self.fenced_off = 0
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        self.first = _listening.acquire(blocking=False)
        return self

    def __exit__(self, *_: object) -> None:
        for thread in self._threads:
            thread.join()
        if self.first:
            _listening.release()

    def alive(self) -> list[threading.Thread]:
        self._threads = [t for t in self._threads if t.is_alive()]
        return self._threads

    def start(self, rt: Runtime, feed: Feed) -> None:
        name = f"stream-{feed.feed_id}"
        self._threads.append(threading.Thread(target=_follow, args=(rt, feed, self), name=name, daemon=True))
        self._threads[-1].start()

    def add(self, *, rows: int = 0, failures: int = 0, fenced_off: int = 0) -> None:
        with self._lock:
            self.rows += rows
            self.failures += failures
            self.fenced_off += fenced_off


def _wait(rt: Runtime, listener: _Listener) -> None:
    until = time.monotonic() + LOOK.total_seconds()
    while not rt.stopping() and time.monotonic() < until and listener.alive():
        time.sleep(0.1)


def _follow(rt: Runtime, feed: Feed, counted: _Listener) -> None:
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
