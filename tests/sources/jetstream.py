"""A Jetstream for the tests, on a real WebSocket server: cursors, filters and refusals as its documentation states them."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from websockets.datastructures import Headers
from websockets.http11 import Response

from tests.fetch.sockets import SocketServer, serve_sockets, until_closed
from tests.sources.kits import NOW
from tests.sources.kits.bluesky import DID, commit, message

V2 = "/xrpc/network.bsky.jetstream.subscribeEvents"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def micro(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1)


def post(number: int, *, ago: float = 0, text: str | None = None, did: str = DID, **changes: Any) -> dict[str, Any]:
    """Event `number` of a server: a post that it saw `ago` seconds before NOW."""
    time = (NOW - timedelta(seconds=ago)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    record = {"text": f"Post {number}" if text is None else text, "createdAt": time, "langs": ["en"]}
    return commit(number, time, did=did, **{"rkey": f"r{number}", "record": record} | changes)


def account(number: int, status: str, *, did: str = DID, ago: float = 0) -> dict[str, Any]:
    time = (NOW - timedelta(seconds=ago)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    said = {"active": status == "", "did": did, "seq": 9, "time": time} | ({"status": status} if status else {})
    kind = "network.bsky.jetstream.subscribeEvents#account"
    return {"$type": kind, "seq": number, "did": did, "time": time, "account": said}


def named(number: int, did: str = DID) -> str:
    return f"at://{did}/app.bsky.feed.post/r{number}"


def json_answer(value: Any, status: int = 200, **headers: str) -> Response:
    body = json.dumps(value).encode()
    fields = {"Content-Type": "application/json", "Content-Length": str(len(body)), "Connection": "close"}
    return Response(status, "Whatever", Headers(fields | headers), body)


@dataclass
class Jetstream:
    """What a server has and does."""

    events: Sequence[dict[str, Any] | str] = ()
    floor: int = 0
    """The number of the oldest event that it still has."""
    next: int = 10**6
    """The number that its next event will get."""
    version: int = 2
    advises: bool = True
    """Whether it says that it begins elsewhere than it was asked to."""
    ends: int | None = 1000
    """The code with which it closes after what it has; None: it stays open, and says nothing more."""
    refuses: Response | None = None
    answers: dict[str, Any] = field(default_factory=dict)
    """Path and query → the answer to a plain question."""
    server: SocketServer | None = None

    @property
    def queries(self) -> list[dict[str, list[str]]]:
        paths = [urlsplit(path) for path in self.server.paths]
        return [parse_qs(path.query) for path in paths if path.path in (V2, "/subscribe")]

    @property
    def cursors(self) -> list[int]:
        return [int(query.get("cursor", ["0"])[0]) for query in self.queries]

    def answer(self, connection, request) -> Response | None:
        parts = urlsplit(request.path)
        if parts.path not in (V2, "/subscribe"):
            known = request.path in self.answers
            return json_answer(self.answers[request.path] if known else {"error": "Nothing"}, 200 if known else 400)
        if self.refuses:
            return self.refuses
        if (parts.path == V2) != (self.version == 2):
            return json_answer({}, 404)
        cursor = int(parse_qs(parts.query).get("cursor", ["0"])[0])
        if self.version == 2 and 0 < cursor < min(self.floor, 10**15):
            return json_answer({"error": "CursorTooOld", "message": f"floor is {self.floor}"}, 400)
        return None

    def talk(self, connection) -> None:
        query = parse_qs(urlsplit(connection.request.path).query)
        cursor = int(query.get("cursor", ["0"])[0])
        events = [e for e in self.events if isinstance(e, str) or e["seq"] >= self.floor]
        if self.version == 2 and self.next < cursor < 10**15:
            connection.send(message(info("FutureCursor")))
        if self.version == 2 and cursor >= 10**15 and self.floor and self.advises:
            connection.send(message(info("OutdatedCursor")))
        for event in events:
            if isinstance(event, str):
                connection.send(event)
            elif _at(event, self.version) >= cursor or (cursor < 10**15 and event["seq"] >= cursor):
                connection.send(message(event) if self.version == 2 else json.dumps(in_version_1(event)))
        if self.ends is None:
            until_closed(connection)
        else:
            connection.close(self.ends)


def info(name: str) -> dict[str, Any]:
    return {"$type": "network.bsky.jetstream.subscribeEvents#info", "name": name, "message": "so it is"}


def in_version_1(event: dict[str, Any]) -> dict[str, Any]:
    """The same event as version 1 words it."""
    kind = event["$type"].rpartition("#")[2]
    said = event.get(kind) or {k: event[k] for k in ("rev", "operation", "collection", "rkey", "record") if k in event}
    return {"did": event["did"], "time_us": _at(event, 1), "kind": kind, kind: said}


def _at(event: dict[str, Any], version: int) -> int:
    return micro(datetime.fromisoformat(event["time"]))


@contextmanager
def serve_jetstream(*events: dict[str, Any] | str, **options: Any) -> Iterator[Jetstream]:
    stream = Jetstream(events, **options)
    with serve_sockets(stream.talk, answer=stream.answer) as server:
        stream.server = server
        yield stream
