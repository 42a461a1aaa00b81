"""What one scrape of the exporter takes: 200 frames, 50 feeds, a million posts in Postgres, over HTTP.

The posts are made in the database: a week of them, a tenth of which carry a frame, with their trend points, verdicts,
heard spans and vectors. Beside it, what counting every row would have cost: the ratio is of one run on one machine.
"""

import statistics
import tempfile
import time
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil

from services.analysis.alerting import Rule
from services.embedded.postgres import Postgres
from services.exporter import server
from services.exporter.collector import read_figures
from services.store import codebooks, counting, feeds
from services.store.migrate import prepare
from services.store.pool import Store
from services.store.posts import ensure_post_partitions
from services.store.readings import last_hours

FRAMES, FEEDS, POSTS, DAYS = 200, 50, 1_000_000, 7
SCRAPES = 30
SEED = (
    """insert into post_keys (source, native_id, received_day, content_hash)
    select 's' || n %% 4, n::text, %(day)s, '' from generate_series(1, %(posts)s) n""",
    """insert into posts select received_day, post_id, post_id %% 50 + 1, source, native_id, '', 'a' || post_id %% 90000, 'en',
    'a text', decode(md5(native_id), 'hex'), decode(md5(native_id), 'hex'), '', '{e.org}',
    %(since)s::timestamptz + post_id * (%(days)s * interval '1 day' / %(posts)s), 'stated', %(now)s from post_keys""",
    """insert into embeddings select 1, decode(md5(n::text), 'hex'), '\\x00' from generate_series(1, %(posts)s) n""",
    """insert into carried select %(version)s, 'f' || post_id / 10 %% %(frames)s + 1, published_at, post_id,
    date_bin('5 min', published_at, 'epoch'), source, lang, author, unit_key, 0.9 from posts where post_id %% 10 = 0""",
    """insert into trend_points select version_id, frame, bucket, source, lang, count(*), count(*), count(distinct author)
    from carried group by 1, 2, 3, 4, 5""",
    """insert into trend_points select %(version)s, '*', date_bin('5 min', published_at, 'epoch'), source, lang, count(*), 0, 0
    from posts group by 1, 2, 3, 4, 5""",
    """insert into verdicts select %(version)s, 'f' || f, date_bin('1 hour', %(now)s::timestamptz, 'epoch') - h * interval '1 h',
    3, 3, 2.0, 6.0, 0.4, 1.0, 'ok' from generate_series(1, %(frames)s) f, generate_series(1, %(days)s * 24) h""",
    """insert into heard_spans select f, %(since)s::timestamptz + h * interval '1 h', %(since)s::timestamptz + h * interval '1 h'
    + interval '59 min' from generate_series(1, %(feeds)s) f, generate_series(0, %(days)s * 24 - 1) h""",
    """insert into intake select f, o, 20000 from generate_series(1, %(feeds)s) f, unnest(array['fetched', 'new']) o""",
    """update watches set evaluated_until = date_bin('1 hour', %(now)s::timestamptz, 'epoch')""",
)  # fmt: skip
EVERY_ROW = "select (select count(*) from posts), (select count(*) from embeddings)"


def fill(store, now):
    with store.transaction() as tx:
        ensure_post_partitions(tx, now.date(), now.date() + timedelta(days=7))
        version, _ = codebooks.add_codebook(tx, codebook="bench", title="Bench", body="", state="current", now=now)
        codebooks.add_frames(
            tx, version, [{"id": f"f{i}", "title": f"Frame {i}", "description": ""} for i in range(1, FRAMES + 1)]
        )
        tx.execute("insert into models (name) values ('bench')")
        for number in range(FEEDS):
            feeds.add_feed(
                tx, source=f"s{number % 4}", address=f"https://e{number}.org/", title="", interval_s=60,
                now=now - timedelta(days=DAYS),
            )  # fmt: skip
        values = {"posts": POSTS, "frames": FRAMES, "feeds": FEEDS, "days": DAYS, "version": version, "now": now,
                  "day": now.date(), "since": now - timedelta(days=DAYS)}  # fmt: skip
        for query in SEED:
            tx.execute(query, values)
    with store.transaction() as tx:
        tx.execute("analyze")
        # As rollup does, a few times a minute.
        counting.keep(tx, last_hours(now, timedelta(days=1))[1], now)


def timed(work, times=SCRAPES):
    """Median and ninth decile, in milliseconds."""
    work()
    took = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        took.append(1000 * (time.perf_counter() - began))
    return statistics.median(took), statistics.quantiles(took, n=10)[-1]


def processor():
    """Seconds of processor that this process and the servers it started have used."""
    times = [p.cpu_times() for p in psutil.Process().children(recursive=True)]
    return time.process_time(), sum(t.user + t.system for t in times)


def main():
    with tempfile.TemporaryDirectory() as folder:
        postgres = Postgres(Path(folder))
        postgres.start()
        try:
            now = datetime.now(UTC)
            prepare(postgres.url, now.date())
            store = Store(postgres.url, size=2)
            fill(store, now)
            listening, thread = server.start(store, host="127.0.0.1", port=0, now=lambda: now)
            url = f"http://127.0.0.1:{listening.server_port}/metrics"
            body = urllib.request.urlopen(url).read()
            lines = sum(not line.startswith(b"#") for line in body.splitlines())
            print(
                f"{FRAMES} frames, {FEEDS} feeds, {POSTS:,} posts; a scrape is {lines:,} samples, {len(body) / 1024:.0f} kB"
            )
            # As the exporter's own process does when it starts.
            server.settle()
            began = processor()
            scrape = timed(lambda: urllib.request.urlopen(url).read())
            spent = [1000 * (after - before) / (SCRAPES + 1) for before, after in zip(began, processor(), strict=True)]

            def read():
                with store.transaction() as tx:
                    read_figures(tx, now, Rule(), {})

            def count():
                with store.transaction() as tx:
                    tx.execute(EVERY_ROW).fetchall()

            reading, counting = timed(read), timed(count, 10)
            print(
                f"  processor time of a scrape {spent[0]:6.1f} ms in Python, {spent[1]:.1f} ms in Postgres: what a quiet core takes"
            )
            print(f"  one scrape over HTTP      {scrape[0]:7.1f} ms   (ninth decile {scrape[1]:.1f} ms)")
            print(f"  of which the queries      {reading[0]:7.1f} ms   (ninth decile {reading[1]:.1f} ms)")
            print(f"  counting every row alone  {counting[0]:7.1f} ms   {counting[0] / scrape[0]:.1f} times a scrape")
            listening.shutdown()
            thread.join()
            store.close()
        finally:
            postgres.stop()


if __name__ == "__main__":
    main()
