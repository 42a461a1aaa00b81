"""Near copies: what is found and what is merged wrongly beside an exact check, and what a post costs as history grows.

python -m bench.duplicates --posts FILE.jsonl[.gz] [--count 20000] [--history 10000 1000000]
"""

import argparse
import math
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from bench.pipeline import real
from schemas.records import FetchedPost, StoredPost
from services.analysis.duplicates import BANDS, RUN, SHORTEST, bands, letters_of, unit_key
from services.analysis.grouping import Newcomer, Owner, Place, bands_of, group
from services.analysis.intake import Intake
from services.embedded.postgres import Postgres
from services.store import posts as posts_store
from services.store import units
from services.store.migrate import prepare
from services.store.pool import Store

PAGE = 2_000
ALIKE = 0.8
Pair = tuple[int, int]


def runs(letters: str) -> set[str]:
    return {letters[i : i + RUN] for i in range(len(letters) - RUN + 1)}


def alike_pairs(texts: list[str]) -> dict[Pair, float]:
    """Every pair of texts of a Jaccard similarity of ALIKE and more: exact, by the rarest runs that such a pair must share."""
    sets = [runs(text) for text in texts]
    often = Counter(run for found in sets for run in found)
    seen: dict[str, list[int]] = defaultdict(list)
    pairs: dict[Pair, float] = {}
    for i, mine in enumerate(sets):
        rare = sorted(mine, key=lambda run: (often[run], run))[: len(mine) - math.ceil(ALIKE * len(mine)) + 1]
        for j in {j for run in rare for j in seen[run]}:
            common = len(mine & sets[j])
            value = common / (len(mine) + len(sets[j]) - common)
            if value >= ALIKE:
                pairs[j, i] = value
        for run in rare:
            seen[run].append(i)
    return pairs


def grouped(letters: list[str]) -> list[bytes]:
    """The unit of each post, page by page, as the store gives them."""
    owners: dict[Place, Owner] = {}
    found: list[bytes] = []
    for at in range(0, len(letters), PAGE):
        newcomers = [Newcomer("x", str(at + i), unit_key(text), text) for i, text in enumerate(letters[at : at + PAGE])]
        told = group(newcomers, bands_of(newcomers), owners, {})
        owners |= told.made
        found += [told.units[n.native_id] for n in newcomers]
    return found


