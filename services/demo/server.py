"""A small web server that lives in December 2016: serves the sample posts as RSS and JSON lines as their time comes.

Half of the posts are in each, so that two sources are heard. Time begins to pass at the first request.
"""

import json
import threading
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.sax.saxutils import escape

from services import demo

SPEED = 12 * 86_400 / 24
"""Seconds of December that pass in one of ours: twelve days in 24 seconds."""
ITEMS = 200
PAGE = 500

Post = dict[str, Any]


class ReplayServer:
    """Serves /feed.rss and /posts.jsonl on 127.0.0.1; `start` is where the replay goes on from."""

    def __init__(self, posts: Sequence[Post], *, port: int, start: datetime | None = None) -> None:
        self._posts = posts
        self._start = start or demo.since()
        self._began: float | None = None
        self._http = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.2,), daemon=True)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._http.server_address[1])

    def start(self) -> None:
        """Serve until stop."""
        self._thread.start()

    def stop(self) -> None:
        """Close the port."""
        self._http.shutdown()
        self._http.server_close()

    def present(self) -> datetime:
        """The moment the replay has come to."""
        if self._began is None:
            self._began = time.monotonic()
        passed = timedelta(seconds=(time.monotonic() - self._began) * SPEED)
        return min(self._start + passed, demo.until())

    def answer(self, target: str) -> tuple[int, dict[str, str], bytes]:
        """(status, headers, body) for a request target."""
        address = urlsplit(target)
        present = self.present()
        heard = [p for p in self._posts if datetime.fromisoformat(p["published_at"]) <= present]
        if address.path == "/feed.rss":
            return 200, {"Content-Type": "application/rss+xml; charset=utf-8"}, rss(heard[0::2][-ITEMS:], present)
        if address.path == "/posts.jsonl":
            asked = parse_qs(address.query).get("cursor", ["0"])[0]
            return jsonl(heard[1::2], int(asked) if asked.isdigit() else 0, present)
        return 404, {"Content-Type": "text/plain"}, b"There are /feed.rss and /posts.jsonl here.\n"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, headers, body = outer.answer(self.path)
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the inherited name
                """Say nothing: the supervisor's terminal is for people."""

        return Handler


def rss(posts: Sequence[Post], present: datetime) -> bytes:
    """RSS 2.0 of posts, newest first, as of `present`."""
    items = "".join(
        f"<item><guid isPermaLink='false'>{escape(p['id'])}</guid><link>{escape(p['url'])}</link>"
        f"<dc:creator>{escape(p['author'])}</dc:creator><description>{escape(p['text'])}</description>"
        f"<pubDate>{format_datetime(datetime.fromisoformat(p['published_at']), usegmt=False)}</pubDate></item>\n"
        for p in reversed(posts)
    )
    text = (
        "<?xml version='1.0' encoding='utf-8'?>\n"
        "<rss version='2.0' xmlns:dc='http://purl.org/dc/elements/1.1/'><channel><title>Sample posts</title>"
        "<link>https://posts.example.org/</link><description>Written for framewatch</description>"
        f"<lastBuildDate>{format_datetime(present)}</lastBuildDate>\n{items}</channel></rss>\n"
    )
    return text.encode()


def jsonl(posts: Sequence[Post], cursor: int, present: datetime) -> tuple[int, dict[str, str], bytes]:
    """One page of posts as JSON lines after `cursor`, with the headers that carry the next cursor and the time."""
    page = posts[cursor : cursor + PAGE]
    lines = "".join(json.dumps({k: v for k, v in p.items() if k != "frames"}, ensure_ascii=False) + "\n" for p in page)
    reached = cursor + len(page)
    # While more pages wait, this one is only heard as far as its last post.
    as_of = present if reached == len(posts) else datetime.fromisoformat(page[-1]["published_at"])
    headers = {
        "Content-Type": "application/jsonl; charset=utf-8",
        "X-Next-Cursor": str(reached),
        "X-As-Of": as_of.isoformat(),
    }
    return 200, headers, lines.encode()
