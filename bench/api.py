"""How quickly the API answers over ten million posts and 50 frames, beside the same questions asked of the raw tables.

python -m bench.api [--posts 10000000] [--folder DIR] [--rounds 40] [--stances]      DIR keeps the posts for another run
The whole application answers in memory (routing, token, reading, JSON); the raw questions are SQL over scores, carried
and posts alone, a few times each. Steps are counted before, as rollup does.
"""

import argparse
import asyncio
import contextlib
import random
import statistics
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import httpx
import psutil

from bench._millions import DAYS, FRAMES, NOW, ready
from bench._people import draw_samples, judge_posts, suggest_frames
from services.api import create_api
from services.store import counting, folding, readings, scores, stances
from services.store.pool import Store

V1 = "/api/v1"
TOKEN = "bench"
DAY = timedelta(days=1)
P95_MS = 20.0
WARM = 6
"""Questions that do not count: one for each connection of the pool, which has yet to read the catalogue."""

RAW = {
    "trend": """
with said as (
  select date_bin(%(step)s, c.published_at, 'epoch') as at, count(*) as posts, count(distinct c.author) as authors,
         least(count(distinct c.unit_key), count(distinct c.author)) as units
  from carried c where c.version_id = 1 and c.frame = %(frame)s and c.published_at >= %(since)s
    and (%(source)s::text is null or c.source = %(source)s) and (%(lang)s::text is null or c.lang = %(lang)s) group by 1
), scored as (
  select date_bin(%(step)s, s.bucket, 'epoch') as at, count(*) as posts from scores s
  where s.version_id = 1 and s.bucket >= %(since)s
    and (%(source)s::text is null or s.source = %(source)s) and (%(lang)s::text is null or s.lang = %(lang)s) group by 1
)
select * from scored left join said using (at)""",
    "trends": """
select date_bin(%(step)s, c.published_at, 'epoch') as at, c.frame, count(*) from carried c
where c.version_id = 1 and c.published_at >= %(since)s group by 1, 2""",
    "frames": """
select frame, count(*), count(distinct author), count(distinct unit_key) from carried
where version_id = 1 and published_at >= %(since)s group by 1""",
    "posts": """
select p.*, (select array_agg(frame) from carried c where c.post_id = p.post_id) from posts p
where published_at >= %(since)s and (%(source)s::text is null or source = %(source)s)
  and (%(lang)s::text is null or lang = %(lang)s)
order by published_at desc limit 50""",
    "posts of a frame": """
select p.* from posts p join carried c using (post_id)
where c.version_id = 1 and c.frame = %(frame)s and p.published_at >= %(since)s
  and (%(source)s::text is null or p.source = %(source)s) and (%(lang)s::text is null or p.lang = %(lang)s)
order by p.published_at desc limit 50""",
    "words": """
select p.* from posts p where published_at >= %(since)s and text ilike %(like)s order by published_at desc limit 50""",
}


def words(r):
    """A question by common words."""
    return {"q": r.choice(("palmyra", "lion statue", "\u0422\u0435\u0430\u0442\u0440", "cameras", "convoy -road"))}


def frame(r):
    return {"frame": f"f{r.randint(1, FRAMES)}"}


def source(r):
    return {"source": r.choice(("rss", "mastodon", "bluesky", "telegram", "push"))}


def lang(r):
    return {"lang": r.choice(("en", "ru", "ar", "de", "uk", "und", "mt"))}


def both(*parts):
    return lambda r: {k: v for part in parts for k, v in part(r).items()}


def questions():
    """(name, path, parameters by a source of chance, raw question, step, period) of every list and trend."""
    yield from questions_of_trends()
    yield from questions_of_posts()
    yield from questions_of_people()


def questions_of_trends():
    """Those of trends and of frames."""
    for step, length, period in (("5m", timedelta(minutes=5), DAY), ("1h", timedelta(hours=1), 14 * DAY),
                                 ("1d", DAY, 90 * DAY), ("1w", 7 * DAY, 90 * DAY)):  # fmt: skip
        for name, narrow in (("", frame), (" by source", both(frame, source)), (" by language", both(frame, lang)),
                             (" by both", both(frame, source, lang))):  # fmt: skip
            yield (
                f"trend {step}{name}",
                "/trends",
                lambda r, n=narrow, s=step: {**n(r), "step": s},
                "trend",
                length,
                period,
            )
    hour = timedelta(hours=1)
    yield "trend of all posts 1h", "/trends", lambda _: {"frame": "*", "step": "1h"}, "trend", hour, 14 * DAY
    yield "50 frames 1d", "/trends/several", lambda _: {"step": "1d"}, "trends", DAY, 90 * DAY
    yield "50 frames 1h", "/trends/several", lambda _: {"step": "1h"}, "trends", hour, 14 * DAY
    yield "50 frames 1h by source", "/trends/several", lambda r: {**source(r), "step": "1h"}, "trends", hour, 14 * DAY
    yield "frames", "/frames", lambda _: {}, "frames", DAY, DAY


