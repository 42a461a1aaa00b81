"""Posts as a Lemmy server lists them; it lists comments too, of which there are none here."""

import json
from typing import Any

from tests.fetch.servers import Handler, reply
from tests.sources.kits import Kit

ADDRESS = "https://e.org/post/{}"


def view(post: dict[str, Any], number: int = 1, part: str = "post", **changes: Any) -> dict[str, Any]:
    said = post.get("id") or ""
    about = {
        "id": number,
        "ap_id": ADDRESS.format(said[3:]) if said.startswith("id-") else said,
        "name" if part == "post" else "content": post.get("text"),
        "published": post.get("published_at"),
        "deleted": False,
        "removed": False,
    }
    community = {"name": "news", "visibility": "Public"}
    return {part: about | changes, "creator": {"actor_id": post.get("author")}, "community": community}


def encode(posts: list[dict[str, Any]]) -> bytes:
    return json.dumps({"posts": [view(p, n) for n, p in enumerate(posts, 1)]}).encode()


def answer(posts: bytes) -> Handler:
    comments = reply(body=b'{"comments": []}')
    return lambda request, stream: stream.sendall(comments if "/comment/list" in request else posts)


KIT = Kit(
    encode,
    identity=ADDRESS.format,
    url=ADDRESS.format,
    path="/c/news",
    answer=answer,
    conditional=False,
    lacks=frozenset({"url"}),
)
