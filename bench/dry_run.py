"""How long a dry run takes: 30 days of 50 frames, after 35 days of history, about 100 posts a day and frame at most.

Posts of a day and week cycle are made in the database; a burst of 40 posts is planted in every frame each week.
"""

import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from services.analysis.alerting import Rule
from services.embedded.postgres import Postgres
from services.store import codebooks, feeds
from services.store.dry_run import dry_run
from services.store.migrate import prepare
from services.store.pool import Store
from services.store.posts import ensure_post_partitions

FRAMES, DAYS = 50, 65
T0 = datetime(2026, 1, 1, tzinfo=UTC)
POSTS = """
with said as (
  select f, h, n, %(t0)s::timestamptz + h * interval '1 hour' + n * interval '7 seconds' as at
  from generate_series(1, %(frames)s) f cross join generate_series(0, %(hours)s - 1) h
  cross join lateral generate_series(1,
    case when (h + f * 3) %% 168 = 20 then 40
    else floor(random() * 2 * (0.3 + f / 12.0) * (1.2 + sin(h * 0.2618)))::int end) n
), keyed as (
  insert into post_keys (source, native_id, received_day, content_hash)
  select 'rss', f || '-' || h || '-' || n, %(day)s, '' from said returning native_id, post_id
), stored as (
  insert into posts select %(day)s, post_id, 1, 'rss', native_id, 'https://e' || post_id %% 90 || '.org/', 'a', 'en', native_id,
    decode(md5(native_id), 'hex'), decode(md5(native_id), 'hex'), '', %(t0)s, 'stated', %(t0)s from keyed
)
insert into carried select %(version)s, 'f' || s.f, s.at, k.post_id, date_bin('5 min', s.at, %(t0)s), 'rss', 'en',
  'a' || k.post_id %% 5000, decode(md5(k.native_id), 'hex'), 0.9
from said s join keyed k on k.native_id = s.f || '-' || s.h || '-' || s.n
"""
POINTS = """
insert into trend_points
select version_id, coalesce(frame, '*'), bucket, source, lang, count(*), count(*), count(distinct author)
from carried group by grouping sets ((version_id, frame, bucket, source, lang), (version_id, bucket, source, lang))
"""


def fill(store):
    day, until = datetime.now(UTC).date(), T0 + timedelta(days=DAYS)
    with store.transaction() as tx:
        ensure_post_partitions(tx, day, day)
        version, _ = codebooks.add_codebook(tx, codebook="bench", title="Bench", body="", state="current", now=T0)
        codebooks.add_frames(
            tx, version, [{"id": f"f{i}", "title": f"Frame {i}", "description": ""} for i in range(1, FRAMES + 1)]
        )
        feed_id, _ = feeds.add_feed(
            tx, source="rss", address="https://e.org/", title="", now=T0, interval_s=60, clock="feed"
        )
        feeds.extend_expected(tx, feed_id, T0, until)
        feeds.add_heard(tx, feed_id, T0, until)
        tx.execute("update feeds set heard_until = %s", [until])
        values = {"frames": FRAMES, "hours": DAYS * 24, "t0": T0, "day": day, "version": version}
        tx.execute(POSTS, values)
        tx.execute(POINTS)
    with store.transaction() as tx:
        tx.execute("analyze")
        return tx.execute("select count(*) as n from carried").fetchone()["n"]


def main():
    with tempfile.TemporaryDirectory() as folder:
        server = Postgres(Path(folder))
        server.start()
        try:
            prepare(server.url, datetime.now(UTC).date())
            store = Store(server.url, size=2)
            posts = fill(store)
            print(f"{FRAMES} frames, {posts:,} posts that carry one")
            usual = Rule()
            for name, rule in (
                ("the rule of the settings", usual),
                ("ten times the budget", replace(usual, budget=10.0)),
                ("one frame", replace(usual, frame="f1")),
            ):
                began, used = time.perf_counter(), time.process_time()
                with store.transaction() as tx:
                    found = dry_run(tx, rule, days=30, wall=T0)
                took, cpu = time.perf_counter() - began, time.process_time() - used
                print(
                    f"{name}: {len(found['firings'])} firings over {found['frames']} frames, {took:.2f} s ({cpu:.2f} s here)"
                )
            store.close()
        finally:
            server.stop()


if __name__ == "__main__":
    main()
