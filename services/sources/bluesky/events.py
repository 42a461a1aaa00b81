"""Jetstream's frames: what one says, in the words of either version, and how many become a page's worth.

Pure; it must not fetch, nor know where the frames come from.
"""

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from schemas.records import FetchedPost
from services.sources.bluesky.address import DID
from services.sources.reading import at, make_post, many, word

POSTS = "app.bsky.feed.post"
_RKEY = re.compile(r"[A-Za-z0-9._:~-]{1,512}")  # https://atproto.com/specs/record-key
_GONE = ("deleted", "takendown")
"""A deactivated or suspended account may come back, and its posts with it."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LAST_US = 253_402_300_799 * 10**6


@dataclass(frozen=True, slots=True)
class Event:
    """One frame: a commit, account, identity, sync or info message, or an error that ends the stream."""

    kind: str
    did: str = ""
    seq: int = 0
    """The server's own number of the event; 0 when it has none."""
    time_us: int = 0
    """When the server saw it, in microseconds since 1970; 0 when it does not say."""
    said: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which posts a feed is about."""

    dids: frozenset[str] = frozenset()
    """Empty: everybody's."""
    words: re.Pattern[str] | None = None
    """Searched in the casefolded text; None: any text."""
    small: bool = False
    """Whether the whole network is so small that a minute of silence means nothing."""

    def takes(self, did: str) -> bool:
        """Whether events of `did` are of interest."""
        return not self.dids or did in self.dids


def read_frame(frame: str | bytes) -> Event | None:
    """The event in a frame of version 2 or 1; None for what is none."""
    try:
        value = json.loads(frame)
    except (ValueError, RecursionError):
        return None
    if at(value, "$type") == "message":
        payload = at(value, "payload")
        kind = word(payload, "$type").rpartition("#")[2]
        said = payload if kind in ("commit", "info") else at(payload, kind)
        moment = _microseconds(word(payload, "witnessedAt") or word(payload, "time"))
        return Event(kind, word(payload, "did"), _number(at(payload, "seq")), moment, _mapping(said)) if kind else None
    if at(value, "$type") == "error":
        return Event("error", said=value)
    kind = word(value, "kind")
    if not kind:
        return None
    return Event(kind, word(value, "did"), 0, _number(at(value, "time_us")), _mapping(at(value, kind)))


def moment_of(time_us: int) -> datetime:
    """The UTC time that is `time_us` microseconds after 1970, at most the year 9999."""
    return _EPOCH + min(time_us, _LAST_US) * _MICROSECOND


def microseconds_of(moment: datetime) -> int:
    """`moment` (aware) in microseconds since 1970."""
    return (moment - _EPOCH) // _MICROSECOND


class Batch:
    """Events folded into a page: what comes later overrules what came before."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self.posts: dict[str, FetchedPost] = {}
        self.deleted: dict[str, None] = {}
        self.deleted_authors: dict[str, None] = {}
        self.dropped: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self.posts) + len(self.deleted) + len(self.deleted_authors)

    def add(self, event: Event | None) -> None:
        """Take what `event` says of posts and authors; a frame that says nothing is counted as `bad_line`."""
        if event is None:
            self.dropped["bad_line"] += 1
        elif event.kind == "commit" and self._wanted.takes(event.did):
            self._commit(event)
        elif event.kind == "account" and self._wanted.takes(event.did):
            self._account(event)

    def _commit(self, event: Event) -> None:
        said = event.said
        if said.get("collection") != POSTS:
            return
        rkey = word(said, "rkey")
        if not DID.fullmatch(event.did) or not _RKEY.fullmatch(rkey):
            self.dropped["no_identity"] += 1
            return
        identity = f"at://{event.did}/{POSTS}/{rkey}"
        if said.get("operation") == "delete":
            self.posts.pop(identity, None)
            self.deleted[identity] = None
        else:
            self._post(identity, event.did, rkey, said)

    def _post(self, identity: str, did: str, rkey: str, said: Mapping[str, Any]) -> None:
        record = said.get("record")
        text = word(record, "text")
        # An edit is passed on whatever it says now: the post may be one that is held for what it said before.
        if self._wanted.words and said.get("operation") != "update" and not self._wanted.words.search(text.casefold()):
            return
        langs = [lang for lang in many(record, "langs") if isinstance(lang, str)]
        found = make_post(
            identity,
            text,
            published=word(record, "createdAt"),
            url=f"https://bsky.app/profile/{did}/post/{rkey}",
            author=did,
            lang=langs[0] if langs else "",
        )
        if isinstance(found, str):
            self.dropped[found] += 1
            return
        self.posts[identity] = found
        self.deleted.pop(identity, None)

    def _account(self, event: Event) -> None:
        if event.said.get("active") is False and event.said.get("status") in _GONE and DID.fullmatch(event.did):
            self.posts = {name: post for name, post in self.posts.items() if post.author != event.did}
            self.deleted_authors[event.did] = None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _number(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 2**63 else 0


def _microseconds(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return 0
    return max(microseconds_of(moment), 0) if moment.tzinfo else 0
