"""A database of many posts and 50 frames, made in the database itself: 90 days, five sources, eight languages.

Three posts in ten carry a frame, the commonest frame a sixth of those. Every fifth text is a near copy of another one.
"""

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import yaml

from services import demo
from services.embedded.postgres import Postgres
from services.store import codebooks, feeds, scores
from services.store.migrate import prepare
from services.store.pool import Store
from services.store.posts import ensure_post_partitions

FRAMES, DAYS = 50, 90
NOW = datetime(2026, 6, 1, tzinfo=UTC)
FIRST = NOW - timedelta(days=DAYS)
SOURCES = ("rss", "mastodon", "bluesky", "telegram", "push")
WIDTH = 384
RELAXED = ("fsync", "full_page_writes", "synchronous_commit")

POSTS = """
with made as materialized (
  select %(first)s + n::bigint as id, %(day)s::timestamptz + n * (interval '1 day' / %(count)s) as at,
         random() as s, random() as l, random() as a, random() as t, random() as u
  from generate_series(0, %(count)s - 1) n
), said as materialized (
  select id, at,
         case when s < .4 then 'rss' when s < .7 then 'mastodon' when s < .9 then 'bluesky' when s < .98 then 'telegram'
              else 'push' end as source,
         case when l < .6 then 'en' when l < .84 then 'ru' when l < .94 then 'ar' when l < .98 then 'de'
              when l < .99 then 'fr' when l < .998 then 'uk' when l < .9999 then 'und' else 'mt' end as lang,
         md5((power(a, 3) * %(authors)s)::int::text) as author,
         (%(texts)s::text[])[1 + (t * (cardinality(%(texts)s::text[]) - 1))::int] || ' ' || to_hex(id * 7919 %% 1000003) as text,
         md5(case when u < .2 then (u * 50000)::int::text else id::text end) as unit
  from made
), keyed as (
  insert into post_keys (source, native_id, post_id, received_day, content_hash) overriding system value
  select source, 'n' || id, id, %(day)s::date, decode(unit, 'hex') from said
), stored as (
  insert into posts
  select %(day)s::date, id, 1, source, 'n' || id, 'https://e' || id %% 900 || '.example/' || id, author, lang, text,
         decode(md5(text), 'hex'), decode(unit, 'hex'), '', array['e' || id %% 900 || '.example'], at, 'stated', at from said
), judged as (
  insert into scores select %(version)s, id, %(model)s, date_bin('5 min', at, 'epoch'), source, lang,
         array_fill(.1::real, array[50]), '{}' from said
)
insert into carried
select %(version)s, 'f' || floor(power(50, random()))::int, at, id, date_bin('5 min', at, 'epoch'), source, lang, author,
       decode(unit, 'hex'), .9 from said where random() < .3
"""
WORDS = """
insert into carrier_words
select c.version_id, c.post_id, c.published_at, words_of_carrier(c.version_id, array_agg(c.frame), c.published_at, p.text)
from carried c join posts p using (post_id, published_at)
where p.received_day = %(day)s::date and c.published_at >= %(day)s and c.published_at < %(day)s + interval '1 day'
group by c.version_id, c.post_id, c.published_at, p.text
"""
POINTS = """
insert into trend_points
select version_id, coalesce(frame, '*'), bucket, source, lang, count(*), least(count(distinct unit_key), count(distinct author)),
       count(distinct author)
from carried where published_at >= %(day)s and published_at < %(day)s + interval '1 day'
group by version_id, frame, bucket, source, lang
union all
select version_id, '*', bucket, source, lang, count(*), 0, 0 from scores where post_id >= %(first)s
group by version_id, bucket, source, lang
"""
VERDICTS = """
insert into verdicts
select %(version)s, f.frame, h, 5, 4, 3.5, 9, .2, 1, case when random() < .01 then 'burst' else 'ok' end
from frames f cross join generate_series(%(since)s::timestamptz, %(until)s::timestamptz - interval '1 hour', '1 hour') h
"""
ALERTS = """
insert into alerts (alert_id, kind, rule, version_id, frame, state, onset, last_bucket, raised_at, resolved_at, evidence)
select substr(md5(n::text), 1, 20), 'burst', 'burst', %(version)s, 'f' || 1 + n %% 50,
       case when n > 4990 then 'firing' else 'resolved' end, at, at + interval '2 hours', at + interval '1 hour',
       case when n <= 4990 then at + interval '1 day' end,
       jsonb_build_object('frame', jsonb_build_object('id', 'f', 'title', 'A frame'), 'reason', 'It rose.', 'until', at,
                          'filling', repeat('evidence ', 900))
from (select n, %(since)s::timestamptz + n * interval '25 minutes' as at from generate_series(1, 5000) n) t
"""


