"""rollup: fold trend deltas into trend points, count voices, and make codebook versions current that are whole."""

from services.store import codebooks, trends
from workers.runtime import Outcome, Runtime

DELTAS = 20_000
STEPS = 300
"""Hours, days and weeks whose voices are counted in one run."""


def rollup(rt: Runtime) -> Outcome:
    """Fold one lot of deltas."""
    with rt.store.transaction() as tx:
        if not trends.lock_fold(tx):
            return Outcome()
        touched = trends.fold_deltas(tx, DELTAS)
        if touched:
            trends.recount_points(tx, touched)
        folded = sum(t["deltas"] for t in touched)
        # While more comes, steps would be counted over and over.
        counted = 0 if folded == DELTAS else trends.count_steps(tx, rt.now(), STEPS)
    again = folded == DELTAS or counted == STEPS
    promoted = 0 if folded == DELTAS else promote(rt)
    wake = ("detect",) if touched or promoted else ()
    return Outcome(rows=folded, again=again, wake=wake)


def promote(rt: Runtime) -> int:
    """Make versions current whose history is scored; how many."""
    with rt.store.transaction() as tx:
        if not codebooks.any_building(tx):
            return 0
    with rt.store.transaction() as tx:
        codebooks.lock_codebooks(tx)
        built = codebooks.built_codebooks(tx)
        for version in built:
            codebooks.copy_watches(tx, version["version_id"])
            codebooks.retire_current(tx, version["codebook"])
            codebooks.make_current(tx, version["version_id"])
        return len(built)
