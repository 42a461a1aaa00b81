"""What the API says of digests beyond their contents: one model a message, every field described. No logic."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from schemas.wire import Wire


class DigestSchedule(Wire):
    """One digest: when it goes out and to whom."""

    digest: Annotated[str, Field(description="Its name.")]
    schedule: Annotated[str, Field(description="Cron expression: minute hour day month weekday.")]
    timezone: Annotated[str, Field(description="The reader's time zone (IANA), in which the schedule is meant.")]
    silent_when_empty: Annotated[bool, Field(description="Whether nothing is sent when there is no news.")]
    channels: Annotated[tuple[str, ...] | None, Field(description="Channels it goes to; null: every one.")]
    last_slot: Annotated[datetime | None, Field(description="The newest slot that was filled; null before the first.")]
    next_slot: Annotated[datetime, Field(description="When it goes out next, by the clock.")]


class Digests(Wire):
    """Every digest that is sent by schedule."""

    digests: Annotated[tuple[DigestSchedule, ...], Field(description="By name.")]