def deployed() -> dict[str, str]:
    """The settings that docker-compose.yml gives its database."""
    services = yaml.safe_load(Path("docker-compose.yml").read_text(encoding="utf-8"))["services"]
    words = services["postgres"]["command"]
    return dict(word.split("=", 1) for flag, word in pairwise(words) if flag == "-c")


def ready(folder: Path, posts: int) -> tuple[Postgres, Store]:
    """The server in `folder` with its posts, made there unless they are there already.

    It has the settings of the server in docker-compose.yml: the one that `framewatch up` brings suits smaller houses.
    """
    server = Postgres(folder, settings=deployed())
    server.start()
    store = Store(server.url, size=6, name="bench", statement_timeout_s=3600)
    mark = folder / f"{posts}.posts"
    if not mark.exists():
        prepare(server.url, NOW.date())
        _fill(store, posts)
        mark.touch()
    prepare(server.url, NOW.date())
    return server, store


def _fill(store: Store, posts: int) -> None:
    _relax(store, "off")
    with store.transaction() as tx:
        ensure_post_partitions(tx, FIRST.date(), NOW.date())
        version, _ = codebooks.add_codebook(tx, codebook="bench", title="Bench", body="", state="current", now=FIRST)
        codebooks.add_frames(
            tx, version, [{"id": f"f{i}", "title": f"Frame {i}", "description": ""} for i in range(1, FRAMES + 1)]
        )
        model = scores.register_model(tx, "bench@1")
        for name in SOURCES:
            feed_id, _ = feeds.add_feed(tx, source=name, address=name, title="", now=FIRST, interval_s=60)
            feeds.add_heard(tx, feed_id, FIRST, NOW)
        tx.execute("select setseed(0.42)")
    texts = [p["text"] for p in demo.posts()]
    count = posts // DAYS
    for number in range(DAYS):
        about = {"day": FIRST + timedelta(days=number), "first": 1 + number * count, "count": count}
        with store.transaction() as tx:
            tx.execute(POSTS, {**about, "authors": posts // 50, "texts": texts, "version": version, "model": model})
            tx.execute(WORDS, about)
            tx.execute(POINTS, about)
        print(f"\r{(number + 1) * count:,} posts", end="", flush=True)
    with store.transaction() as tx:
        tx.execute(VERDICTS, {"version": version, "since": FIRST, "until": NOW})
        tx.execute(ALERTS, {"version": version, "since": FIRST})
    _embed(store, model)
    _relax(store, "on")
    print()
    with store._pool.connection() as connection:
        connection.autocommit = True
        connection.execute("vacuum analyze")
        connection.execute("checkpoint")
        connection.autocommit = False


def _embed(store: Store, model: int) -> None:
    """Vectors of the texts of the last two days."""
    chance = np.random.default_rng(42)
    with store.transaction() as tx:
        hashes = [
            r["text_hash"]
            for r in tx.execute(
                "select distinct text_hash from posts where received_day >= %s", [NOW.date() - timedelta(days=2)]
            )
        ]
        with tx.cursor().copy("copy embeddings (model_id, text_hash, vector) from stdin (format binary)") as copy:
            copy.set_types(["int2", "bytea", "bytea"])
            for text_hash in hashes:
                vector = chance.normal(size=WIDTH)
                copy.write_row((model, text_hash, (vector / np.linalg.norm(vector)).astype("<f2").tobytes()))


def _relax(store: Store, value: str) -> None:
    with store._pool.connection() as connection:
        connection.autocommit = True
        for name in RELAXED:
            connection.execute(f"alter system set {name} = {value}")
        connection.execute(f"alter system set max_wal_size = '{'8GB' if value == 'off' else '1GB'}'")
        connection.execute("select pg_reload_conf()")
        connection.autocommit = False


if __name__ == "__main__":
    import sys

    print(json.dumps(sys.argv[1:]))
    server, store = ready(Path(sys.argv[1]), int(sys.argv[2]))
    store.close()
    server.stop()
