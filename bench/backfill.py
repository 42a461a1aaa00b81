"""Back-fills of JSON lines: rows a second and peak memory, page by page through the source, beside json.loads alone.

python -m bench.backfill [--rows 10000 100000 1000000] [--web]
"""

import argparse
import gzip
import json
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.pipeline import sample
from schemas.records import Feed
from services.fetch import Fetcher
from services.sources import Means, source_for

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
PAGE = 2000


def write(path: Path, rows: int) -> None:
    """Sample posts as a plain file and a gzip one beside it."""
    with path.open("wb") as plain, gzip.open(f"{path}.gz", "wb", compresslevel=6) as packed:
        for post in sample(rows):
            line = json.dumps(post, ensure_ascii=False).encode() + b"\n"
            plain.write(line)
            packed.write(line)


def back_fill(folder: Path, address: str, allowed: str = "") -> tuple[int, int]:
    """(posts, pages), every cursor sent through JSON as the database does."""
    source = source_for("jsonl", Means(Fetcher(allow_networks=allowed), folder))
    feed = Feed(1, "jsonl", address, "", "enabled", "wall", {"page": PAGE}, {}, timedelta(hours=1), None, 0)
    posts = pages = 0
    while True:
        page = source.fetch(feed, NOW)
        posts, pages = posts + len(page.posts), pages + 1
        feed = replace(feed, cursor=json.loads(json.dumps(dict(page.cursor))))
        if not page.more:
            return posts, pages


def bare(folder: Path, address: str) -> tuple[int, int]:
    """(rows, 0) of json.loads over the same lines, unpacked in one go."""
    opener = gzip.open if address.endswith(".gz") else open
    with opener(folder / address, "rb") as lines:
        return sum(1 for line in lines if json.loads(line)), 0


def by_web(folder: Path, address: str) -> tuple[int, int]:
    """The same as `back_fill`, from a server of the file that knows ranges."""
    from tests.fetch.servers import serve
    from tests.sources.ranged import ranged

    with serve(ranged((folder / address).read_bytes())) as server:
        return back_fill(folder, f"{server.url}/{address}", server.allowed)


WAYS = {"json.loads": bare, "pages": back_fill, "web": by_web}


def measure(way: str, folder: Path, address: str) -> tuple[int, int, float, float]:
    """(rows, pages, seconds, peak MB above the start) in a process of its own."""
    call = [sys.executable, "-m", "bench.backfill", "--one", way, str(folder), address]
    return tuple(json.loads(subprocess.run(call, check=True, capture_output=True, text=True).stdout))


def one(way: str, folder: str, address: str) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.process_time()
    rows, pages = WAYS[way](Path(folder), address)
    spent = time.process_time() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps([rows, pages, spent, (peak - before) / 1024]))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--web", action="store_true", help="Also from a server; its own time is in the figure.")
    parser.add_argument("--one", nargs=3)
    options = parser.parse_args()
    if options.one:
        one(*options.one)
        return
    print(f"back-fill: pages of {PAGE:,}, processor time; json.loads of the same lines in the same run")
    for rows in options.rows:
        with tempfile.TemporaryDirectory(prefix="framewatch-bench-") as folder:
            write(Path(folder) / "posts.jsonl", rows)
            for name in ("posts.jsonl", "posts.jsonl.gz"):
                _, _, floor, _ = measure("json.loads", Path(folder), name)
                for way in ("pages", "web") if options.web else ("pages",):
                    posts, pages, spent, peak = measure(way, Path(folder), name)
                    assert posts == rows, (posts, rows)
                    print(
                        f"  {rows:>9,} rows {name:14} {way:5} {pages:>4} pages  {rows / spent:>8,.0f} rows/s, "
                        f"{spent / floor:4.1f} x the time of json.loads ({rows / floor:,.0f}), peak +{peak:.0f} MB",
                        flush=True,
                    )


if __name__ == "__main__":
    main()
