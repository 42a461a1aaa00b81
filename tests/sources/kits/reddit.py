"""A listing of a subreddit, and the token that is asked for before it."""

import json
import socket
from typing import Any
from urllib.parse import urlsplit

from services.analysis.times import parse_time
from tests.fetch.servers import Handler, reply
from tests.sources.kits import Kit

TOKEN = reply(200, b'{"access_token": "tok", "token_type": "bearer", "expires_in": 86400, "scope": "*"}')


def thing(stated: dict[str, Any]) -> dict[str, Any]:
    """A submission of its own text, worded as Reddit does."""
    data: dict[str, Any] = {"title": "", "subreddit": "test"}
    if "id" in stated:
        data["name"] = f"t3_{stated['id']}"
    if "text" in stated:
        data["selftext"] = stated["text"]
    if "published_at" in stated:
        moment = parse_time(stated["published_at"])
        data["created_utc"] = moment.timestamp() if moment and moment.year > 1 else stated["published_at"]
    if "url" in stated:
        data["permalink"] = urlsplit(stated["url"]).path if stated["url"].startswith("https://") else stated["url"]
    if "author" in stated:
        data["author_fullname"] = stated["author"]
    return {"kind": "t3", "data": data}


def listing(things: list[dict[str, Any]], after: str | None = None) -> bytes:
    """A page of a listing."""
    return json.dumps({"kind": "Listing", "data": {"after": after, "before": None, "children": things}}).encode()


def encode(posts: list[dict[str, Any]]) -> bytes:
    return listing([thing(post) for post in posts])


def answer(page: bytes) -> Handler:
    def handler(request: str, stream: socket.socket) -> None:
        stream.sendall(TOKEN if request.startswith("POST /api/v1/access_token ") else page)

    return handler


KIT = Kit(
    encode,
    identity="t3_id-{}".format,
    url="https://www.reddit.com/{}".format,
    address="r/test",
    options=lambda base: {"api": base},
    keys={"reddit_client_id": "id", "reddit_client_secret": "secret"},
    answer=answer,
    conditional=False,
)
