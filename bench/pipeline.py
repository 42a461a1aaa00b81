"""The whole pipeline on 20,000 posts: beside the encoder alone, with the encoder taken out, at rest, and at the start.

python -m bench.pipeline [--posts FILE.jsonl[.gz]] [--count 20000]
"""

import argparse
import gzip
import json
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import httpx

from services import demo
from services.analysis.text import text_for_encoder
from services.classifier import load_encoder
from services.store import codebooks
from tests.living import Living, living
from tests.waiting import wait

MODELS = Path(tempfile.gettempdir()) / "framewatch-bench-models"


def sample(count: int) -> Iterator[dict[str, Any]]:
    """The bundled posts over and over, each round with words of its own, so that its texts are distinct."""
    posts = demo.posts()
    for i in range(count):
        post, turn = posts[i % len(posts)], i // len(posts)
        at = datetime.fromisoformat(post["published_at"]) + timedelta(seconds=turn)
        text = f"{post['text']} ({turn})" if turn else post["text"]
        yield {**post, "id": f"{post['id']}-{turn}", "text": text, "published_at": at.isoformat()}


def real(path: Path, count: int) -> Iterator[dict[str, Any]]:
    """The first posts of a file."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as lines:
        yield from (json.loads(line) for line in islice(lines, count))


def prepared(home: Path, posts: list[dict[str, Any]]) -> Path:
    """A file of posts and a codebook, ready for a house in this home."""
    home.mkdir(parents=True, exist_ok=True)
    if not (home / "models").exists():
        MODELS.mkdir(exist_ok=True)
        (home / "models").symlink_to(MODELS)
    (home / "codebook.yaml").write_text(demo.codebook_text(), encoding="utf-8")
    path = home / "posts.jsonl"
    path.write_text("".join(json.dumps(p, ensure_ascii=False) + "\n" for p in posts), encoding="utf-8")
    return path


def through(home: Path, posts: list[dict[str, Any]], model: str) -> tuple[float, str]:
    """(posts a second end to end, what `replay` printed)."""
    path = prepared(home, posts)
    with living(home, model=model) as house:
        house.cli("codebook", "apply", str(home / "codebook.yaml"))
        # The worker has its model and its heads before the clock starts, as the rival below has its model.
        wait(lambda: learned(house), 60)
        began = time.monotonic()
        told = house.cli("replay", str(path)).stdout
        rate = len(posts) / (time.monotonic() - began)
        house.cli("verify")
        report_memory(house)
    return rate, told


def learned(house: Living) -> bool:
    """Whether the codebook has been learned."""
    store = house.store()
    with store.transaction() as tx:
        ready = all(codebooks.models_of(tx, v["version_id"]) for v in codebooks.current_codebooks(tx))
    store.close()
    return ready


def report_memory(house: Living) -> None:
    """Print the memory of everything that runs."""
    sizes = house.memory()
    parts = ", ".join(f"{name} {size / 2**20:.0f}" for name, size in sorted(sizes.items(), key=lambda p: -p[1])[:8])
    print(f"  memory of everything: {sum(sizes.values()) / 2**20:,.0f} MB ({parts})")


def alone(posts: list[dict[str, Any]]) -> float:
    """Distinct texts a second of the encoder with nothing else running."""
    encoder = load_encoder("", MODELS, 0)
    texts = list(dict.fromkeys(text_for_encoder(p["text"]) for p in posts))
    encoder.encode(texts[:256])
    began = time.monotonic()
    encoder.encode(texts)
    return len(texts) / (time.monotonic() - began)


def at_rest(home: Path, seconds: float = 60.0) -> None:
    """Idle processor share after the demonstration, and the time from the command to the first trend."""
    prepared(home, [])
    load_encoder("", MODELS, 0)
    began = time.monotonic()
    with living(home, "--demo") as house:
        base = house.run["addresses"]["api"]

        def first_trend() -> bool:
            try:
                points = httpx.get(f"{base}/trends", params={"frame": "*", "step": "1d"}, timeout=2).json()["points"]
            except (httpx.HTTPError, ValueError, KeyError):
                return False
            return any(p["posts"] for p in points)

        wait(first_trend, 60)
        print(f"  from the command to the first trend: {time.monotonic() - began:.1f} s (limit 15)")
        wait(lambda: "replay is over" in (home / "up.log").read_text(), 90)
        print(f"  from the command to the end of the replay, alerts told: {time.monotonic() - began:.1f} s (limit 60)")
        time.sleep(10)
        spent, began = house.cpu_seconds(), time.monotonic()
        time.sleep(seconds)
        share = (house.cpu_seconds() - spent) / (time.monotonic() - began)
        print(f"  idle: {share:.1%} of a core over {seconds:.0f} s (limit 3 %)")
        report_memory(house)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--posts", type=Path)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--only", choices=["rest", "noop", "model"])
    options = parser.parse_args()
    posts = list(real(options.posts, options.count) if options.posts else sample(options.count))
    texts = len({text_for_encoder(p["text"]) for p in posts})
    origin = options.posts.name if options.posts else "bundled sample posts, repeated"
    print(f"pipeline: {len(posts):,} posts, {texts:,} distinct texts ({origin})")
    with tempfile.TemporaryDirectory(prefix="framewatch-bench-") as folder:
        if options.only in (None, "rest"):
            print("- at the start and at rest")
            at_rest(Path(folder) / "rest")
        if options.only in (None, "noop"):
            print("- encoder replaced by a no-op")
            rate, told = through(Path(folder) / "noop", posts, "noop")
            print(f"  {rate:,.0f} posts/s end to end; ratio to the limit of 2,000: {rate / 2000:.2f}\n{indented(told)}")
        if options.only in (None, "model"):
            print("- the default encoder")
            load_encoder("", MODELS, 0)
            before = alone(posts)
            rate, told = through(Path(folder) / "model", posts, "")
            encoder = (before + alone(posts)) / 2
            distinct = rate * texts / len(posts)
            print(
                f"  encoder alone {encoder:,.0f} texts/s; pipeline {distinct:,.0f} distinct texts/s ({rate:,.0f} posts/s)"
            )
            print(f"  posts/s end to end ÷ texts/s alone: {rate / encoder:.2f}; distinct texts only: {distinct / encoder:.2f}"
                  f" (limit 0.7)\n{indented(told)}")  # fmt: skip


def indented(text: str) -> str:
    return "\n".join("  " + line for line in text.splitlines())


if __name__ == "__main__":
    main()
