"""What the console's first page takes in houses of few and of many frames: milliseconds, processor time of Python, kilobytes.

python -m bench.now [--frames 50 60 200 400]: two weeks of verdicts of each frame, one frame in twenty with a burst within the
week; asked through the ASGI application, so without the network. Ratios are to the first house.
"""

import argparse
import statistics
import tempfile
import time
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path

from starlette.testclient import TestClient

from services.classifier.noop import NoopEncoder
from services.console import create_console
from services.embedded.postgres import Postgres
from services.store import codebooks, feeds
from services.store.migrate import prepare
from services.store.pool import Store

NOW = datetime(2026, 6, 1, tzinfo=UTC)
SINCE = NOW - timedelta(days=14)
ROUNDS = 15
SEED = (
    "select setseed(0.42)",
    """insert into carried select %(version)s, 'f' || f, at, 100000 * f + n, date_bin('5 min', at, 'epoch'), 'rss', 'en', md5((n %% 37)::text),
    decode(md5((100000 * f + n)::text), 'hex'), .9
    from generate_series(1, %(frames)s) f, generate_series(1, 48) n, lateral (select %(now)s::timestamptz - n * interval '1 h' as at) t""",
    """insert into trend_points select version_id, frame, bucket, source, lang, count(*), count(*), count(distinct author)
    from carried where version_id = %(version)s group by 1, 2, 3, 4, 5""",
    """insert into trend_points select %(version)s, '*', bucket, source, lang, 4 * sum(posts), 0, 0 from trend_points
    where version_id = %(version)s group by bucket, source, lang""",
    """insert into verdicts select %(version)s, 'f' || f, h, n, n, 3.5, 9, .2, 1,
    case when f %% 20 = 0 and h > %(now)s::timestamptz - interval '3 days' and n > 7 then 'burst' else 'ok' end
    from (select f, h, (random() * (case when f %% 20 = 0 then 9 else 6 end))::int as n from generate_series(1, %(frames)s) f,
    generate_series(%(since)s::timestamptz, %(now)s::timestamptz - interval '1 hour', '1 hour') h) t""",
    "analyze",
)


def furnish(store: Store, frames: int) -> None:
    """A current codebook of so many frames, and nothing current beside it."""
    with store.transaction() as tx:
        tx.execute("update codebooks set state = 'retired'")
        name = f"house-{frames}"
        version, _ = codebooks.add_codebook(tx, codebook=name, title="Bench", body="", state="current", now=SINCE)
        told = [{"id": f"f{i}", "title": f"Frame {i}", "description": "What it says."} for i in range(1, frames + 1)]
        codebooks.add_frames(tx, version, told)
        for query in SEED:
            tx.execute(query, {"version": version, "frames": frames, "now": NOW, "since": SINCE})


def main() -> None:
    """Furnish, ask, tell."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--frames", type=int, nargs="+", default=[50, 60, 200, 400])
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        server = Postgres(Path(made) / "postgres")
        server.start()
        prepare(server.url, NOW.date())
        store = Store(server.url, size=2, name="bench", statement_timeout_s=600)
        with store.transaction() as tx:
            feed_id, _ = feeds.add_feed(tx, source="rss", address="a", title="", now=SINCE, interval_s=60)
            feeds.add_heard(tx, feed_id, SINCE, NOW)
        app = create_console(store, now=lambda: NOW, borrow=lambda: nullcontext(NoopEncoder()))
        with TestClient(app, base_url="http://127.0.0.1", headers={"Sec-Fetch-Site": "same-origin"}) as client:
            first = 0.0
            for frames in given.frames:
                furnish(store, frames)
                clock, busy = [], []
                for _ in range(ROUNDS + 1):
                    began, worked = time.perf_counter(), time.process_time()
                    answer = client.get("/")
                    clock.append(1000 * (time.perf_counter() - began))
                    busy.append(1000 * (time.process_time() - worked))
                told = statistics.median(busy[1:])
                first = first or told
                print(
                    f"{frames:4} frames: {statistics.median(clock[1:]):6.0f} ms, {told:6.0f} ms of processor"
                    f" ({told / first:.2f}x), {len(answer.content) / 1000:6.0f} kB, {answer.text.count('<svg')} drawings",
                    flush=True,
                )
        store.close()
        server.stop()


if __name__ == "__main__":
    main()
