"""The records that travel between rooms: frozen, without behaviour. Times are aware UTC datetimes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

TimeQuality = Literal["stated", "missing", "bad", "future"]
"""How far `published_at` can be trusted; anything but `stated` means it is the time of receipt."""

Clock = Literal["wall", "feed"]
"""Whose time a feed lives in: ours, or (a replay of the past) the time it says it is."""

HealthWord = Literal["failing", "late", "warning", "new", "replaying", "heard", "paused", "ended"]
"""How a feed does; services.analysis.health decides which, and says what each means."""


@dataclass(frozen=True, slots=True)
class FetchedPost:
    """One post as a source gives it: text already cleaned, author still a native id (never stored)."""

    native_id: str
    text: str
    published_at: datetime | None
    """What the post says, None when it says nothing readable."""
    published_raw: str = ""
    url: str = ""
    author: str = ""
    lang: str = ""
    """BCP 47 as declared by the source, "" when it says nothing."""
    repost_of: str = ""
    """native_id of the post this one repeats, "" when it is not a repost."""
    cleaned: frozenset[str] = frozenset()
    """What had to be changed in the text so that any database takes it: `nul`, `surrogate`, `cut`, …"""


@dataclass(frozen=True, slots=True)
class Page:
    """What one fetch of a feed brought."""

    posts: tuple[FetchedPost, ...] = ()
    cursor: Mapping[str, Any] = field(default_factory=dict)
    """Opaque to everybody but the source; stored in the same transaction as the posts."""
    deleted: tuple[str, ...] = ()
    """native_ids the source says are gone."""
    deleted_in_order: bool = False
    """True when the source tells of a deletion only after the post: of one we never had no tombstone is needed."""
    deleted_authors: tuple[str, ...] = ()
    """Authors (as in FetchedPost.author) whose every post the source says is gone."""
    dropped: Mapping[str, int] = field(default_factory=dict)
    """Items that could not become posts, by reason (`no_identity`, `no_text`, `bad_line`, `too_many`, `cut_off`)."""
    more: bool = False
    """True when the next page can be fetched at once."""
    complete: bool = True
    """False when posts may lie between the cursor we came with and the oldest post of this page."""
    as_of: datetime | None = None
    """The feed's own present, for feeds whose clock is `feed`; None means now."""
    ended: bool = False
    """True when the feed says that nothing will follow."""
    title: str = ""
    min_interval: timedelta | None = None
    """The shortest polling interval the feed asks for (ttl, Cache-Control)."""
    warning: str = ""
    """What is odd about the feed though it could be read, worded for an analyst; "" for nothing."""
    window: bool = False
    """True when the page shows the newest posts whatever we have: how many we know tells whether any were missed."""
    moved_to: str = ""
    """Where the feed says it has moved for good; "" when it has not."""
    heard_until: datetime | None = None
    """How far a stream has been heard, when that is not the time of the page (a replay still catching up)."""


@dataclass(frozen=True, slots=True)
class Feed:
    """One configured row of a source, claimed for a fetch when `fence` > 0."""

    feed_id: int
    source: str
    address: str
    title: str
    state: Literal["enabled", "paused", "ended"]
    clock: Clock
    options: Mapping[str, Any]
    cursor: Mapping[str, Any]
    interval: timedelta
    heard_until: datetime | None
    failures: int
    fence: int = 0
    pace: float = 1.0
    """What the interval is multiplied with: below 1 for a feed that is read too seldom, above for one too often."""
    rate: float | None = None
    """Posts an hour it usually brings, None when not known yet."""
    last_post_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class StoredPost:
    """A post ready for its row: identity, cleaned text, event time with quality, pseudonymous author."""

    native_id: str
    text: str
    text_hash: bytes
    unit_key: bytes
    """Of the text by itself; which unit the post joins is settled when it is stored."""
    published_at: datetime
    time_quality: TimeQuality
    url: str
    author: str
    lang: str
    repost_of: str
    letters: str = ""
    """What near copies of the text are told by."""
    publishers: tuple[str, ...] = ()
    """Registrable domains it passes words on of."""


@dataclass(frozen=True, slots=True)
class QueuedPost:
    """A post claimed for classification."""

    post_id: int
    fence: int
    attempts: int
    text: str
    text_hash: bytes
    lang: str


@dataclass(frozen=True, slots=True)
class Notice:
    """One message to one channel: what is told is decided, the channel words and carries it."""

    message_id: str
    """Stable for ever; the receiver can tell a repeat by it."""
    kind: Literal["alert", "digest", "test"]
    subject: str
    data: Mapping[str, Any]
    """The evidence bundle of an alert, or the composition of a digest, as JSON."""


@dataclass(frozen=True, slots=True)
class DueDelivery:
    """A delivery claimed for sending."""

    delivery_id: int
    fence: int
    attempts: int
    channel_kind: str
    channel_config: Mapping[str, Any]
    notice: Notice
    created_at: datetime
