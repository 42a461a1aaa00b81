"""What every route is given and may answer, and the probes. The other routes are in a file a topic; none decides."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request

from schemas import wire
from schemas.errors import PermanentError, Reason
from services.analysis.alerting import Rule
from services.analysis.intake import Intake
from services.api.readiness import read_ready
from services.sources import Means as SourceMeans
from services.store.pool import Store
from services.usecases.why import Borrow


def _nothing_outside() -> SourceMeans:
    raise PermanentError(Reason.BAD_INPUT, "this process asks nobody outside for anything")


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
    outside: Callable[[], SourceMeans] = _nothing_outside
    """What feeds and channels are tried with; raises PermanentError(BAD_CONFIG) where nothing may be asked for."""
    public_url: str = ""
    """Address of the console as readers see it."""


async def means(request: Request) -> Means:
    """The means of the app that serves this request."""
    # It waits for nothing; as a plain function it would be given a thread.
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
        (415, "Content-Type is missing, or not one that is taken."),
        (422, "A parameter has the wrong form."),
        (429, "Too many requests; Retry-After says when to come back."),
        (503, "The database is away, or the model; Retry-After says when to come back, if that will help."),
    )
}
probes = APIRouter(tags=["probes"])


@probes.get("/healthz", summary="Is this process alive?")
def health() -> wire.Health:
    """Asks nobody."""
    return wire.Health()


@probes.get("/readyz", summary="Can readers rely on what they see?", responses={503: FAULTS[503]})
def ready(by: With) -> wire.Ready:
    """Database reachable, schema current, stages ticking, partitions ahead; else 503 naming what is not."""
    with by.store.transaction() as tx:
        return read_ready(tx, by.now())
