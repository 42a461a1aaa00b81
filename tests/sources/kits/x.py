"""A page of X's recent search."""

import json
from typing import Any

from tests.sources.kits import Kit

NAMES = {"id": "id", "text": "text", "published_at": "created_at", "author": "author_id"}


def answer(posts: list[dict[str, Any]], **meta: Any) -> bytes:
    """Posts in X's own words, with what X says about the page."""
    meta["result_count"] = len(posts)
    return json.dumps({**({"data": posts} if posts else {}), "meta": meta}).encode()


def encode(posts: list[dict[str, Any]]) -> bytes:
    return answer([{NAMES[name]: value for name, value in post.items() if name in NAMES} for post in posts])


KIT = Kit(
    encode,
    url="https://x.com/i/web/status/id-{}".format,
    address="search:palmyra",
    options=lambda base: {"api": base},
    keys={"x_token": "tok", "x_monthly_reads": "1000"},
    conditional=False,
    lacks=frozenset({"url"}),
)
