"""What a kind of source brings to the shared contract: how its servers word a list of posts."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

from schemas.records import Feed
from services.fetch import Fetcher
from services.sources import SOURCES, source_for
from services.sources.base import Means
from tests.fetch.servers import Handler, Server, reply

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


def always(answer: bytes) -> Handler:
    """A handler that gives `answer` to every request."""
    return lambda request, stream: stream.sendall(answer)


@dataclass(frozen=True)
class Kit:
    """One kind's words for the contract. A module `tests.sources.kits.<kind>` holds one as `KIT`."""

    encode: Callable[[list[dict[str, Any]]], bytes]
    """Posts as the contract states them → the body (or the frames, one a line) that carries them."""
    identity: Callable[[int], str] = "id-{}".format
    """The native_id that post number n gets."""
    url: Callable[[int], str] = "https://e.org/{}".format
    """The link that post number n gets."""
    author: str = "someone"
    path: str = "/feed"
    """Behind the server's address: what a person would give as the feed's address."""
    address: str = ""
    """The feed's address where it is no server's."""
    options: Callable[[str], Mapping[str, Any]] = lambda base: {}
    """The feed's options for a server at `base`."""
    keys: Mapping[str, str] = field(default_factory=dict)
    answer: Callable[[bytes], Handler] = always
    """Makes a server of one answer to the question for posts; kinds that ask more than one thing route here."""
    transport: Literal["http", "websocket", "none"] = "http"
    conditional: bool = True
    """Whether the kind asks conditionally (ETag)."""
    lacks: frozenset[str] = frozenset()
    """Fields whose absence or damage this protocol cannot express, or words in its own way."""
    statuses: frozenset[int] = frozenset({404, 410, 429, 500, 503})
    """Statuses that mean for this kind what they mean everywhere."""
    ordered: bool = True
    """Whether posts come out in the order in which the server lists them."""


KITS: dict[str, Kit] = {kind: import_module(f"tests.sources.kits.{kind}").KIT for kind in sorted(SOURCES)}


def feed_of(kind: str, address: str, **changes: Any) -> Feed:
    feed = Feed(1, kind, address, "", "enabled", "wall", {}, {}, timedelta(hours=1), None, 0)
    return replace(feed, **changes)


def feed_at(kind: str, server: Server, **changes: Any) -> Feed:
    """The feed of `kind` that a test server serves."""
    kit = KITS[kind]
    return feed_of(kind, kit.address or server.url + kit.path, options=dict(kit.options(server.url)), **changes)


def source_of(kind: str, server: Server | None = None, files: Path = Path("/nonexistent"), **options: Any):
    fetcher = Fetcher(allow_networks=server.allowed if server else "", **options)
    return source_for(kind, Means(fetcher, files, keys=KITS[kind].keys))


def fetch(server: Server, feed: Feed, now: datetime = NOW):
    """Fetch a page, with the cursor sent through JSON as the database does."""
    feed = replace(feed, cursor=json.loads(json.dumps(feed.cursor)))
    return source_of(feed.source, server).fetch(feed, now)


def posts_answer(kind: str, body: bytes, status: int = 200, **headers: str) -> Handler:
    """A server of `kind` that answers the question for posts with `body`."""
    return KITS[kind].answer(reply(status, body, **headers))
