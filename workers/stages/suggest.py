"""suggest: once a day of the stream's present, group the posts that match no frame; else it finds nothing due."""

from datetime import timedelta

from services.store import feeds, queue
from services.usecases import suggesting
from workers.runtime import Outcome, Runtime

LEASES = 10
"""A run is minutes long where there is much; whoever is killed in it is replaced after so many leases."""

BEHIND = timedelta(hours=1)
"""While a post that old still waits to be scored, nobody knows what matches no frame."""


def suggest(rt: Runtime) -> Outcome:
    """Make the groups of one codebook that is due."""
    with rt.store.transaction() as tx:
        present = feeds.present(tx, rt.now())
        waiting = queue.oldest_queued(tx, present - suggesting.WINDOW)
    if waiting is not None and waiting < present - BEHIND:
        return Outcome()
    claimed = suggesting.claim(rt.store, suggesting.slot_of(present), LEASES * rt.lease)
    if claimed is None:
        return Outcome()
    told = suggesting.suggest(rt.store, claimed, present=present, now=rt.now())
    return Outcome(rows=told.suggestions, fenced_off=int(not told.settled), again=True)
