"""Suggestions of emerging frames: whether a frame that nobody watches for is found, and what a large night costs.

python -m bench.emerging [--hidden] [--night 200000] [--vectors FOLDER]

`--hidden` takes each frame of the bundled codebook out in turn and looks whether its posts come back as a suggestion,
and what the drafted frame is worth when it is adopted as it stands. `--night` groups that many unmatched posts in a
Postgres of its own; their vectors are those of `--vectors` (*.npy, 16-bit floats, a row a text) with a little noise, or
made up: a tenth in stories, the rest anywhere. Without options: both, and 20,000 posts.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np

from schemas import codebook as files
from services import demo, settings
from services.analysis import clustering, drafting, ranking, terms
from services.analysis.text import text_for_encoder
from services.classifier import CARRIES, learn_codebook, load_encoder
from services.cli.evaluate import Remembering
from services.embedded.postgres import Postgres
from services.store import applying, scores
from services.store.migrate import prepare
from services.store.pool import Store
from services.usecases.suggesting import claim, slot_of, suggest

UNTIL = datetime(2016, 12, 15, tzinfo=UTC)
LANGS = ("en", "ru", "ar")


def hidden():
    encoder = Remembering(load_encoder("", settings.home_of(settings.load()) / "models", 2, "cpu"))
    book = files.parse(demo.codebook_text())
    posts = list({text_for_encoder(p["text"]): p for p in reversed(demo.posts())}.values())
    texts = [text_for_encoder(p["text"]) for p in posts]
    vectors = encoder.encode(texts).astype(np.float16)
    print(f"{len(posts)} distinct sample posts; a frame hidden in turn, the others learned from the codebook")
    print("hidden                 posts unmatched | best group: rank of  size prec. recall  langs |"
          " near misses | adopted as drafted: prec. recall")  # fmt: skip
    sums = []
    for frame in book.frames:
        rest = book.model_copy(update={"frames": tuple(f for f in book.frames if f.id != frame.id)})
        told = _hide(encoder, rest, frame.id, (posts, texts, vectors))
        sums.append(told)
        print(f"{frame.id:24} {told['posts']:3} {told['unmatched']:9} | {told['rank']:15} {told['groups']:2}"
              f"  {told['size']:4}  {told['precision']:.2f}   {told['recall']:.2f}  {told['langs']:8} |"
              f" {told['near']:11} | {told['drafted_precision']:24.2f} {told['drafted_recall']:6.2f}")  # fmt: skip
        print(f"{'':24} {told['title']}")
    names = ("precision", "recall", "drafted_precision", "drafted_recall")
    print("mean: " + ", ".join(f"{n.replace('_', ' ')} {np.mean([s[n] for s in sums]):.2f}" for n in names))
    found = sum(s["precision"] >= 0.5 and s["recall"] >= 0.3 for s in sums)
    first = sum(s["rank"] <= 3 for s in sums)
    print(
        f"{found} of {len(sums)} come back (a group mostly of the frame, with 0.3 of its posts); {first} among the first 3"
    )


def _hide(encoder, rest, name, known):
    posts, texts, vectors = known
    unmatched = _answers(encoder, rest, texts, vectors)
    rows = np.flatnonzero(unmatched)
    truth = np.array([name in posts[i]["frames"] for i in rows])
    langs = [posts[i]["lang"] for i in rows]
    points = clustering.centred(vectors[rows], langs)
    groups = clustering.cluster(points)
    members = clustering.members(groups)
    said = [ranking.Post(int(i), datetime.fromisoformat(posts[i]["published_at"]).timestamp(), posts[i]["author"], (),
                         posts[i]["lang"]) for i in rows]  # fmt: skip
    stream = np.array([u for _, u in ranking.by_day(said, UNTIL)], float)
    coherence = clustering.coherence(points, groups)
    standings = [
        ranking.standing([said[i] for i in m], stream, UNTIL, c) for m, c in zip(members, coherence, strict=True)
    ]
    order = sorted((g for g in range(len(members)) if standings[g].worth),
                   key=lambda g: -standings[g].parts.score)  # fmt: skip
    best = max(order, key=lambda g: truth[members[g]].sum() ** 2 / len(members[g]), default=None)
    if best is None:
        raise SystemExit(f"{name}: no group at all")
    around = clustering.around(points, groups, clustering.middles(points, groups)[best], best, (1000, 12))
    inside, near = ([posts[rows[i]] for i in part] for part in (around.inside, around.near))
    outside = [(langs[i], posts[rows[i]]["text"]) for i in range(len(rows)) if groups[i] != best]
    words = [t.plain() for t in terms.terms([(p["lang"], p["text"]) for p in inside], outside)]
    draft = drafting.draft(1, words, inside, near)
    frames = (*rest.frames, draft)
    heads = learn_codebook(encoder, rest.model_copy(update={"frames": frames}), text_for_encoder)
    all_true = np.array([name in p["frames"] for p in posts])
    taught = {text_for_encoder(t) for t in (*draft.examples, *draft.counterexamples)}
    fresh = np.array([t not in taught for t in texts])
    column = heads.answers(heads.scores(vectors.astype(np.float32), texts))[:, -1] == 1
    hit = (column & all_true & fresh).sum()
    counts = {lang: sum(p["lang"] == lang for p in inside) for lang in LANGS}
    against = {p["id"] for p in near if drafting.readable(p["text"]) in draft.counterexamples}
    wrong = sum(name in p["frames"] for p in near if p["id"] in against)
    return {
        "posts": int(all_true.sum()), "unmatched": int(truth.sum()), "rank": order.index(best) + 1, "groups": len(order),
        "size": len(inside), "precision": truth[members[best]].mean(),
        "recall": truth[members[best]].sum() / max(truth.sum(), 1), "langs": "/".join(str(counts[n]) for n in LANGS),
        "near": f"{wrong} of {len(against)}", "drafted_precision": hit / max((column & fresh).sum(), 1),
        "drafted_recall": hit / max((all_true & fresh).sum(), 1), "title": draft.title,
    }  # fmt: skip


def _answers(encoder, book, texts, vectors):
    heads = learn_codebook(encoder, book, text_for_encoder)
    answers = heads.answers(heads.scores(vectors.astype(np.float32), texts))
    return (answers != CARRIES).all(axis=1)


def made_up(count, folder, rng):
    """(vectors, langs): real ones with a little noise, or stories among texts about anything."""
    langs = rng.choice(3, count, p=(0.6, 0.3, 0.1))
    if folder:
        real = np.concatenate([np.load(f) for f in sorted(Path(folder).glob("*.npy"))]).astype(np.float32)
        told = real[rng.integers(0, len(real), count)]
        return told + rng.normal(0, 0.35 / np.sqrt(told.shape[1]), told.shape), langs
    told = rng.normal(size=(count, 384))
    stories = max(1, count // 2000)
    middles = rng.normal(size=(stories, 384))
    mine = np.flatnonzero(rng.random(count) < 0.1)
    told[mine] = middles[rng.integers(0, stories, len(mine))] + told[mine] * 0.5
    return told + 2 * rng.normal(size=(3, 384))[langs], langs


def fill(store, count, folder):
    """That many unmatched posts of fourteen days, each a unit, as classify leaves them."""
    rng = np.random.default_rng(0)
    vectors, langs = made_up(count, folder, rng)
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype("<f2")
    at = [UNTIL - timedelta(seconds=float(s)) for s in rng.uniform(0, 14 * 86_400, count)]
    authors = rng.integers(0, max(count // 5, 1), count)
    with store.transaction() as tx:
        _, version = applying.apply(tx, demo.codebook_text(), UNTIL)
        model = scores.register_model(tx, "bench")
        tx.execute("select ensure_post_partitions(%s, %s)", (date(2016, 12, 1), date(2016, 12, 15)))
    version_id = version["version_id"]
    with store.transaction() as tx:
        with tx.cursor().copy("copy embeddings (model_id, text_hash, vector) from stdin with (format binary)") as copy:
            copy.set_types(["int2", "bytea", "bytea"])
            for i in range(count):
                copy.write_row((model, i.to_bytes(32, "big"), vectors[i].tobytes()))
        with tx.cursor().copy(
            "copy posts (received_day, post_id, feed_id, source, native_id, url, author, lang, text, text_hash, unit_key, "
            "repost_of, publishers, published_at, time_quality, received_at) from stdin"
        ) as copy:
            for i in range(count):
                text = f"word{i % 997} said{i % 31} that{i % 7} everybody{authors[i] % 101} heard it {i}"
                copy.write_row((at[i].date(), i + 1, 1, "rss", str(i), "", f"a{authors[i]}", LANGS[langs[i]], text,
                                i.to_bytes(32, "big"), i.to_bytes(16, "big"), "", [], at[i], "stated", at[i]))  # fmt: skip
        tx.execute(
            "insert into post_keys (source, native_id, post_id, received_day, content_hash) overriding system value "
            "select source, native_id, post_id, received_day, '' from posts"
        )
        tx.execute(
            "insert into scores (version_id, post_id, model_id, bucket, source, lang, probabilities, uncertain) "
            "select %s, post_id, %s, published_at, source, lang, '{}', '{}' from posts",
            (version_id, model),
        )
    with store.transaction() as tx:
        for table in ("posts", "scores", "post_keys", "embeddings"):
            tx.execute(f"analyze {table}")


def one(url):
    """Group in this process, and print what it took."""
    store = Store(url, size=2, name="bench")
    began, cpu = time.perf_counter(), time.process_time()
    last = [began]

    def tell(what):
        now = time.perf_counter()
        print(f"  {now - last[0]:6.1f} s until: {what}", file=sys.stderr, flush=True)
        last[0] = now

    claimed = claim(store, slot_of(UNTIL), timedelta(hours=1))
    told = suggest(store, claimed, present=UNTIL, now=UNTIL, tell=tell)
    tell("settled")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": time.perf_counter() - began, "cpu": time.process_time() - cpu, "peak_mb": peak,
                      "posts": told.posts, "grouped": told.grouped, "suggestions": told.suggestions}))  # fmt: skip
    store.close()


def night(count, folder):
    with tempfile.TemporaryDirectory() as home:
        server = Postgres(Path(home) / "home")
        server.start()
        try:
            prepare(server.url, date(2016, 12, 1))
            store = Store(server.url, size=2, name="bench")
            fill(store, count, folder)
            store.close()
            done = subprocess.run([sys.executable, "-m", "bench.emerging", "--one", server.url], check=True, text=True,
                                  stdout=subprocess.PIPE)  # fmt: skip
        finally:
            server.stop()
    told = json.loads(done.stdout)
    print(f"{count:,} unmatched posts ({'real vectors with noise' if folder else 'made-up vectors'}), "
          f"{len(os.sched_getaffinity(0))} cores, load {os.getloadavg()[0]:.1f}: {told['seconds']:.0f} s "
          f"({told['cpu']:.0f} s of processor time), {told['peak_mb']:,.0f} MB at most; {told['grouped']:,} in groups, "
          f"{told['suggestions']} suggestions")  # fmt: skip


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--hidden", action="store_true")
    options.add_argument("--night", type=int)
    options.add_argument("--vectors", default="")
    options.add_argument("--one", help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.one:
        one(given.one)
        return
    if given.hidden or not given.night:
        hidden()
    if given.night or not given.hidden:
        night(given.night or 20_000, given.vectors)


if __name__ == "__main__":
    main()
