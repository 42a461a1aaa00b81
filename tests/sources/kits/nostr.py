"""Signed Nostr events, as a relay sends them, one a line."""

import json
from datetime import UTC, datetime
from typing import Any

from coincurve import PrivateKey

from services.analysis.times import parse_time
from services.sources.nostr import bech32
from services.sources.nostr.events import event_id, identity
from tests.sources.kits import Kit, post

ANNA, BORIS = PrivateKey(b"\1" * 32), PrivateKey(b"\2" * 32)
THEN = 1481457600


def key_of(who: PrivateKey) -> str:
    return who.public_key_xonly.format().hex()


def event(
    content: str = "", *, at: int = THEN, kind: int = 1, tags: tuple = (), by: PrivateKey = ANNA
) -> dict[str, Any]:
    said = (key_of(by), at, kind, [list(tag) for tag in tags], content)
    name = event_id(*said)
    signature = by.sign_schnorr(bytes.fromhex(name)).hex()
    return dict(zip(("pubkey", "created_at", "kind", "tags", "content"), said, strict=True)) | {
        "id": name,
        "sig": signature,
    }


def native(told: dict[str, Any]) -> str:
    return identity(told["id"], told["pubkey"])


def _event(stated: dict[str, Any]) -> dict[str, Any]:
    moment = parse_time(stated.get("published_at") or "")
    moment = moment if moment and moment > datetime(1970, 1, 1, tzinfo=UTC) else None
    return event(stated.get("text") or "", at=int(moment.timestamp()) if moment else 10**17)


def encode(posts: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(["EVENT", "a", _event(stated)]) + "\n" for stated in posts).encode()


def _named(number: int) -> dict[str, Any]:
    return _event(post(number))


KIT = Kit(
    encode,
    identity=lambda number: native(_named(number)),
    url=lambda number: "https://njump.me/" + bech32.encode("note", bytes.fromhex(_named(number)["id"])),
    author=key_of(ANNA),
    transport="websocket",
    conditional=False,
    lacks=frozenset({"id", "url", "author", "published_at"}),
)