def quality(texts: list[str]) -> None:
    letters = [letters_of(text) for text in texts]
    often = Counter(text for text in letters if len(text) >= SHORTEST)
    first = {text: i for i, text in reversed(list(enumerate(letters)))}
    distinct = list(often)
    exact = alike_pairs(distinct)
    unit = grouped(letters)
    groups: dict[bytes, list[int]] = defaultdict(list)
    for i, text in enumerate(distinct):
        groups[unit[first[text]]].append(i)
    merged = {(a, b) for held in groups.values() for n, a in enumerate(held) for b in held[n + 1 :]}
    likely = {pair: exact.get(pair) or similarity(distinct[pair[0]], distinct[pair[1]]) for pair in merged}

    def weight(pairs: Iterable[Pair]) -> int:
        return sum(often[distinct[a]] * often[distinct[b]] for a, b in pairs)

    equal = sum(n * (n - 1) // 2 for n in often.values())
    both = merged & exact.keys()
    print(f"- {len(texts):,} posts, {len(distinct):,} distinct texts of {SHORTEST} letters and more")
    print(f"  pairs of texts alike (Jaccard of {RUN}-letter runs >= {ALIKE}): {len(exact):,}, of which merged {len(both):,}:"
          f" recall {len(both) / max(len(exact), 1):.4f}")  # fmt: skip
    print(f"  pairs of texts merged: {len(merged):,}; precision {len(both) / max(len(merged), 1):.4f};"
          f" below 0.7: {sum(v < 0.7 for v in likely.values()):,}, below 0.5: {sum(v < 0.5 for v in likely.values()):,}")  # fmt: skip
    told, should = equal + weight(merged), equal + weight(exact)
    print(f"  pairs of posts, equal texts included: recall {(equal + weight(both)) / max(should, 1):.4f},"
          f" precision {(equal + weight(both)) / max(told, 1):.5f} of {told:,} merged")  # fmt: skip
    sizes = Counter(unit)
    print(
        f"  units of five posts and more: {sum(n >= 5 for n in sizes.values()):,}; the largest: {max(sizes.values()):,}"
    )


def similarity(one: str, other: str) -> float:
    a, b = runs(one), runs(other)
    return len(a & b) / len(a | b)


def voices(posts: list[dict[str, Any]]) -> None:
    """min(texts, authors) beside the components that share a text or an author, over hours and days."""
    unit = grouped([letters_of(p["text"]) for p in posts])
    for name, length in (("hours", 13), ("days", 10)):
        steps: dict[str, list[int]] = defaultdict(list)
        for i, post in enumerate(posts):
            steps[post["published_at"][:length]].append(i)
        least, parts, matched = [], [], []
        for held in steps.values():
            pairs = {(unit[i], posts[i]["author"]) for i in held}
            least.append(min(len({t for t, _ in pairs}), len({a for _, a in pairs})))
            parts.append(components(pairs))
            matched.append(matching(pairs))
        ratio = [a / b for a, b in zip(least, matched, strict=True)]
        print(f"- {len(steps)} {name}: sum of min(texts, authors) {sum(least):,}; largest set of posts that share neither text nor"
              f" author {sum(matched):,} (median ratio {median(ratio):.3f}, most {max(ratio):.3f}); components {sum(parts):,}")  # fmt: skip


def components(pairs: set[tuple[bytes, str]]) -> int:
    parent: dict[Any, Any] = {}

    def root(node: Any) -> Any:
        while parent.setdefault(node, node) != node:
            parent[node] = node = parent[parent[node]]
        return node

    for text, author in pairs:
        parent[root(("text", text))] = root(("author", author))
    return len({root(node) for node in list(parent)})


def matching(pairs: set[tuple[bytes, str]]) -> int:
    """Size of the largest matching of texts and authors."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import maximum_bipartite_matching

    texts = {t: i for i, t in enumerate(sorted({t for t, _ in pairs}))}
    authors = {a: i for i, a in enumerate(sorted({a for _, a in pairs}))}
    rows, cols = [texts[t] for t, _ in pairs], [authors[a] for _, a in pairs]
    graph = csr_array(([1] * len(rows), (rows, cols)), shape=(len(texts), len(authors)))
    return int((maximum_bipartite_matching(graph, perm_type="column") >= 0).sum())


def host_cost(texts: list[str]) -> None:
    began = time.process_time()
    letters = [letters_of(text) for text in texts]
    folded = time.process_time()
    bands(letters)
    print(f"- processor time a post: letters {(folded - began) / len(texts) * 1e6:.1f} µs,"
          f" bands {(time.process_time() - folded) / len(texts) * 1e6:.1f} µs")  # fmt: skip


def stored(posts: list[dict[str, Any]], tag: str) -> list[StoredPost]:
    fetched = [
        FetchedPost(
            f"{tag}-{p['id']}", p["text"], datetime.fromisoformat(p["published_at"]), author=p["author"], lang="en"
        )
        for p in posts
    ]
    return Intake(b"k" * 16, str).rows("jsonl", fetched, datetime.now(UTC))


def growth(posts: list[dict[str, Any]], history: list[int]) -> None:
    """Look-up, decision and new bands of a post beside the storing of it, with so many texts remembered."""
    with tempfile.TemporaryDirectory(prefix="framewatch-bench-") as folder:
        server = Postgres(Path(folder))
        server.start()
        try:
            now = datetime.now(UTC)
            prepare(server.url, now.date())
            store = Store(server.url, statement_timeout_s=600)
            for size in history:
                remember(store, size, now)
                measure(store, posts, size, now)
            store.close()
        finally:
            server.stop()


def remember(store: Store, texts: int, now: datetime) -> None:
    with store.transaction() as tx:
        tx.execute("truncate near_bands, posts, post_keys, queue")
        tx.execute("alter table near_bands drop constraint near_bands_pkey; drop index near_bands_used_on")
        tx.execute(
            "insert into near_bands (band, place, post_id, used_on)"
            " select ((random() - 0.5) * 1.8e19)::numeric::bigint, 0, -1 - n / %s, %s::date - (random() * 13)::int"
            " from generate_series(1, %s) n",
            (BANDS, now.date(), texts * BANDS),
        )
        tx.execute("delete from near_bands a using near_bands b where a.band = b.band and a.ctid < b.ctid")
        tx.execute(
            "alter table near_bands add primary key (band, place); create index near_bands_used_on on near_bands (used_on)"
        )
    with store.transaction() as tx:
        tx.execute("analyze near_bands")


def measure(store: Store, posts: list[dict[str, Any]], size: int, now: datetime) -> None:
    looked, settled, inserted = [], [], []
    for at in range(0, len(posts), PAGE):
        rows = stored(posts[at : at + PAGE], str(size))
        page = {b for bands_here in bands([r.letters for r in rows]) for b in bands_here}
        with store.transaction() as tx:
            began = time.perf_counter()
            units.find_owners(tx, sorted(page), now.date())
            looked.append((time.perf_counter() - began) / len(rows))
            began = time.perf_counter()
            fresh = units.find_fresh(tx, "jsonl", {r.native_id: posts_store.content_hash(r) for r in rows})
            chosen = units.choose_units(tx, [r for r in rows if r.native_id in fresh], "jsonl", now.date())
            first = time.perf_counter() - began
            began = time.perf_counter()
            posts_store.insert_posts(tx, chosen.posts, feed_id=1, source="jsonl", received_at=now)
            inserted.append((time.perf_counter() - began) / len(rows))
            began = time.perf_counter()
            units.remember(tx, chosen, "jsonl", now.date())
            settled.append((time.perf_counter() - began + first) / len(rows))
    with store.transaction() as tx:
        bytes_ = tx.execute(
            "select pg_total_relation_size('near_bands') as n, count(*) as rows from near_bands"
        ).fetchone()
    assert bytes_
    print(f"- {size:,} texts remembered ({bytes_['rows']:,} bands, {bytes_['n'] / 2**20:,.0f} MB with indices): look-up alone"
          f" {median(looked) * 1e6:.1f} µs a post, unit chosen and bands made {median(settled) * 1e6:.1f} µs,"
          f" beside storing the post {median(inserted) * 1e6:.1f} µs")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--posts", type=Path, required=True)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--history", type=int, nargs="*", default=[10_000, 1_000_000])
    options = parser.parse_args()
    posts = list(real(options.posts, options.count))
    texts = [p["text"] for p in posts]
    host_cost(texts)
    quality(texts)
    voices(posts)
    if options.history:
        growth(posts, options.history)


if __name__ == "__main__":
    main()
