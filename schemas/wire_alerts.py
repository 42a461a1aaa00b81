"""What the API says and is asked about alerts beyond reading them: one model a message, every field described."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from schemas.wire import Since, Until, Wire

State = Annotated[str, Field(description="firing or escalated: it goes on; resolved: it is over.")]


class Stand(Wire):
    """Where an alert stands after what was asked."""

    alert_id: Annotated[str, Field(description="Its id for ever.")]
    state: State
    acked_at: Annotated[datetime | None, Field(description="When somebody took it in hand; null while nobody did.")]
    snoozed_until: Annotated[datetime | None, Field(description="Until when nothing is told of it; null: told.")]


class Snooze(BaseModel):
    """Until when nothing is to be told."""

    model_config = ConfigDict(extra="forbid")

    until: Annotated[AwareDatetime, Field(description="RFC 3339 with offset; still to come.")]


class Counted(Wire):
    """What stood behind a firing."""

    posts: Annotated[int, Field(description="Number of posts.")]
    texts: Annotated[int, Field(description="Number of distinct texts.")]
    units: Annotated[int, Field(description="Number of independent voices.")]
    authors: Annotated[int, Field(description="Number of distinct authors.")]
    publishers: Annotated[int, Field(description="Number of publishers linked to or published at.")]


class Firing(Wire):
    """One alert that the rule would have raised."""

    alert_id: Annotated[str, Field(description="The id it would have, or has.")]
    codebook: Annotated[str, Field(description="Codebook of the frame.")]
    frame: Annotated[str, Field(description="Id of the frame.")]
    title: Annotated[str, Field(description="Title of the frame.")]
    onset: Annotated[datetime, Field(description="Start of its first bucket.")]
    fired_at: Annotated[datetime, Field(description="End of the bucket in which enough stood behind it.")]
    last: Annotated[datetime, Field(description="Start of its last bucket that was a burst.")]
    over: Annotated[datetime | None, Field(description="When it was judged over; null: it goes on.")]
    counts: Annotated[Counted, Field(description="What stood behind it when it fired.")]
    expected: Annotated[float, Field(description="Voices the past explains for the same time.")]
    reason: Annotated[str, Field(description="Why the team would have been told.")]


class DryRun(Wire):
    """What a rule would have fired on stored history."""

    rule: Annotated[str, Field(description="Its name.")]
    since: Since
    until: Until
    days: Annotated[int, Field(description="Days looked at.")]
    frames: Annotated[int, Field(description="Number of frames looked at.")]
    again_within_a_day: Annotated[int, Field(description="Firings within a day of one before in the same frame.")]
    firings: Annotated[tuple[Firing, ...], Field(description="Oldest first.")]


class Difference(Wire):
    """One field of the evidence that stored data no longer says."""

    field: Annotated[str, Field(description="Which field.")]
    then: Annotated[Any, Field(description="What it was when the alert fired.")]
    now: Annotated[Any, Field(description="What it is now.")]
    told: Annotated[str, Field(description="The same in words, and why, where that is known.")]


class Causes(Wire):
    """What changed since an alert fired."""

    late_arrivals: Annotated[int, Field(description="Number of posts of that time that came later.")]
    deleted_since: Annotated[int, Field(description="Number of posts deleted since, of any frame.")]


class Recheck(Wire):
    """The evidence of an alert beside what stored data says now."""

    alert_id: Annotated[str, Field(description="Its id for ever.")]
    differences: Annotated[tuple[Difference, ...], Field(description="Empty: stored data says the same.")]
    causes: Annotated[Causes, Field(description="What changed meanwhile.")]
