"""What people leave in a house of ten million posts: labels, samples drawn and judged, suggestions. It measures nothing."""

import json

from bench._millions import FRAMES, NOW
from services.store import labels
from services.store.pool import Store

WEEKS = 12
SAMPLES = 10
"""Of each frame and week."""
SUGGESTED = 100
MEMBERS = 30


def judge_posts(store: Store) -> None:
    """What 20 judges leave who answered 10,000 times each, in turn."""
    with store.transaction() as tx:
        tx.execute(
            "insert into labels (codebook, frame, post_id, judge, answer, unit_key, origin, judged_at)"
            " select 'bench', 'f' || 1 + n %% 50, p.post_id, 'judge ' || n %% 20, (array['yes', 'no', 'unsure'])[1 + n %% 3],"
            " p.unit_key, 'free', %s - n * interval '1 second' from generate_series(1, 200000) n"
            " join posts p on p.post_id = 1 + n where not exists (select from labels)",
            [NOW],
        )
        tx.execute("analyze labels")


def draw_samples(store: Store) -> None:
    """Twelve weeks of samples of every frame, which one judge has answered."""
    with store.transaction() as tx:
        if tx.execute("select 1 as one from draws limit 1").fetchone():
            return
        # Quality leaves out what the codebook was taught with: its text has to be one.
        lines = [
            f"  - {{id: f{f}, title: Frame {f}, description: D., examples: [lion {f}]}}" for f in range(1, FRAMES + 1)
        ]
        body = "\n".join(["codebook: bench", "title: Bench", "frames:", *lines])
        tx.execute("update codebooks set body = %s where codebook = 'bench'", [body])
        tx.execute(
            "insert into draws (codebook, frame, week, version, since, until, seed, near, carried, rest, drawn_at)"
            " select 'bench', 'f' || f, %(oldest)s::date + 7 * w, 1, %(now)s, %(now)s, 1, 10, 10, 10, %(now)s"
            " from generate_series(1, %(frames)s) f, generate_series(0, %(weeks)s) w",
            {"oldest": labels.oldest_week(NOW), "now": NOW, "frames": FRAMES, "weeks": WEEKS - 1},
        )
        tx.execute(
            "insert into samples (codebook, frame, week, post_id, unit_key, stratum, inclusion, place)"
            " select 'bench', d.frame, d.week, p.post_id, p.unit_key, 'carried', .5, p.place from draws d"
            " cross join lateral (select *, row_number() over (order by post_id)::int as place"
            "   from (select distinct on (unit_key) post_id, unit_key from carried c where version_id = 1"
            "     and c.frame = d.frame and c.published_at >= d.week and c.published_at < d.week + 7"
            "     order by unit_key, post_id limit %s) x) p",
            [SAMPLES],
        )
        tx.execute(
            "insert into labels (codebook, frame, post_id, judge, answer, unit_key, origin, judged_at)"
            " select codebook, frame, post_id, 'weekly', 'yes', unit_key, 'sample', %s from samples on conflict do nothing",
            [NOW],
        )
        tx.execute("analyze draws, samples, labels")


def suggest_frames(store: Store) -> None:
    """Groups of thirty posts each, as nights of grouping leave them."""
    with store.transaction() as tx:
        if tx.execute("select 1 as one from suggestions limit 1").fetchone():
            return
        tx.execute(
            "insert into suggestions (codebook, state, model_id, vector, first_seen, found_at, seen_at, posts, units, authors,"
            "  publishers, langs, days, terms, score, parts)"
            " select 'bench', 'open', m.model_id, m.vector, %(now)s, %(now)s, %(now)s, 30, 30, 20, 10,"
            """  '{"en": 20, "ru": 10}', '[{"posts": 30, "units": 30}]', %(terms)s,"""
            "  n / 200.0, %(parts)s from generate_series(1, %(count)s) n,"
            "  (select min(model_id) as model_id, decode(repeat('00', 768), 'hex') as vector from models) m",
            {
                "now": NOW,
                "count": SUGGESTED,
                "terms": json.dumps([{"term": t, "lang": "en", "weight": 3.0} for t in ("lion", "statue", "museum")]),
                "parts": '{"growth": 0.8, "independence": 0.9, "coherence": 0.6, "size": 0.55, "newness": 0.4}',
            },
        )
        tx.execute(
            "insert into suggestion_posts (suggestion_id, unit_key, post_id, inside, likeness, lang)"
            " select s.suggestion_id, p.unit_key, p.post_id, true, 0.5, p.lang from suggestions s"
            " cross join lateral (select distinct on (c.unit_key) c.unit_key, c.post_id, c.lang from carried c"
            "   where c.version_id = 1 and c.frame = 'f' || (1 + s.suggestion_id %% %s)"
            "   and c.published_at >= %s::timestamptz - interval '14 days' limit %s) p",
            [FRAMES, NOW, MEMBERS],
        )
        tx.execute("analyze suggestions, suggestion_posts")
