"""How long the console's pages take over many posts, in milliseconds, beside the empty page (sign-in) of the same run.

python -m bench.console [--posts 300000] [--folder FOLDER]: 50 frames, 90 days, five feeds; the server in one process, asked
through its ASGI application, so without the network. FOLDER keeps the posts for the next run.
"""

import argparse
import statistics
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import numpy as np
from starlette.testclient import TestClient

from bench import _millions
from services.classifier.noop import NoopEncoder
from services.console import create_console

ROUNDS = 9
THEN = (_millions.NOW - timedelta(days=60)).date().isoformat()
PAGES = {
    "sign-in (nothing read)": "/sign-in",
    "now, 50 frames": "/",
    "frame, 14 days": "/frames/bench/f3",
    "frame, the commonest": "/frames/bench/f1",
    "frame, 14 days as a share": "/frames/bench/f3?show=share",
    "frame, 7 days by language": "/frames/bench/f3?by=lang&days=7",
    "the same as shares": "/frames/bench/f3?by=lang&days=7&show=share",
    "frame, a year by day": "/frames/bench/f3?days=365",
    "frame, two months ago": f"/frames/bench/f3?until={THEN}",
    "all posts": "/frames/bench/*",
    "posts, two months ago": f"/posts?until={THEN}",
    "alerts, first of 125": "/alerts",
    "feeds": "/feeds",
    "judge": "/judge",
    "codebook": "/codebook",
}


def asked(client: TestClient, path: str, data: dict[str, str] | None = None) -> list[float]:
    """Milliseconds of ROUNDS answers, after one that does not count."""
    told = []
    for i in range(ROUNDS + 1):
        begun = time.perf_counter()
        answer = client.post(path, data=data) if data else client.get(path)
        if i:
            told.append(1000 * (time.perf_counter() - begun))
        assert answer.status_code == 200, (path, answer.status_code)
    return told


def main() -> None:
    """Fill, ask, tell."""
    from contextlib import nullcontext

    parser = argparse.ArgumentParser()
    parser.add_argument("--posts", type=int, default=300_000)
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        server, store = _millions.ready(given.folder or Path(made) / "postgres", given.posts)
        with store.transaction() as tx:
            tx.execute("update models set name = 'noop@1'")
        app = create_console(store, now=lambda: _millions.NOW, borrow=lambda: nullcontext(NoopEncoder()))
        headers = {"Sec-Fetch-Site": "same-origin"}
        with TestClient(app, base_url="http://127.0.0.1", headers=headers) as client:
            print(f"{given.posts:,} posts; median and 95th percentile of {ROUNDS}, ms; times the empty page")
            empty = 0.0
            rows = [*((name, path, None) for name, path in PAGES.items()),
                    ("explore, 3 days", "/explore", {"description": "the ruins are in danger", "days": "3"})]  # fmt: skip
            for name, path, data in rows:
                told = asked(client, path, data)
                median = statistics.median(told)
                empty = empty or median
                print(f"{name:28}{median:8.1f}{np.quantile(told, 0.95):8.1f}{median / empty:8.0f}x", flush=True)
        store.close()
        server.stop()


if __name__ == "__main__":
    main()