def questions_of_posts():
    """Those of posts."""
    back = lambda r: {"until": (NOW - r.randint(1, 60) * DAY).isoformat()}  # noqa: E731
    yield "posts", "/posts", lambda _: {}, "posts", DAY, 14 * DAY
    yield "posts by source", "/posts", source, "posts", DAY, 14 * DAY
    yield "posts by language", "/posts", lang, "posts", DAY, 14 * DAY
    yield "posts by both", "/posts", both(source, lang), "posts", DAY, 14 * DAY
    yield (
        "posts until a day",
        "/posts",
        lambda r: {**back(r), "since": (NOW - 90 * DAY).isoformat()},
        "posts",
        DAY,
        90 * DAY,
    )
    yield "posts of a frame", "/posts", frame, "posts of a frame", DAY, 14 * DAY
    yield "posts of a frame by source", "/posts", both(frame, source), "posts of a frame", DAY, 14 * DAY
    yield "posts of a frame by language", "/posts", both(frame, lang), "posts of a frame", DAY, 14 * DAY
    yield "posts of a frame by both", "/posts", both(frame, source, lang), "posts of a frame", DAY, 14 * DAY
    yield "posts by words", "/posts", words, "words", DAY, 14 * DAY
    yield "posts of a frame by words", "/posts", both(frame, words), None, DAY, 14 * DAY
    yield "posts by a rare word", "/posts", lambda r: {"q": f"{r.randint(0, 1_000_002):x}"}, "words", DAY, 14 * DAY


def questions_of_people():
    """Those of what people are told, answer and set up; without raw ones."""
    yield "alerts", "/alerts", lambda _: {}, None, DAY, DAY
    yield "alerts of a frame", "/alerts", frame, None, DAY, DAY
    judge = lambda r: {"judge": f"judge {r.randint(0, 19)}"}  # noqa: E731
    yield "labels", "/labels", lambda _: {}, None, DAY, DAY
    yield "labels of a frame", "/labels", frame, None, DAY, DAY
    yield "labels of a judge", "/labels", judge, None, DAY, DAY
    yield "labels of a judge and frame", "/labels", both(frame, judge), None, DAY, DAY
    yield "samples of a judge and frame", "/samples", both(frame, judge), None, DAY, DAY
    yield "suggestions", "/suggestions", lambda _: {}, None, DAY, DAY
    yield "100 suggestions", "/suggestions", lambda _: {"limit": 100}, None, DAY, DAY
    for name in ("quality", "feeds", "codebooks", "codebooks/changes", "rules", "mutes", "digests", "detection"):
        yield name, f"/{name}", lambda _: {}, None, DAY, DAY


def questions_of_stance():
    """Those that only a house asks that has stance on; without raw ones."""
    stance = lambda r: {"stance": r.choice(("promotes", "disputes", "reports"))}  # noqa: E731
    yield "trend 1h by stance", "/trends", lambda r: {**frame(r), **stance(r), "step": "1h"}, None, DAY, 14 * DAY
    yield "trend 1d by stance", "/trends", lambda r: {**frame(r), **stance(r), "step": "1d"}, None, DAY, 90 * DAY
    yield "50 frames 1d by stance", "/trends/several", lambda r: {**stance(r), "step": "1d"}, None, DAY, 90 * DAY
    yield "posts of a frame by stance", "/posts", lambda r: {**frame(r), **stance(r)}, None, DAY, 14 * DAY


def count_all(store: Store) -> None:
    """What rollup has done by the time anybody reads; since then every step that goes on has changed again."""
    with store.transaction() as tx:
        tx.execute("delete from frame_windows")
        counting.keep(tx, readings.last_hours(NOW, readings.DAY)[1], NOW)
    while True:
        with store.transaction() as tx:
            if folding.count_steps(tx, NOW, 2_000, now=NOW) < 2_000:
                break
    with store.transaction() as tx:
        tx.execute("update trend_points set posts = posts where bucket = (select max(bucket) from trend_points)")


