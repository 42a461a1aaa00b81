"""Stored posts under an edited codebook of 20 frames: scored, previewed, applied. `python -m bench.rescore [--posts N]`.

Made in the database: posts of 30 days, three languages, two sources, every text distinct. Their vectors are those of the
demo's posts with noise, their wordings those of the demo's posts as they are; so a realistic part of them carries a frame.
Beside it, in the same run: what the transformer would take to read as many texts, from how long it takes for the demo's.
"""

import argparse
import hashlib
import tempfile
import threading
import time
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import psutil
import yaml

from schemas import codebook as files
from services import demo
from services.analysis.editing import add_examples, set_threshold
from services.analysis.text import text_for_encoder
from services.classifier import Heads, learn_codebook, load_encoder
from services.classifier.cores import usable_cores
from services.classifier.wording import packed
from services.embedded.postgres import Postgres
from services.settings import home_of, load
from services.store import applying, changes, counts, feeds, previews, scores
from services.store.migrate import prepare
from services.store.pool import Store
from services.store.posts import ensure_post_partitions
from services.usecases.history import score_texts
from services.usecases.previewing import preview
from tests.api import seeded
from workers.stages.rescore import rescore
from workers.stages.rollup import rollup

FRAMES, DAYS = 20, 30
NOW = datetime(2016, 12, 31, tzinfo=UTC)
SIZES = (10_000, 100_000, 1_000_000)
POSTS = """
with made as (
  select n, %(first)s::timestamptz + n * (interval '30 days' / %(most)s) as at from generate_series(%(since)s, %(until)s - 1) n
), keyed as (
  insert into post_keys (source, native_id, post_id, received_day, content_hash) overriding system value
  select case n %% 3 when 0 then 'rss' else 'jsonl' end, n::text, n + 1, at::date, '' from made
)
insert into posts (received_day, post_id, feed_id, source, native_id, url, author, lang, text, text_hash, unit_key, repost_of,
                   publishers, published_at, time_quality, received_at)
select at::date, n + 1, 1, case n %% 3 when 0 then 'rss' else 'jsonl' end, n::text, '', md5((n %% 50000)::text),
       (array['en', 'ru', 'ar'])[1 + n %% 3], 'post ' || n, sha256(n::text::bytea), substr(sha256((n - n %% 5)::text::bytea), 1, 16),
       '', '{}', at, 'stated', at from made
"""


def codebook_text() -> str:
    """The demo's codebook, its examples dealt out to 20 frames."""
    book = files.parse(demo.codebook_text())
    frames = []
    for i in range(FRAMES):
        frame = book.frames[i % len(book.frames)]
        turn = i // len(book.frames)
        told = frame.model_dump(mode="json", exclude_defaults=True)
        frames.append({**told, "id": f"{frame.id}-{turn}", "examples": list(frame.examples[turn % 2 :: 2])})
    about = {"codebook": "bench", "title": "A benchmark", "frames": frames, "background": list(book.background)}
    return yaml.safe_dump(about, allow_unicode=True, sort_keys=False)


def fill(store, model_id, vectors, wordings, since, until, most):
    with store.transaction() as tx:
        tx.execute(POSTS, {"first": NOW - timedelta(days=DAYS), "since": since, "until": until, "most": most})
    chance = np.random.default_rng(since)
    with (
        store.transaction() as tx,
        tx.cursor() as cursor,
        cursor.copy("copy embeddings (model_id, text_hash, vector, wording) from stdin with (format binary)") as copy,
    ):
        copy.set_types(["int2", "bytea", "bytea", "bytea"])
        for start in range(since, until, 10_000):
            lot = np.arange(start, min(start + 10_000, until))
            noisy = vectors[lot % len(vectors)] + chance.normal(0, 0.01, (len(lot), vectors.shape[1]))
            noisy /= np.linalg.norm(noisy, axis=1, keepdims=True)
            for n, vector in zip(lot.tolist(), noisy.astype("<f2"), strict=True):
                copy.write_row(
                    (
                        model_id,
                        hashlib.sha256(str(n).encode()).digest(),
                        vector.tobytes(),
                        wordings[n % len(wordings)],
                    )
                )
    with store.transaction() as tx:
        tx.execute("analyze")


