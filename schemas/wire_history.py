"""What the API says of what happened to an alert: one model, every field described. It holds no logic."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from schemas.wire_base import Wire


class AlertStep(Wire):
    """One thing that happened to an alert after it began."""

    what: Annotated[
        Literal["raised", "delivered", "waiting", "parked", "silenced", "escalated", "acknowledged", "snoozed", "muted",
                "unmuted", "resolved"],
        Field(description="What happened; delivered, waiting, parked and silenced are of one message to one channel."),
    ]  # fmt: skip
    at: Annotated[datetime | None, Field(description="When, by the clock; null where it was not kept.")]
    by: Annotated[str | None, Field(description="Who did it: name of a token, `operator`, `console`, or a user of the "
                                                "machine; null: framewatch itself.")]  # fmt: skip
    message: Annotated[str | None, Field(description="Of a message, which: firing, escalated or resolved.")]
    channel: Annotated[str | None, Field(description="Name of the channel it went to, or would have.")]
    why: Annotated[str | None, Field(description="Why: of an escalation what grew, of a message what held it back.")]
    until: Annotated[
        datetime | None,
        Field(description="End of a snooze or a mute (null: for good); of a message that waits, its next try."),
    ]
    attempts: Annotated[int | None, Field(description="Of a message: number of tries so far.")]
