"""What a kind of source brings to the shared contract: how its servers word a list of posts."""

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from schemas.records import Feed
from services.fetch import Fetcher
from services.sources import source_for
from tests.fetch.servers import Server

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DATE = "Sun, 11 Dec 2016 12:00:00 GMT"


def post(number: int = 1, **changes: Any) -> dict[str, Any]:
    """One post as the contract states it; None leaves a field out."""
    stated = {
        "id": f"id-{number}",
        "text": f"Post number {number}",
        "published_at": "2016-12-11T12:00:00Z",
        "url": f"https://e.org/{number}",
        "author": "someone",
    } | changes
    return {name: value for name, value in stated.items() if value is not None}


def rss(posts: list[dict[str, Any]], head: str = "") -> bytes:
    names = {"id": "guid", "text": "description", "published_at": "pubDate", "url": "link", "author": "author"}
    items = ("".join(f"<{names[k]}>{escape(str(v))}</{names[k]}>" for k, v in p.items()) for p in posts)
    body = "".join(f"<item>{item}</item>" for item in items)
    xml = f"<rss version='2.0'><channel><title>A feed</title>{head}{body}</channel></rss>"
    return xml.encode("utf-8", "surrogatepass")


def json_lines(posts: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(p) + "\n" for p in posts).encode()


@dataclass(frozen=True)
class Kit:
    encode: Any


KITS = {"rss": Kit(rss), "jsonl": Kit(json_lines)}


def feed_of(kind: str, address: str, **changes: Any) -> Feed:
    feed = Feed(1, kind, address, "", "enabled", "wall", {}, {}, timedelta(hours=1), None, 0)
    return replace(feed, **changes)


def source_of(kind: str, server: Server | None = None, files: Path = Path("/nonexistent"), **options: Any):
    return source_for(kind, Fetcher(allow_networks=server.allowed if server else "", **options), files)


def fetch(server: Server, feed: Feed, now: datetime = NOW):
    """Fetch a page, with the cursor sent through JSON as the database does."""
    feed = replace(feed, cursor=json.loads(json.dumps(feed.cursor)))
    return source_of(feed.source, server).fetch(feed, now)
