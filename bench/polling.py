"""A thousand feeds, each on a host of its own, asked every five minutes by one worker: its share of a core.

python -m bench.polling [--feeds 1000] [--every 300] [--seconds 120] [--changed 0.3]

The hosts are addresses of this machine behind one server. `--changed` of the answers hold a new post, the rest are 304.
"""

import argparse
import multiprocessing
import socketserver
import tempfile
import time
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from pathlib import Path

import psutil

from services.store import feeds
from tests.living import Living, living

LIMIT = 0.25
ITEMS = 20


class Feeds(socketserver.StreamRequestHandler):
    """Answers GET for any feed: a 304, or a page whose newest item is of this moment."""

    changed = 0.3

    def handle(self) -> None:
        lines = []
        while line := self.rfile.readline(4096).strip():
            lines.append(line)
        if not lines:
            return
        now = time.time()
        conditional = any(line.lower().startswith(b"if-none-match") for line in lines)
        if conditional and hash((lines[0], lines[-1], now)) % 1000 >= self.changed * 1000:
            self.wfile.write(b"HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n")
            return
        body = page(now)
        head = f'HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nETag: "{now}"\r\nConnection: close\r\n\r\n'
        self.wfile.write(head.encode() + body)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True
    request_queue_size = 256


def page(now: float) -> bytes:
    items = "".join(
        f"<item><guid>{int(now) - 60 * i}</guid><title>Item of {formatdate(now - 60 * i)}</title>"
        f"<link>https://example.org/{int(now) - 60 * i}</link><pubDate>{formatdate(now - 60 * i)}</pubDate>"
        f"<description>{'Something was said about the city. ' * 8}</description></item>"
        for i in range(ITEMS)
    )
    return f'<rss version="2.0"><channel><title>A feed</title>{items}</channel></rss>'.encode()


def serve(changed: float, port: "multiprocessing.Queue[int]") -> None:
    Feeds.changed = changed
    with Server(("0.0.0.0", 0), Feeds) as server:
        port.put(server.server_address[1])
        server.serve_forever()


def add(house: Living, count: int, every: int, port: int) -> None:
    """Add the feeds, their first fetches spread over the interval."""
    store = house.store()
    with store.transaction() as tx:
        for n in range(count):
            address = f"http://127.1.{n // 250}.{n % 250 + 1}:{port}/feed.xml"
            feeds.add_feed(tx, source="rss", address=address, title="", now=datetime.now(UTC), interval_s=every)
        tx.execute(
            "update feeds set next_fetch_at = clock_timestamp() + (feed_id %% %s) * interval '1 s' * %s / %s",
            (count, every, count),
        )
    store.close()


def told(house: Living) -> tuple[int, int, int]:
    """Feeds asked, failing, and later than 30 seconds."""
    store = house.store()
    with store.transaction() as tx:
        found = feeds.list_feeds(tx)
    store.close()
    late = datetime.now(UTC) - timedelta(seconds=30)
    asked = [f for f in found if f["fetched_at"]]
    return len(asked), sum(f["failures"] > 0 for f in asked), sum(f["next_fetch_at"] < late for f in found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--feeds", type=int, default=1000)
    parser.add_argument("--every", type=int, default=300)
    parser.add_argument("--seconds", type=int, default=120)
    parser.add_argument("--changed", type=float, default=0.3)
    options = parser.parse_args()
    ports: multiprocessing.Queue[int] = multiprocessing.Queue()
    server = multiprocessing.Process(target=serve, args=(options.changed, ports), daemon=True)
    server.start()
    port = ports.get(timeout=20)
    with tempfile.TemporaryDirectory(prefix="framewatch-bench-") as folder:
        home = Path(folder)
        with living(home, model="noop", allow_networks=f"127.0.0.0/8:{port}") as house:
            add(house, options.feeds, options.every, port)
            worker = psutil.Process(house.pid("worker-network") or 0)
            time.sleep(15)  # the first imports are not what is measured
            began, spent = time.monotonic(), sum(worker.cpu_times()[:2])
            fetched = runs(house)
            time.sleep(options.seconds)
            share = (sum(worker.cpu_times()[:2]) - spent) / (time.monotonic() - began)
            rate = (runs(house) - fetched) / (time.monotonic() - began)
            wanted = options.feeds / options.every
            asked, failing, late = told(house)
            print(f"polling: {options.feeds:,} feeds every {options.every} s, {options.changed:.0%} of answers are new")
            print(f"  {rate:.2f} fetches/s (wanted {wanted:.2f}); {asked} asked so far, {failing} failing, {late} late")
            print(f"  {share:.1%} of a core in the worker (limit {LIMIT:.0%}): ratio {share / LIMIT:.2f}")
    server.terminate()


def runs(house: Living) -> int:
    """Answers counted so far, by the server's own hand: posts fetched, and 304s as feeds asked."""
    store = house.store()
    with store.transaction() as tx:
        row = tx.execute("select coalesce(sum(fence), 0)::bigint as n from feeds").fetchone()
    store.close()
    assert row
    return int(row["n"])


if __name__ == "__main__":
    main()
