"""The routes of rules and mutes: who is told of what, and what nobody wants to hear of. They decide nothing."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Body, Path, Response

from schemas import wire_rules
from schemas.errors import PermanentError, Reason
from schemas.rule import NAME, RuleTerms
from services.analysis.alerting import Rule
from services.api.callers import Actor, needs
from services.api.questions import BIGINT
from services.api.routes import FAULTS, With
from services.store import rules
from services.store.pool import Row

router = APIRouter(prefix="/api/v1", tags=["rules"], responses=FAULTS)
RuleName = Annotated[str, Path(description="Name of the rule.", pattern=f"^{NAME}$", max_length=60)]
MuteId = Annotated[int, Path(description="Number of the mute.", ge=1, le=BIGINT)]


@router.get("/rules", summary="Every rule in force")
def list_rules(by: With) -> wire_rules.Rules:
    """`burst` is the rule of the settings while no saved one has its name."""
    with by.store.transaction() as tx:
        saved = {r["name"]: r for r in rules.list_rules(tx)}
        found = rules.in_force(tx, by.rule)
    return wire_rules.Rules(rules=tuple(_rule(r, saved.get(r.name)) for r in found))


@router.put("/rules/{name}", summary="Save a rule")
def set_rule(by: With, name: RuleName, terms: Annotated[RuleTerms, Body()]) -> wire_rules.SavedRule:
    """What is left out is as in the rule of the settings. A rule for one frame decides there alone."""
    with by.store.transaction() as tx:
        rule = rules.checked(tx, name, terms, by.rule)
        rules.set_rule(tx, name, terms.model_dump(mode="json", exclude_defaults=True), by.now())
        saved = {r["name"]: r for r in rules.list_rules(tx)}
    return _rule(rule, saved[name])


@router.delete("/rules/{name}", summary="Forget a saved rule", status_code=204)
def remove_rule(by: With, name: RuleName) -> Response:
    """404 when none of this name is saved."""
    with by.store.transaction() as tx:
        if not rules.remove_rule(tx, name):
            raise PermanentError(Reason.NOT_FOUND, f"there is no saved rule {name}")
    return Response(status_code=204)


@router.get("/mutes", summary="What nobody wants to hear of")
def list_mutes(by: With) -> wire_rules.Mutes:
    """Those in force."""
    with by.store.transaction() as tx:
        return wire_rules.Mutes(mutes=tuple(_mute(m) for m in rules.list_mutes(tx, by.now())))


@router.post("/mutes", summary="Tell nobody of a frame or a feed", status_code=201, openapi_extra=needs("write"))
def add_mute(by: With, asked: Annotated[wire_rules.NewMute, Body()], who: Actor) -> wire_rules.Mute:
    """Alerts are still raised and kept."""
    now = by.now()
    if asked.until is not None and asked.until <= now:
        raise PermanentError(Reason.BAD_INPUT, "mute until a time that is still to come")
    about = {"frame": asked.frame, "feed_id": asked.feed_id}
    with by.store.transaction() as tx:
        rules.check_muted(tx, frame=asked.frame, feed_id=asked.feed_id)
        mute_id = rules.add_mute(tx, frame=asked.frame, feed_id=asked.feed_id, until=asked.until, now=now, by=who)
    return _mute({**about, "mute_id": mute_id, "until": asked.until, "made_at": now})


@router.delete("/mutes/{mute_id}", summary="Speak of it again", status_code=204, openapi_extra=needs("write"))
def end_mute(by: With, mute_id: MuteId, who: Actor) -> Response:
    """404 when there is no such mute."""
    with by.store.transaction() as tx:
        if not rules.end_mute(tx, mute_id, now=by.now(), by=who):
            raise PermanentError(Reason.NOT_FOUND, f"there is no mute {mute_id}")
    return Response(status_code=204)


def _mute(row: Row) -> wire_rules.Mute:
    until: datetime | None = row["until"]
    keys = ("mute_id", "frame", "feed_id", "made_at")
    return wire_rules.Mute(until=until, **{k: row[k] for k in keys})


_OWN = ("frame", "budget", "min_posts", "min_authors", "min_units", "min_share", "one_source", "channels", "enabled")


def _rule(rule: Rule, saved: Row | None) -> wire_rules.SavedRule:
    """A rule in force and its row, as the API tells it."""
    own: Row = {k: getattr(rule, k) for k in _OWN}
    own |= {"name": rule.name, "factor": rule.growth.factor, "more_voices": rule.growth.more_voices}
    own |= {"saved": saved is not None, "changed_at": saved["changed_at"] if saved else None}
    return wire_rules.SavedRule(quiet=saved["terms"].get("quiet") if saved else None, **own)
