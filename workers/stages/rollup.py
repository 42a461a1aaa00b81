"""rollup: fold trend deltas into trend points, count voices, and make codebook versions current that are whole."""

from datetime import datetime

from services.store import applying, codebooks, counting, feeds, folding, readings, stances
from services.store.pool import Connection
from workers.runtime import Outcome, Runtime

DELTAS = 20_000
STEPS = 300
"""Hours, days and weeks whose voices are counted in one run."""


def rollup(rt: Runtime) -> Outcome:
    """Fold one lot of deltas."""
    with rt.store.transaction() as tx:
        if not folding.lock_fold(tx):
            return Outcome()
        folded = max(_fold(tx), stances.fold_stances(tx, DELTAS))
        # While more comes, the same would be counted over and over.
        counted = 0 if folded == DELTAS else _count(tx, rt.now())
    again = folded == DELTAS or counted == STEPS
    promoted = 0 if folded == DELTAS else promote(rt)
    wake = ("detect",) if folded or promoted else ()
    return Outcome(rows=folded, again=again, wake=wake)


def _count(tx: Connection, wall: datetime) -> int:
    """Count the voices of steps and of the hours before the present; how many steps."""
    present = feeds.present(tx, wall)
    counting.keep(tx, readings.last_hours(present, readings.DAY)[1], wall)
    return folding.count_steps(tx, present, STEPS, now=wall)


def _fold(tx: Connection) -> int:
    touched = folding.fold_deltas(tx, DELTAS)
    if touched:
        folding.recount_points(tx, touched)
    return sum(t["deltas"] for t in touched)


def promote(rt: Runtime) -> int:
    """Let readers see versions whose history is scored and folded; how many."""
    with rt.store.transaction() as tx:
        built = [v["version_id"] for v in codebooks.built_codebooks(tx)]
        if not built or not folding.lock_fold(tx):
            return 0
        for version_id in set(built) & set(folding.unbuilt_points(tx)):
            folding.build_points(tx, version_id)
    with rt.store.transaction() as tx:
        # Alone, and after a last fold: what readers see from now on is whole.
        codebooks.lock_codebooks(tx)
        if not folding.lock_fold(tx) or _fold(tx) == DELTAS:
            return 0
        return applying.promote(tx, rt.now())
