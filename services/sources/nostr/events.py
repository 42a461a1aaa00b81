"""Nostr events: checked against their own id and signature, and made into posts and deletions. Pure; must not connect.

A relay is only a place: what counts is the author's signature.
"""

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from coincurve import PublicKeyXOnly

from schemas.records import FetchedPost
from services.sources.nostr import bech32
from services.sources.nostr.address import DELETION, REPOSTS, Wanted
from services.sources.reading import make_post, word

MAX_DELETIONS = 500
"""Most posts that one deletion request takes back."""
_HEX_32, _HEX_64 = re.compile(r"[0-9a-f]{64}"), re.compile(r"[0-9a-f]{128}")


@dataclass(frozen=True, slots=True)
class Event:
    """One event whose id and signature are right."""

    id: str
    author: str
    created_at: int
    kind: int
    tags: list[list[str]] = field(default_factory=list)
    content: str = ""

    @property
    def native_id(self) -> str:
        """The identity of the post."""
        return identity(self.id, self.author)

    @property
    def time(self) -> datetime | None:
        """When the author says it was written; None when that is no time."""
        try:
            return datetime.fromtimestamp(self.created_at, UTC)
        except (ValueError, OverflowError, OSError):
            return None

    def named(self, name: str) -> list[str]:
        """The first values of the tags called `name`."""
        return [tag[1] for tag in self.tags if len(tag) > 1 and tag[0] == name]


def identity(event_id: str, author: str) -> str:
    """The native_id of an event: its id, and 96 bits of a hash of its author's key.

    Anybody may send a deletion request that names anybody's event. With the author in the identity, a request can
    only ever reach its own author's posts, whichever relay had them.
    """
    return f"{event_id}.{sha256(bytes.fromhex(author)).hexdigest()[:24]}"


def event_id(author: str, created_at: int, kind: int, tags: list[list[str]], content: str) -> str:
    """The id that an event must have: the SHA-256 of its serialisation (NIP-01)."""
    told = json.dumps([0, author, created_at, kind, tags, content], ensure_ascii=False, separators=(",", ":"))
    return sha256(told.encode("utf-8", "surrogatepass")).hexdigest()


def read_event(value: Any) -> Event | str:
    """The event that `value` is, or why it is none: `bad_event`, `bad_signature`."""
    if not isinstance(value, dict) or not _well_formed(value):
        return "bad_event"
    event = Event(
        value["id"], value["pubkey"], value["created_at"], value["kind"], value["tags"], value["content"]
    )  # fmt: skip
    if event_id(event.author, event.created_at, event.kind, event.tags, event.content) != event.id:
        return "bad_signature"
    return event if _signed(event, value["sig"]) else "bad_signature"


def belongs(event: Event, wanted: Wanted) -> bool:
    """Whether `event` is one that the feed asked for: a relay may send anything."""
    if wanted.authors and event.author not in wanted.authors:
        return False
    if event.kind == DELETION:
        return True
    tags = {tag.lower() for tag in event.named("t")} if wanted.hashtags else set()
    return event.kind in wanted.kinds and (not wanted.hashtags or not tags.isdisjoint(wanted.hashtags))


def deleted_by(event: Event) -> list[str]:
    """The native_ids that a deletion request takes back."""
    named = [name for name in event.named("e")[:MAX_DELETIONS] if _HEX_32.fullmatch(name)]
    return [identity(name, event.author) for name in named]


def post_of(event: Event) -> FetchedPost | str:
    """The post that an event is, or why it is none. A repost has the text of what it repeats."""
    text, repost_of = _repeated(event) if event.kind in REPOSTS else (event.content, "")
    return make_post(
        event.native_id,
        text,
        published=event.time or str(event.created_at)[:30],
        url=f"https://njump.me/{bech32.encode('note', bytes.fromhex(event.id))}",
        author=event.author,
        repost_of=repost_of,
    )


def _repeated(event: Event) -> tuple[str, str]:
    try:
        inner = read_event(json.loads(event.content))
    except (ValueError, RecursionError):
        inner = "bad_event"
    names = [name for name in event.named("e") if _HEX_32.fullmatch(name)]
    if isinstance(inner, Event) and (not names or inner.id in names):
        return inner.content, inner.native_id
    authors = [name for name in event.named("p") if _HEX_32.fullmatch(name)]
    return "", identity(names[-1], authors[-1]) if names and authors else ""


def _well_formed(value: dict[str, Any]) -> bool:
    tags = value.get("tags")
    return (
        all(_HEX_32.fullmatch(word(value, name)) for name in ("id", "pubkey"))
        and bool(_HEX_64.fullmatch(word(value, "sig")))
        and all(type(value.get(name)) is int and abs(value[name]) < 1 << 63 for name in ("created_at", "kind"))
        and isinstance(value.get("content"), str)
        and isinstance(tags, list)
        and all(isinstance(tag, list) and all(isinstance(part, str) for part in tag) for tag in tags)
    )


def _signed(event: Event, signature: str) -> bool:
    try:
        return PublicKeyXOnly(bytes.fromhex(event.author)).verify(bytes.fromhex(signature), bytes.fromhex(event.id))
    except ValueError:  # no point of the curve
        return False
