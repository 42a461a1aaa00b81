"""The routes that say what is to become of an alert, and what a rule would have fired. They decide nothing."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Path, Query, Request
from pydantic import Field

from schemas import wire_alerts
from schemas.rule import NAME, check
from services.api.callers import Actor, needs
from services.api.problems import take_only
from services.api.questions import Question
from services.api.routes import FAULTS, Means, means
from services.store import announcing, rules
from services.store.dry_run import MAX_DAYS, dry_run
from services.store.pool import Row

alerting = APIRouter(prefix="/api/v1", tags=["alerts"], responses=FAULTS)
By = Annotated[Means, Depends(means)]
AlertId = Annotated[str, Path(description="Id of the alert.", pattern="^[0-9a-f]{1,64}$")]


def as_json(request: Request) -> None:
    """Raises HTTPException(415) for what a web page of another site could send without asking first."""
    take_only(request, "application/json")


Preflighted = [Depends(as_json)]


class DryRunQuestion(Question):
    """Which rule, over how long; the fields of a rule that are named change the saved one of the name, or make one."""

    rule: Annotated[str, Field(description="A saved rule, or a new one's name.", pattern=f"^{NAME}$")] = "burst"
    days: Annotated[int, Field(description="Days of stored history.", ge=1, le=MAX_DAYS)] = 30
    frame: Annotated[str | None, Field(description="Only this frame.", max_length=80)] = None
    budget: Annotated[float | None, Field(description="False alarms a week.", gt=0, le=10_000)] = None
    min_posts: Annotated[int | None, Field(description="Posts behind it.", ge=1, le=1_000_000)] = None
    min_authors: Annotated[int | None, Field(description="Authors behind it.", ge=1, le=1_000_000)] = None
    min_units: Annotated[int | None, Field(description="Voices behind it.", ge=0, le=1_000_000)] = None
    min_share: Annotated[float | None, Field(description="Part of all posts, 0 to 1.", ge=0, le=1)] = None
    min_promotes: Annotated[
        float | None, Field(description="Part that promotes, of posts of known stance, 0 to 1.", ge=0, le=1)
    ] = None
    one_source: Annotated[bool | None, Field(description="Whether one source alone is enough.")] = None

    def terms(self) -> dict[str, Any]:
        """The fields of a rule that were named."""
        return self.model_dump(exclude={"rule", "days"}, exclude_none=True)


@alerting.get("/alerts/dry-run", summary="What a rule would have fired on stored history")
def dry(by: By, asked: Annotated[DryRunQuestion, Query()]) -> wire_alerts.DryRun:
    """Nothing is saved, raised or sent."""
    with by.store.transaction() as tx:
        terms = asked.terms()
        if terms:
            saved: dict[str, Any] = next((r["terms"] for r in rules.list_rules(tx) if r["name"] == asked.rule), {})
            rule = rules.checked(tx, asked.rule, check({**saved, **terms}, asked.rule), by.rule)
        else:
            rule = rules.named(tx, asked.rule, by.rule)
        return wire_alerts.DryRun.model_validate(dry_run(tx, rule, days=asked.days, wall=by.now()))


@alerting.post(
    "/alerts/{alert_id}/ack", summary="Somebody has it in hand", dependencies=Preflighted, openapi_extra=needs("write")
)
def ack(by: By, alert_id: AlertId, who: Actor) -> wire_alerts.Stand:
    """Nothing more is told of it until it is over."""
    with by.store.transaction() as tx:
        return _stand(announcing.ack(tx, alert_id, by.now(), who))


@alerting.post(
    "/alerts/{alert_id}/snooze",
    summary="Say nothing of it until a time",
    dependencies=Preflighted,
    openapi_extra=needs("write"),
)
def snooze(by: By, alert_id: AlertId, asked: Annotated[wire_alerts.Snooze, Body()], who: Actor) -> wire_alerts.Stand:
    """What is news by then is told then."""
    with by.store.transaction() as tx:
        return _stand(announcing.snooze(tx, alert_id, asked.until, now=by.now(), by=who))


@alerting.post(
    "/alerts/{alert_id}/resolve", summary="End it by hand", dependencies=Preflighted, openapi_extra=needs("write")
)
def resolve(by: By, alert_id: AlertId, who: Actor) -> wire_alerts.Stand:
    """The same burst is not raised again."""
    with by.store.transaction() as tx:
        return _stand(announcing.end_by_hand(tx, alert_id, default=by.rule, now=by.now(), by=who))


def _stand(row: Row) -> wire_alerts.Stand:
    return wire_alerts.Stand(**{k: row[k] for k in wire_alerts.Stand.model_fields})
