"""The threads below a video, as the Data API lists them."""

import json
from typing import Any

from tests.sources.kits import Kit

VIDEO = "dQw4w9WgXcQ"


def comment(post: dict[str, Any]) -> dict[str, Any]:
    snippet = {"videoId": VIDEO, "textOriginal": post.get("text"), "textDisplay": post.get("text")}
    snippet |= {"authorDisplayName": "@a name", "publishedAt": post.get("published_at"), "likeCount": 0}
    snippet["authorChannelId"] = {"value": post.get("author")}
    return {"kind": "youtube#comment", "id": post.get("id"), "snippet": snippet}


def thread(
    post: dict[str, Any], replies: list[dict[str, Any]] | None = None, count: int | None = None
) -> dict[str, Any]:
    said = [comment(r) for r in replies or []]
    snippet = {"videoId": VIDEO, "topLevelComment": comment(post), "canReply": True}
    snippet["totalReplyCount"] = len(said) if count is None else count
    found = {"kind": "youtube#commentThread", "id": post.get("id"), "snippet": snippet}
    return found | ({"replies": {"comments": said}} if said else {})


def answer(items: list[dict[str, Any]], token: str = "") -> bytes:
    body = {"kind": "youtube#commentThreadListResponse", "pageInfo": {"resultsPerPage": 100}, "items": items}
    return json.dumps(body | ({"nextPageToken": token} if token else {})).encode()


def encode(posts: list[dict[str, Any]]) -> bytes:
    return answer([thread(post) for post in posts])


KIT = Kit(
    encode,
    url=f"https://www.youtube.com/watch?v={VIDEO}&lc=id-{{}}".format,
    address=f"https://www.youtube.com/watch?v={VIDEO}",
    options=lambda base: {"api": base},
    keys={"youtube_key": "key-of-the-tests"},
    conditional=False,
    lacks=frozenset({"url"}),
)
