"""suggest: once a day of the stream's present, group the posts that match no frame; else it finds nothing due."""

from services import suggesting
from services.store import feeds
from workers.runtime import Outcome, Runtime

LEASES = 10
"""A run is minutes long where there is much; whoever is killed in it is replaced after so many leases."""


def suggest(rt: Runtime) -> Outcome:
    """Make the groups of one codebook that is due."""
    with rt.store.transaction() as tx:
        present = feeds.present(tx, rt.now())
    claimed = suggesting.claim(rt.store, suggesting.slot_of(present), LEASES * rt.lease)
    if claimed is None:
        return Outcome()
    told = suggesting.suggest(rt.store, claimed, present=present, now=rt.now())
    return Outcome(rows=told.suggestions, fenced_off=int(not told.settled), again=True)
