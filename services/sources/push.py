"""Posts that somebody sends us over HTTP: nothing is fetched, only read. Must not answer or store.

A feed of this kind has a name of its own; what is sent under it is JSON lines, or one JSON list of the same objects.
"""

import json
import re
from dataclasses import replace

from schemas.errors import PermanentError, Reason
from schemas.records import FetchedPost, Page
from services.sources.base import Means, Mode
from services.sources.items import native_id
from services.sources.jsonl.lines import Batch, read_line, split_lines

MODES: tuple[Mode, ...] = ("push",)
MAX_POSTS = 5_000
"""Posts taken of one request; the rest is refused, not dropped: the sender can send it again."""
_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


def read_address(address: str) -> str:
    """A name such as `press-office`. Raises PermanentError(BAD_ADDRESS)."""
    name = address.strip()
    if not _NAME.fullmatch(name) or len(name) > 80:
        raise PermanentError(
            Reason.BAD_ADDRESS,
            "A feed that posts are sent to has a name of small letters, digits and hyphens, such as press-office.",
        )
    return name


def parse(body: bytes, *, address: str) -> Page:
    """The posts in what was sent to the feed called `address`; their ids are kept apart from those of other feeds.

    Raises PermanentError(BAD_INPUT) when there are more than MAX_POSTS.
    """
    batch = Batch()
    for line in _lines(body):
        batch.add(read_line(line), None)
        if batch.lines > MAX_POSTS:
            raise PermanentError(
                Reason.BAD_INPUT, f"more than {MAX_POSTS:,} posts in one request; send fewer at a time"
            )
    posts = tuple(_named(post, address) for post in batch.posts)
    return Page(posts, deleted=tuple(_within(address, i) for i in batch.deleted), dropped=dict(batch.dropped))


class PushSource:
    """Stands for feeds that are never asked; there is nothing to fetch."""

    def __init__(self, means: Means) -> None:
        """A push feed needs nothing of the house."""


def _lines(body: bytes) -> list[bytes | None]:
    if body.lstrip()[:1] == b"[":
        try:
            records = json.loads(body.decode("utf-8", "replace"))
        except (ValueError, RecursionError):
            return [b"?"]
        return [json.dumps(record).encode() for record in records]
    return [line.data for line in split_lines([body])]


def _named(post: FetchedPost, feed: str) -> FetchedPost:
    repeated = _within(feed, post.repost_of) if post.repost_of else ""
    return replace(post, native_id=_within(feed, post.native_id), repost_of=repeated)


def _within(feed: str, identity: str) -> str:
    return native_id(f"{feed}/{identity}")
