"""upkeep: make the daily partitions that posts will need, well before they do."""

from datetime import timedelta

from services.store import posts
from workers.runtime import Outcome, Runtime

AHEAD = timedelta(days=14)


def upkeep(rt: Runtime) -> Outcome:
    """Partitions from yesterday to a fortnight ahead."""
    today = rt.now().date()
    with rt.store.transaction() as tx:
        made = posts.ensure_post_partitions(tx, today - timedelta(days=1), today + AHEAD)
    return Outcome(rows=made)
