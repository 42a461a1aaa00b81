"""The routes of feeds: list, add, try, pause, forget. What may be added is decided in services.usecases.adding."""

from dataclasses import replace
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Body, Path, Request, Response

from schemas import wire_feeds
from schemas.errors import FramewatchError, PermanentError, Reason
from schemas.records import Feed, Page
from services.analysis.confidential import masked
from services.analysis.listing import Listed, clean_options
from services.api.callers import needs
from services.api.questions import BIGINT
from services.api.routes import FAULTS, Means, With
from services.api.tables import CSV, AsCsv, table
from services.sources import discover, mode_of, source_for
from services.store import feeds, listings
from services.usecases import adding

router = APIRouter(prefix="/api/v1", tags=["feeds"], responses=FAULTS)
FeedId = Annotated[int, Path(description="Our number of the feed.", ge=1, le=BIGINT)]
New = Annotated[wire_feeds.NewFeed, Body()]
SHOWN = 100


@router.get("/feeds", summary="Every feed and its health", response_model=wire_feeds.Feeds, responses=CSV)
def list_feeds(by: With, request: Request, as_csv: AsCsv) -> wire_feeds.Feeds | Response:
    """What is listened to, until when each was heard, and what went wrong last."""
    with by.store.transaction() as tx:
        told = listings.read_feeds(tx, by.now())
    return table(request, wire_feeds.Feed, told.feeds) if as_csv else told


@router.post(
    "/feeds", summary="Add a feed", status_code=201,
    responses={200: {"model": wire_feeds.FeedHealth, "description": "It was there already."}},
)  # fmt: skip
def add(by: With, asked: New, response: Response) -> wire_feeds.FeedHealth:
    """It is fetched at once. Adding it again changes its title and options only."""
    found = _named(asked)
    with by.store.transaction() as tx:
        known = adding.known_feeds(tx)
        response.status_code = 201 if adding.add(tx, found, known, by.now()) else 200
        row = adding.known_feeds(tx)[(found.kind, found.address)]
        return listings.read_feed(tx, by.now(), row["feed_id"])


@router.post("/feeds/check", summary="Ask a feed once and see what would be stored", openapi_extra=needs("admin"))
def check(by: With, asked: New) -> wire_feeds.CheckedFeed:
    """Nothing is stored. A feed that cannot be heard is an answer, too: `reason` says why."""
    found = _named(asked)
    if mode_of(found.kind, found.mode) != "poll":
        raise PermanentError(Reason.BAD_INPUT, "only feeds that are asked now and then can be tried over HTTP")
    page, why = _heard(by, found)
    return wire_feeds.CheckedFeed(
        source=found.kind, address=masked(found.address), title=page.title, found=len(page.posts),
        posts=tuple(wire_feeds.CheckedPost(**{k: getattr(p, k) for k in wire_feeds.CheckedPost.model_fields})
                    for p in page.posts[:SHOWN]),
        dropped=dict(page.dropped), reason=why.reason if why else None, told=masked(str(why)) if why else None,
    )  # fmt: skip


@router.get("/feeds/{feed_id}", summary="One feed and its health")
def one(by: With, feed_id: FeedId) -> wire_feeds.FeedHealth:
    """How far behind it is, how much of it was heard, and what became of what it brought."""
    with by.store.transaction() as tx:
        return listings.read_feed(tx, by.now(), feed_id)


@router.post("/feeds/{feed_id}/pause", summary="Ask it no more for now")
def pause(by: With, feed_id: FeedId) -> wire_feeds.FeedHealth:
    """A paused feed's silence is no gap."""
    return _set(by, feed_id, "paused")


@router.post("/feeds/{feed_id}/resume", summary="Ask it again")
def resume(by: With, feed_id: FeedId) -> wire_feeds.FeedHealth:
    """It is fetched at once."""
    return _set(by, feed_id, "enabled")


@router.delete("/feeds/{feed_id}", summary="Forget a feed", status_code=204)
def remove(by: With, feed_id: FeedId) -> Response:
    """Its posts stay."""
    with by.store.transaction() as tx:
        if not feeds.delete_feed(tx, feed_id):
            raise adding.unknown(feed_id)
    return Response(status_code=204)


def _set(by: Means, feed_id: int, state: str) -> wire_feeds.FeedHealth:
    with by.store.transaction() as tx:
        adding.set_state(tx, feed_id, state, by.now())
        return listings.read_feed(tx, by.now(), feed_id)


def _named(asked: wire_feeds.NewFeed) -> Listed:
    """The feed that was meant. Raises PermanentError(BAD_INPUT) with what would do."""
    try:
        options = clean_options(asked.options)
        mode = "stream" if asked.listen else ""
        title = asked.title.replace("\0", "")
        return adding.checked(Listed(asked.address, asked.kind, title, asked.interval_s, options, mode=mode))
    except (PermanentError, ValueError) as error:
        raise PermanentError(Reason.BAD_INPUT, str(error)) from error


def _heard(by: Means, found: Listed) -> tuple[Page, FramewatchError | None]:
    about = timedelta(minutes=15)
    feed = Feed(0, found.kind, found.address, "", "enabled", "wall", dict(found.options), {}, about, None, 0)
    try:
        outside = by.outside()
        places = discover(found.kind, outside, found.address)
        if places and places[0][0] != found.address:
            feed = replace(feed, address=places[0][0])
        return source_for(found.kind, outside).fetch(feed, by.now()), None
    except FramewatchError as error:
        return Page(), error
