"""The route that takes posts in: JSON lines or a JSON list, stored as any fetched page is. Decides nothing."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.concurrency import run_in_threadpool

from schemas.errors import PermanentError, Reason
from schemas.records import Page
from schemas.wire_intake import Pushed
from services.api.callers import needs
from services.api.problems import take_only
from services.api.routes import FAULTS, Means, means
from services.sources import parse_file
from services.store import feeds
from services.store.taking_in import take_in

MAX_BYTES = 8 * 1024 * 1024
TYPES = ("application/json", "application/x-ndjson", "application/jsonl")
"""Only what a web page of another site cannot send without asking first."""
pushes = APIRouter(prefix="/api/v1", tags=["intake"], responses=FAULTS)
_BODY = {
    "description": 'Posts: {"id", "text", "published_at", "lang"?, "author"?, "url"?, "repost_of"?}, one a line or '
    'in a list; {"id", "deleted": true} takes one back. At most 5,000 posts and 8 MiB.',
    "required": True,
    "content": {media: {"schema": {"type": "string", "format": "binary"}} for media in TYPES[1:]}
    | {TYPES[0]: {"schema": {"type": "array", "items": {"type": "object"}}}},
}
Feed = Annotated[
    str, Query(description="Name of the feed, made with `framewatch feeds add NAME --kind push`.", max_length=80)
]


@pushes.post("/posts", summary="Send posts", openapi_extra={"requestBody": _BODY, **needs("push")})
async def push(by: Annotated[Means, Depends(means)], request: Request, feed: Feed) -> Pushed:
    """Idempotent: a post is its id within the feed. What was stored is sorted into frames within seconds."""
    take_only(request, *TYPES)
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_BYTES:
            raise PermanentError(
                Reason.BAD_INPUT, f"more than {MAX_BYTES >> 20} MiB in one request; send less at a time"
            )
    return await run_in_threadpool(_take, by, bytes(body), feed)


def _take(by: Means, body: bytes, name: str) -> Pushed:
    page = parse_file("push", body, name)
    now = by.now()
    rows = by.intake().rows("push", page.posts, now)
    with by.store.transaction() as tx:
        feed_id = feeds.find_push(tx, name, now)
        if feed_id is None:
            raise PermanentError(
                Reason.NOT_FOUND,
                "there is no such feed, or it is paused; add one: framewatch feeds add NAME --kind push",
            )
        taken = take_in(
            tx, page, rows, feed_id=feed_id, source="push", gone_authors=(), received_at=now
        )  # fmt: skip
    return Pushed(
        feed=name, fetched=_fetched(page), new=taken.new, known=taken.known, edited=taken.edited, refused=taken.refused,
        dropped=dict(page.dropped),
    )  # fmt: skip


def _fetched(page: Page) -> int:
    return len(page.posts) + sum(page.dropped.values())
