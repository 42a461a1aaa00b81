"""How a Jetstream words posts: one frame a post, of version 2."""

import json
from typing import Any

from tests.sources.kits import Kit

DID = "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa"
POSTS = "app.bsky.feed.post"


def commit(seq: int, time: str, *, did: str = DID, operation: str = "create", **fields: Any) -> dict[str, Any]:
    """The payload of a commit message, as the lexicon states it."""
    return {
        "$type": "network.bsky.jetstream.subscribeEvents#commit",
        "seq": seq,
        "did": did,
        "time": time,
        "witnessedAt": time,
        "rev": "3l3qo2vutsw2b",
        "operation": operation,
        "collection": POSTS,
        **fields,
    }


def message(payload: dict[str, Any]) -> str:
    return json.dumps({"$type": "message", "payload": payload})


def _frame(number: int, post: dict[str, Any]) -> str:
    record = {"$type": POSTS, "createdAt": post.get("published_at"), "text": post.get("text"), "langs": ["en"]}
    return message(
        commit(
            number,
            "2016-12-11T12:00:00.000001Z",
            did=DID if post.get("author") == "someone" else post.get("author"),
            rkey=post.get("id"),
            record={name: value for name, value in record.items() if value is not None},
        )
    )


def encode(posts: list[dict[str, Any]]) -> bytes:
    return "\n".join(_frame(number, post) for number, post in enumerate(posts, 1)).encode()


KIT = Kit(
    encode=encode,
    identity=lambda number: f"at://{DID}/{POSTS}/id-{number}",
    url=lambda number: f"https://bsky.app/profile/{DID}/post/id-{number}",
    author=DID,
    path=f"/profile/{DID}",
    transport="websocket",
    conditional=False,
)