def applied(store, rt, text):
    """(seconds until readers see it, seconds of scoring in them); two workers, as in a house."""
    began = time.perf_counter()
    with store.transaction() as tx:
        applying.apply(tx, text, NOW, by="bench")
    done = threading.Event()

    def fold():
        while not done.is_set():
            if not rollup(rt).rows:
                time.sleep(0.3)

    folding = threading.Thread(target=fold)
    folding.start()
    while rescore(rt).rows:
        pass
    scored = time.perf_counter() - began
    while True:
        with store.transaction() as tx:
            if not applying.progress(tx):
                break
        time.sleep(0.1)
    took = time.perf_counter() - began
    done.set()
    folding.join()
    return took, scored


def processor_s():
    """Seconds of processor used by this process and the database's, so that other work on the machine can be told apart."""
    children = psutil.Process().children(recursive=True)
    return time.process_time() + sum(sum(p.cpu_times()[:2]) for p in children)


def measure(store, rt, encoder, text, each_s, size):
    heads = learn_codebook(encoder, files.parse(text), text_for_encoder)
    with store.transaction() as tx:
        counts.one_snapshot(tx)
        began, used = time.perf_counter(), processor_s()
        score_texts(tx, heads, previews.find_model(tx, encoder.name), lambda _: None)
        scoring, scoring_cpu = time.perf_counter() - began, processor_s() - used
    told = preview(store, lambda: nullcontext(encoder), text, now=NOW)
    used = processor_s()
    took, scored = applied(store, rt, text)
    applied_cpu = processor_s() - used
    with store.transaction() as tx:
        last = changes.list_changes(tx)[0]
        drifted = counts.trend_identity(tx)["drifted"]
    transformer = each_s * size
    print(
        f"{size:>9,} posts: scored in {scoring:.1f} s ({scoring_cpu:.1f} s of processor), preview {told.took_seconds:.1f} s, applied in "
        f"{took:.1f} s ({applied_cpu:.1f} s of processor; scores written after {scored:.1f} s). The transformer: {transformer:,.0f} s, "
        f"{transformer / scoring:.0f} and {transformer / took:.0f} times as long. {sum(f.after for f in told.frames):,} carried, "
        f"{last['moved']:,} moved, {drifted} points adrift", flush=True,
    )  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--posts", type=int, default=SIZES[-1])
    most = parser.parse_args().posts
    conf = load()
    encoder = load_encoder(conf.model, home_of(conf) / "models", conf.threads)
    texts = [text_for_encoder(p["text"]) for p in demo.posts()]
    began = time.perf_counter()
    vectors = encoder.encode(texts)
    each_s = (time.perf_counter() - began) / len(texts)
    print(f"{usable_cores()} cores, {encoder.name}: {each_s * 1000:.2f} ms a text of the demo", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        server = Postgres(Path(folder))
        server.start()
        try:
            prepare(server.url, NOW.date())
            store = Store(server.url, size=6, statement_timeout_s=600)
            run(store, encoder, vectors, packed(texts), each_s, [s for s in SIZES if s < most] + [most])
            store.close()
        finally:
            server.stop()


def run(store, encoder, vectors, wordings, each_s, sizes):
    rt = replace(
        seeded.runtime(store, NOW), encoder=lambda: encoder, read_heads=Heads.from_bytes, wordings=packed,
        learn=lambda encoder, book, _: learn_codebook(encoder, book, text_for_encoder),
    )  # fmt: skip
    text = codebook_text()
    with store.transaction() as tx:
        ensure_post_partitions(tx, (NOW - timedelta(days=DAYS)).date(), NOW.date())
        model_id = scores.register_model(tx, encoder.name)
        feeds.add_feed(tx, source="rss", address="https://e.org/", title="", now=NOW, interval_s=60)
        applying.apply(tx, text, NOW)
    since = 0
    for turn, size in enumerate(sizes):
        fill(store, model_id, vectors, wordings, since, size, sizes[-1])
        since = size
        edited = set_threshold(text, f"staged-theatrics-{turn % 3}", 0.2 + turn / 20)
        edited = add_examples(edited, "liberators-0", [f"They freed us, and we thank them {turn}"])
        measure(store, rt, encoder, edited, each_s, size)
        with store.transaction() as tx:
            sizes_told = tx.execute(
                "select pg_size_pretty(pg_total_relation_size('embeddings')) as texts, pg_size_pretty(pg_total_relation_size('scores')) as scores, "
                "pg_size_pretty(pg_total_relation_size('posts_20161215')) as day, avg(length(wording))::int as wording from embeddings"
            ).fetchone()
        print(
            f"          on disk: texts {sizes_told['texts']} ({sizes_told['wording']} bytes of wording each), scores of all versions {sizes_told['scores']}"
        )


if __name__ == "__main__":
    main()
