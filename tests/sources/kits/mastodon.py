"""Statuses as a Mastodon server lists them, and the server that lists them."""

import json
from typing import Any

from tests.fetch.servers import Handler, reply
from tests.sources.kits import Kit

OPEN = {"local": "public", "remote": "public"}
ACCESS = {"live_feeds": OPEN, "hashtag_feeds": OPEN}


def status(post: dict[str, Any], number: int = 1, **changes: Any) -> dict[str, Any]:
    account = {"uri": post.get("author"), "indexable": True, "note": ""}
    return {
        "id": str(110000000000000000 + number),
        "created_at": post.get("published_at"),
        "visibility": "public",
        "spoiler_text": "",
        "uri": post.get("id"),
        "url": post.get("url"),
        "content": post.get("text"),
        "language": "en",
        "reblog": None,
        "account": account,
    } | changes


def encode(posts: list[dict[str, Any]]) -> bytes:
    return json.dumps([status(p, n) for n, p in enumerate(posts)]).encode()


def instance(access: Any = ACCESS, streaming: str = "") -> bytes:
    told = {"configuration": {"timelines_access": access, "urls": {"streaming": streaming}}}
    return reply(body=json.dumps(told).encode())


def answer(posts: bytes) -> Handler:
    return lambda request, stream: stream.sendall(instance() if "/api/v2/instance" in request else posts)


KIT = Kit(encode, path="/tags/news", answer=answer, conditional=False)