def read_stances(store: Store) -> None:
    """What reading the stance of every carrier leaves, a day at a time."""
    with store.transaction() as tx:
        if stances.any_reader(tx):
            return
        stances.add_reader(tx, scores.register_model(tx, "bench"), "bench", body=b"", now=NOW)
    for day in range(DAYS):
        since = NOW - (day + 1) * DAY
        with store.transaction() as tx:
            tx.execute(
                "update carried set reader_id = (select reader_id from stance_readers limit 1),"
                " stance = (array['promotes', 'promotes', 'disputes', 'reports', 'unclear'])[1 + post_id %% 5]"
                " where published_at >= %s and published_at < %s",
                [since, since + DAY],
            )
            stances.fold_stances(tx, 10_000_000)
        print(f"\rstances of {day + 1} of {DAYS} days", end="", flush=True)
    print()


async def asked(client: httpx.AsyncClient, path: str, params, rounds: int, chance: random.Random):
    """Milliseconds by the clock and by the processor, sorted; after as many that warm the connections of the pool."""
    took, worked = [], []
    for number in range(rounds + WARM):
        about = params(chance)
        used, began = processor_s(), time.perf_counter()
        answer = await client.get(V1 + path, params=about)
        ended = time.perf_counter()
        if number >= WARM:
            took.append((ended - began) * 1e3)
            worked.append((processor_s() - used) * 1e3)
        assert answer.status_code == 200, answer.text
    return sorted(took), sorted(worked)


def processor_s() -> float:
    """Seconds of processor time that this process and its children (the server's processes among them) have had."""
    found = 0
    for task in psutil.Process().children(recursive=True):
        with contextlib.suppress(OSError):
            found += int(Path(f"/proc/{task.pid}/schedstat").read_text().split()[0])
    return time.process_time() + found / 1e9


def raw(store: Store, name: str, params, about, chance: random.Random) -> float:
    """Milliseconds of the same question to the raw tables, asked once."""
    step, since = about
    took = []
    for _ in range(1):
        values = {
            "frame": None,
            "source": None,
            "lang": None,
            "like": None,
            **params(chance),
            "step": step,
            "since": since,
        }
        values["like"] = f"%{values.get('q', '')}%"
        began = time.perf_counter()
        with store.transaction() as tx:
            tx.execute(RAW[name], values).fetchall()
        took.append((time.perf_counter() - began) * 1e3)
    return statistics.median(took)


async def compare(store: Store, rounds: int, *, with_raw: bool) -> None:
    api = create_api(store, now=lambda: NOW, intake=lambda: None, token=TOKEN)
    transport = httpx.ASGITransport(app=api)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    print(f"{'question':32} {'p50 ms':>8} {'p95 ms':>8} {'cpu p50':>8} {'cpu p95':>8} {'raw ms':>9} {'raw ÷ p50':>9}")
    worst: list[str] = []
    async with httpx.AsyncClient(transport=transport, base_url="http://bench", headers=headers) as client:
        with store.transaction() as tx:
            read = stances.any_reader(tx)
        for name, path, params, raw_name, step, period in (*questions(), *(questions_of_stance() if read else ())):
            took, worked = await asked(client, path, params, rounds, random.Random(7))
            p50, p95 = took[len(took) // 2], took[int(len(took) * 0.95)]
            usual, busy = worked[len(worked) // 2], worked[int(len(worked) * 0.95)]
            worst += [name] if busy > P95_MS else []
            line = f"{name:32} {p50:8.1f} {p95:8.1f} {usual:8.1f} {busy:8.1f}"
            if raw_name and with_raw:
                found = raw(store, raw_name, params, (step, NOW - period), random.Random(7))
                line += f" {found:9.1f} {found / p50:9.1f}"
            print(line, flush=True)
    print(f"over {P95_MS:.0f} ms of processor time (what a quiet machine would take): {', '.join(worst) or 'none'}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--posts", type=int, default=10_000_000)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--no-raw", action="store_true")
    parser.add_argument("--stances", action="store_true", help="read the stance of every carrier first")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        server, store = ready(given.folder or Path(folder), given.posts)
        count_all(store)
        judge_posts(store)
        draw_samples(store)
        suggest_frames(store)
        if given.stances:
            read_stances(store)
        print(
            f"{given.posts:,} posts over {DAYS} days, {FRAMES} frames, ready after {time.perf_counter() - began:.0f} s"
        )
        asyncio.run(compare(store, given.rounds, with_raw=not given.no_raw))
        store.close()
        server.stop()


if __name__ == "__main__":
    main()
