"""What the API says and is told of rules and mutes: one model a message, every field described. No logic but forms."""

from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from schemas.wire import Wire


class SavedRule(Wire):
    """A rule as it is in force, what its terms leave out filled in."""

    name: Annotated[str, Field(description="Its name.")]
    saved: Annotated[bool, Field(description="Whether it is a row; false: it is the rule of the settings.")]
    changed_at: Annotated[datetime | None, Field(description="When it was saved last; null for that of the settings.")]
    frame: Annotated[str | None, Field(description="Frame it decides for; null: every one without a rule of its own.")]
    budget: Annotated[float, Field(description="False alarms a week it accepts, over all frames together.")]
    min_posts: Annotated[int, Field(description="Posts that must stand behind a burst.")]
    min_authors: Annotated[int, Field(description="Distinct authors that must.")]
    min_units: Annotated[int, Field(description="Independent voices that must.")]
    min_share: Annotated[float, Field(description="Part of all posts of the time that must carry it, 0 to 1.")]
    one_source: Annotated[bool, Field(description="Whether posts of one source alone are enough.")]
    factor: Annotated[float, Field(description="Growth since the last message that is told again, as a factor.")]
    more_voices: Annotated[int, Field(description="New independent voices that are told again.")]
    channels: Annotated[tuple[str, ...] | None, Field(description="Channels that are told; null: every one.")]
    quiet: Annotated[str | None, Field(description="Hours in which nothing is told, `22:00-07:00 Europe/Berlin`.")]
    enabled: Annotated[bool, Field(description="Whether it is in force.")]


class Rules(Wire):
    """Every rule there is."""

    rules: Annotated[tuple[SavedRule, ...], Field(description="The saved ones by name, and that of the settings.")]


class NewMute(BaseModel):
    """What nothing is to be told of: a frame or a feed, one of the two."""

    model_config = ConfigDict(extra="forbid")

    frame: Annotated[str | None, Field(description="Id of a current frame.", max_length=80)] = None
    feed_id: Annotated[int | None, Field(description="Our number of a feed.", ge=1, le=2**63 - 1)] = None
    until: Annotated[AwareDatetime | None, Field(description="RFC 3339 with offset; null: for good.")] = None

    @model_validator(mode="after")
    def _one(self) -> "NewMute":
        if (self.frame is None) == (self.feed_id is None):
            raise ValueError("name either a frame or a feed_id")
        return self


class Mute(Wire):
    """A frame or a feed of which nothing is told."""

    mute_id: Annotated[int, Field(description="Our number of it.")]
    frame: Annotated[str | None, Field(description="Id of the frame; null for a feed.")]
    feed_id: Annotated[int | None, Field(description="Our number of the feed; null for a frame.")]
    until: Annotated[datetime | None, Field(description="When it ends; null: for good.")]
    made_at: Annotated[datetime, Field(description="When it was made.")]


class Mutes(Wire):
    """What nobody wants to hear of now."""

    mutes: Annotated[tuple[Mute, ...], Field(description="Oldest first.")]
