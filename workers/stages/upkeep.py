"""upkeep: daily partitions well before posts need them, the last traces of erased posts, texts long uncopied; and
the week's samples for people to judge."""

from datetime import timedelta

from services.analysis.erasing import without_posts
from services.store import draws, erasures, posts, units
from workers.runtime import Outcome, Runtime

AHEAD = timedelta(days=14)
ERASURES = 5_000
BANDS = 100_000


def upkeep(rt: Runtime) -> Outcome:
    """Partitions from yesterday to a fortnight ahead; no erased word in evidence, messages or vectors; free bands;
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
            erasures.end_erasures(tx, sorted(ids))
        units.forget_reposted(tx, today)
        forgotten = units.forget_bands(tx, today, BANDS)
    with rt.store.transaction() as tx:
        drawn = draws.draw_last_week(tx, rt.now(), int(rt.chance() * 2**53))
    return Outcome(rows=made + len(gone) + drawn, again=len(gone) == ERASURES or forgotten == BANDS)
