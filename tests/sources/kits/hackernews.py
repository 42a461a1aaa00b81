"""Hits as the search interface of Hacker News gives them."""

import json
from typing import Any

from tests.sources.kits import Kit

NAMES = {"id": "objectID", "text": "comment_text", "published_at": "created_at", "url": "story_url", "author": "author"}


def encode(posts: list[dict[str, Any]], **fields: Any) -> bytes:
    hits = [{NAMES.get(name, name): value for name, value in p.items()} for p in posts]
    return json.dumps({"hits": hits, "page": 0, "nbHits": len(hits), **fields}).encode()


KIT = Kit(
    encode,
    url="https://news.ycombinator.com/item?id=id-{}".format,
    address="query:Palmyra",
    options=lambda base: {"api": base},
    conditional=False,
)
