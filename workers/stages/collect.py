"""collect: claim due feeds, fetch them side by side, settle posts and cursor of each in one transaction."""

from concurrent.futures import ThreadPoolExecutor

from schemas.errors import PermanentError, TransientError
from schemas.records import Feed
from services.store import feeds
from workers.hearing import settle_failure, settle_page
from workers.runtime import Outcome, Runtime

FEEDS = 8
PER_HOST = 2
"""Feeds of one host under way at a time, over all workers."""


def collect(rt: Runtime) -> Outcome:
    """Fetch the feeds that are due."""
    with rt.store.transaction() as tx:
        claimed = feeds.claim_feeds(tx, limit=FEEDS, lease=rt.lease, per_host=PER_HOST, gap=rt.host_gap)
    if not claimed:
        return Outcome()
    with ThreadPoolExecutor(len(claimed), "fetch") as pool:
        outcomes = list(pool.map(lambda feed: collect_feed(rt, feed), claimed))
    new = sum(o.rows for o in outcomes)
    return Outcome(
        rows=new,
        failures=sum(o.failures for o in outcomes),
        fenced_off=sum(o.fenced_off for o in outcomes),
        again=len(claimed) == FEEDS or any(o.again for o in outcomes),
        wake=("classify",) if new else (),
    )


def collect_feed(rt: Runtime, feed: Feed) -> Outcome:
    """Fetch one claimed feed and settle what came of it."""
    now = rt.now()
    try:
        page = rt.source(feed.source).fetch(feed, now)
    except (TransientError, PermanentError) as error:
        return Outcome(failures=1, fenced_off=0 if settle_failure(rt, feed, error) else 1)
    settled = settle_page(rt, feed, page, now)
    if not settled.ours:
        return Outcome(fenced_off=1)
    return Outcome(rows=settled.rows, again=page.more)
