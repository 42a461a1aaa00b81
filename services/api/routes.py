"""The routes of the API: each reads the store once and answers with a wire model. Nothing is decided here."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request

from schemas import wire, wire_feeds, wire_why
from services.analysis.alerting import Rule
from services.analysis.intake import Intake
from services.api import questions
from services.api.readiness import read_ready
from services.store import listings, readings
from services.store.pool import Store
from services.why import Borrow, why_post


@dataclass(frozen=True, slots=True)
class Means:
    """What a route needs."""

    store: Store
    now: Callable[[], datetime]
    intake: Callable[[], Intake]
    """What posts that are sent to us are made with; raises PermanentError(BAD_CONFIG) without a secret for authors."""
    borrow: Borrow
    """Lends the encoder."""
    rule: Rule
    """The rule of the settings."""


def means(request: Request) -> Means:
    """The means of the app that serves this request."""
    found: Means = request.app.state.means
    return found


With = Annotated[Means, Depends(means)]
FAULTS: dict[int | str, dict[str, Any]] = {
    status: {"model": wire.Problem, "description": told}
    for status, told in (
        (400, "What is asked for is too much, or the cursor is not ours."),
        (401, "The token is missing or wrong."),
        (403, "The token is not good for this."),
        (404, "There is no such thing."),
        (422, "A parameter has the wrong form."),
        (429, "Too many requests; Retry-After says when to come back."),
        (503, "The database is away, or the model; Retry-After says when to come back, if that will help."),
    )
}
probes = APIRouter(tags=["probes"])
router = APIRouter(prefix="/api/v1", tags=["narratives"], responses=FAULTS)


@probes.get("/healthz", summary="Is this process alive?")
def health() -> wire.Health:
    """Asks nobody."""
    return wire.Health()


@probes.get("/readyz", summary="Can readers rely on what they see?", responses={503: FAULTS[503]})
def ready(by: With) -> wire.Ready:
    """Database reachable, schema current, stages ticking, partitions ahead; else 503 naming what is not."""
    with by.store.transaction() as tx:
        return read_ready(tx, by.now())


@router.get("/frames", summary="The current frames and how each does")
def frames(by: With) -> wire.Frames:
    """Newest verdict, and the 24 hours before the present."""
    with by.store.transaction() as tx:
        return readings.read_frames(tx, by.now())


@router.get("/trends", summary="A frame over time")
def trends(by: With, asked: Annotated[questions.TrendQuestion, Query()]) -> wire.Trend:
    """Every step of the period is there; where nothing was heard, counts are null."""
    with by.store.transaction() as tx:
        return readings.read_trend(tx, by.now(), **dict(asked))


@router.get("/posts", summary="Posts, newest first")
def posts(by: With, asked: Annotated[questions.PostQuestion, Query()]) -> wire.PostPage:
    """Pages by cursor: complete and without repeats, whatever arrives meanwhile."""
    told = dict(asked)
    told |= questions.position(told.pop("cursor"), int)
    with by.store.transaction() as tx:
        page = listings.read_posts(tx, by.now(), **told)
    last = page.posts[-1] if len(page.posts) == asked.limit else None
    return page.model_copy(update={"next": last and questions.cursor(last.published_at, last.post_id, page.since)})


@router.get("/posts/{post_id}/why", summary="Why a post got its frames")
def why(
    by: With,
    post_id: Annotated[int, Path(description="Our number of the post.", ge=1, le=questions.BIGINT)],
    asked: Annotated[questions.WhyQuestion, Query()],
) -> wire_why.Why:
    """The nearest texts of the codebook, what each moved, and the words that carried the answer.

    The first question after a rest loads the model, which takes a second or two.
    """
    return why_post(by.store, by.borrow, post_id, **dict(asked))


@router.get("/alerts", summary="Alerts, newest first")
def alerts(by: With, asked: Annotated[questions.AlertQuestion, Query()]) -> wire.AlertPage:
    """Bursts and outages, those that go on and those that are over."""
    told = dict(asked)
    told |= questions.position(told.pop("cursor"), str)
    with by.store.transaction() as tx:
        page = listings.read_alerts(tx, by.now(), **told)
    last = page.alerts[-1] if len(page.alerts) == asked.limit else None
    return page.model_copy(update={"next": last and questions.cursor(last.raised_at, last.alert_id)})


@router.get("/alerts/{alert_id}", summary="One alert with its evidence")
def alert(by: With, alert_id: Annotated[str, Path(description="Id of the alert.")]) -> wire.Alert:
    """Evidence as it was when the alert fired, deliveries, and the counts as they are now."""
    with by.store.transaction() as tx:
        return listings.read_alert(tx, by.now(), alert_id)


@router.get("/feeds", summary="Every feed and its health")
def feeds(by: With) -> wire_feeds.Feeds:
    """What is listened to, until when each was heard, and what went wrong last."""
    with by.store.transaction() as tx:
        return listings.read_feeds(tx, by.now())


@router.get("/codebooks", summary="Every version of every codebook")
def codebooks(by: With) -> wire.Codebooks:
    """Versions with their state."""
    with by.store.transaction() as tx:
        return listings.read_codebooks(tx, by.now())


@router.get("/digests/latest", summary="The newest digest")
def latest_digest(by: With) -> wire.Digest:
    """404 before the first."""
    with by.store.transaction() as tx:
        return listings.read_last_digest(tx, by.now())
