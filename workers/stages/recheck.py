"""recheck: ask sources that can be asked whether posts are still there, and honour what is gone.

Posts are looked for one, seven and thirty days after they came, those that carry a frame first. Must not hurry: one
small batch a source and run.
"""

from datetime import datetime, timedelta

from schemas.errors import FramewatchError
from services.store import feeds, posts
from workers.runtime import Outcome, Runtime

AGES = (timedelta(days=1), timedelta(days=7), timedelta(days=30))
POSTS = 40
"""Posts looked for in one run, of each source."""


def recheck(rt: Runtime) -> Outcome:
    """One batch of every source that can be asked."""
    now = rt.now()
    with rt.store.transaction() as tx:
        kinds = sorted({f["source"] for f in feeds.list_feeds(tx) if f["state"] == "enabled"})
    outcomes = [_recheck(rt, kind, now) for kind in kinds if rt.gone(kind) is not None]
    return Outcome(rows=sum(o.rows for o in outcomes), failures=sum(o.failures for o in outcomes))


def _recheck(rt: Runtime, kind: str, now: datetime) -> Outcome:
    with rt.store.transaction() as tx:
        for age in AGES:
            day = (now - age).date()
            known = posts.unchecked_posts(tx, kind, day, before=now - age / 2, limit=POSTS)
            if known:
                break
    ask = rt.gone(kind)
    if not known or ask is None:
        return Outcome()
    try:
        gone = ask(known)
    except FramewatchError:
        return Outcome(failures=1)
    with rt.store.transaction() as tx:
        erased = posts.delete_posts(tx, kind, sorted(gone), now)
        posts.mark_checked(tx, kind, [native_id for native_id, _ in known], now)
    return Outcome(rows=erased)
