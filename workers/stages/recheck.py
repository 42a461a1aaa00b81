"""recheck: ask sources that can be asked whether posts are still there, and honour what is gone.

Posts are looked for one, seven and thirty days after they came, those that carry a frame first. Must not hurry: one
small batch a source and run.
"""

from datetime import datetime, timedelta

from schemas.errors import FramewatchError, Reason
from services.store import feeds, posts
from services.store.pool import Connection
from workers.runtime import Outcome, Runtime

AGES = (timedelta(days=1), timedelta(days=7), timedelta(days=30))
POSTS = 30
"""Posts looked for in one run, of each source."""


def recheck(rt: Runtime) -> Outcome:
    """One batch of every source that can be asked."""
    now = rt.now()
    with rt.store.transaction() as tx:
        kinds = sorted({f["source"] for f in feeds.list_feeds(tx) if f["state"] == "enabled"})
    outcomes = [_recheck(rt, kind, now) for kind in kinds]
    return Outcome(rows=sum(o.rows for o in outcomes), failures=sum(o.failures for o in outcomes))


def _recheck(rt: Runtime, kind: str, now: datetime) -> Outcome:
    platform = rt.gone(kind)
    if platform is None:
        return Outcome()
    with rt.store.transaction() as tx:
        known = _unchecked(tx, kind, now, carrying_only=platform.billed)
    if not known:
        return Outcome()
    try:
        gone = platform.ask(known)
    except FramewatchError as error:
        return Outcome(failures=0 if error.reason in (Reason.NO_CREDENTIALS, Reason.BUDGET_SPENT) else 1)
    with rt.store.transaction() as tx:
        erased = posts.delete_posts(tx, kind, sorted(gone), now)
        posts.mark_checked(tx, kind, [native_id for native_id, _ in known], now)
    return Outcome(rows=erased)


def _unchecked(tx: Connection, kind: str, now: datetime, *, carrying_only: bool) -> list[tuple[str, str]]:
    """Posts of the first age that has some left; looked for within the half of that age they were already."""
    for age in AGES:
        day = (now - age).date()
        known = posts.unchecked_posts(
            tx, kind, day, before=now - age / 2, limit=POSTS, carrying_only=carrying_only
        )  # fmt: skip
        if known:
            return known
    return []
