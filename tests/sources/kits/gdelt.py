"""Article lists as GDELT's DOC 2.0 interface gives them."""

import json
from typing import Any

from tests.sources.kits import Kit

NAMES = {"id": "id", "text": "title", "published_at": "seendate", "url": "url", "author": "domain"}


def encode(posts: list[dict[str, Any]]) -> bytes:
    articles = [{NAMES.get(name, name): value for name, value in p.items()} for p in posts]
    return json.dumps({"articles": articles} if articles else {}).encode()


KIT = Kit(
    encode,
    identity="https://e.org/{}".format,
    address="query:Palmyra",
    options=lambda base: {"api": base},
    conditional=False,
)
