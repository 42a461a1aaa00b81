"""What the API says of channels: one model a message, every field described. No logic."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from schemas.wire import Wire


class Channel(Wire):
    """One place where alerts and digests go."""

    name: Annotated[str, Field(description="Its name.")]
    kind: Annotated[str, Field(description="`mail`, `webhook`, `slack`, …")]
    state: Annotated[Literal["enabled", "paused"], Field(description="Whether anything is sent.")]
    quiet: Annotated[str | None, Field(description="Hours in which nothing is sent; null: none.")]
    config: Annotated[dict[str, Any], Field(description="Its configuration, secrets hidden.")]


class Channels(Wire):
    """Every channel."""

    channels: Annotated[tuple[Channel, ...], Field(description="In the order they were added.")]


class Tested(Wire):
    """What came of a test message."""

    channel: Annotated[str, Field(description="Name of the channel.")]
    taken: Annotated[bool, Field(description="Whether it took the message.")]
    reason: Annotated[str | None, Field(description="Why it did not, from our closed list; null when it did.")]
    told: Annotated[str | None, Field(description="The same in words.")]


class Retried(Wire):
    """What is sent once more."""

    channel: Annotated[str, Field(description="Name of the channel.")]
    messages: Annotated[int, Field(description="Number of messages that were set aside and are queued again.")]
    oldest: Annotated[datetime | None, Field(description="When the oldest of them was made; null where there is none.")]
