"""upkeep: daily partitions well before posts need them, the last traces of erased posts, texts long uncopied,
scores of codebook versions that nobody will ask for; and the week's samples for people to judge."""

from datetime import timedelta

from services.analysis.erasing import without_posts
from services.analysis.silence import MEMORY
from services.store import codebooks, draws, erasures, folding, posts, rescoring, senders, suggestions, units
from workers.runtime import Outcome, Runtime

AHEAD = timedelta(days=14)
ERASURES = 5_000
BANDS = 100_000
SCORES = 50_000


def upkeep(rt: Runtime) -> Outcome:
    """Partitions from yesterday to a fortnight ahead; no erased word in evidence, messages, vectors; free bands;
    last week's samples."""
    today = rt.now().date()
    with rt.store.transaction() as tx:
        made = posts.ensure_post_partitions(tx, today - timedelta(days=1), today + AHEAD)
        gone = erasures.claim_erasures(tx, ERASURES)
        if gone:
            ids = {g["post_id"] for g in gone}
            for told in erasures.told_of_posts(tx, sorted(ids)):
                erasures.rewrite(tx, told, without_posts(told["body"], ids))
            erasures.forget_vectors(tx, [g["text_hash"] for g in gone])
            suggestions.forget_members(tx, sorted(ids))
            erasures.end_erasures(tx, sorted(ids))
        units.forget_reposted(tx, today)
        senders.forget_hours(tx, rt.now() - MEMORY)
        forgotten = units.forget_bands(tx, today, BANDS)
    with rt.store.transaction() as tx:
        drawn = draws.draw_last_week(tx, rt.now(), int(rt.chance() * 2**53))
    old = forget_scores(rt)
    again = len(gone) == ERASURES or forgotten == BANDS or old == SCORES
    return Outcome(rows=made + len(gone) + drawn + old, again=again)


def forget_scores(rt: Runtime) -> int:
    """Delete scores and trends of versions that are kept no longer; how many rows at most of one kind.

    Their text and heads stay: a rollback to one scores again.
    """
    _mark(rt)
    with rt.store.transaction() as tx:
        codebooks.share_codebooks(tx)
        return rescoring.forget_rows(tx, SCORES)


def _mark(rt: Runtime) -> None:
    """Say which versions are kept no longer, in a moment in which nobody writes of them."""
    with rt.store.transaction() as tx:
        if not codebooks.versions_to_forget(tx, rt.keep_versions):
            return
    with rt.store.transaction() as tx:
        codebooks.lock_codebooks(tx)
        if folding.lock_fold(tx):
            codebooks.mark_forgotten(tx, codebooks.versions_to_forget(tx, rt.keep_versions))
