"""What is said and asked of changing a codebook: one model a message, every field described with its unit. No logic."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.wire import Cursor, Wire

Gained = Annotated[int, Field(description="Posts that would carry the frame and do not now.")]
Lost = Annotated[int, Field(description="Posts that carry the frame now and would not.")]


class CodebookText(BaseModel):
    """A codebook as its file has it."""

    model_config = ConfigDict(extra="forbid")

    text: Annotated[str, Field(min_length=1, max_length=4_000_000, description="YAML, as in a codebook's file.")]


class SourceFlips(Wire):
    """Posts of one source that change."""

    source: Annotated[str, Field(description="Kind of source.")]
    gained: Gained
    lost: Lost


class WeekFlips(Wire):
    """Posts of one week that change."""

    week: Annotated[datetime, Field(description="Its Monday, 00:00 UTC.")]
    gained: Gained
    lost: Lost


class RedrawnPoint(Wire):
    """One day of a frame's trend, as it is and as it would be."""

    at: Annotated[datetime, Field(description="Start of the day, UTC.")]
    posts_before: Annotated[int, Field(description="Posts now.")]
    posts_after: Annotated[int, Field(description="Posts then.")]
    units_before: Annotated[int, Field(description="Independent voices now.")]
    units_after: Annotated[int, Field(description="Independent voices then.")]


class Flip(Wire):
    """One post that would gain or lose a frame."""

    post_id: Annotated[int, Field(description="Our number of the post.")]
    source: Annotated[str, Field(description="Kind of source.")]
    url: Annotated[str, Field(description="Where it is; may be empty.")]
    lang: Annotated[str, Field(description="Language, `und` when unknown.")]
    text: Annotated[str, Field(description="Its text. Somebody else's: show it as text only.")]
    published_at: Annotated[datetime, Field(description="When it was published.")]
    before: Annotated[float | None, Field(description="Probability now, 0 to 1; null: not carried now.")]
    after: Annotated[float | None, Field(description="Probability then, 0 to 1; null for a frame that goes.")]


class RedrawnAlert(Wire):
    """An alert that a rule would raise on one of the two trends and not on the other."""

    rule: Annotated[str, Field(description="Name of the rule.")]
    onset: Annotated[datetime, Field(description="Start of its first bucket.")]
    last: Annotated[datetime, Field(description="Start of its last bucket that was a burst.")]
    fired_at: Annotated[datetime, Field(description="When the team would have been told.")]
    posts: Annotated[int, Field(description="Posts behind it then.")]
    units: Annotated[int, Field(description="Independent voices behind it then.")]


class FramePreview(Wire):
    """What would become of one frame."""

    frame: Annotated[str, Field(description="Id of the frame.")]
    title: Annotated[str, Field(description="Title of the frame, the new one where it changes.")]
    change: Annotated[Literal["kept", "added", "removed"], Field(description="What becomes of the frame itself.")]
    threshold: Annotated[float | None, Field(description="Probability, 0 to 1, that would carry it; null: removed.")]
    before: Annotated[int, Field(description="Posts that carry it now.")]
    after: Annotated[int, Field(description="Posts that would carry it.")]
    gained: Gained
    lost: Lost
    sources: Annotated[tuple[SourceFlips, ...], Field(description="Sources with posts that change.")]
    weeks: Annotated[tuple[WeekFlips, ...], Field(description="Weeks with posts that change.")]
    trend: Annotated[tuple[RedrawnPoint, ...], Field(description="Days on which posts carry it, now or then.")]
    gains: Annotated[tuple[Flip, ...], Field(description="Posts that would gain it, nearest to the threshold first.")]
    losses: Annotated[tuple[Flip, ...], Field(description="Posts that would lose it, nearest to the threshold first.")]
    alerts_appear: Annotated[tuple[RedrawnAlert, ...], Field(description="Past alerts that would be raised then only.")]
    alerts_vanish: Annotated[tuple[RedrawnAlert, ...], Field(description="Past alerts that are raised now only.")]


class Preview(Wire):
    """What a codebook would change on stored history. Nothing is written."""

    codebook: Annotated[str, Field(description="Id of the codebook.")]
    version: Annotated[int | None, Field(description="The current version it is compared with; null: a new codebook.")]
    model: Annotated[str, Field(description="Model that scored.")]
    posts: Annotated[int, Field(description="Stored posts that were looked at.")]
    left_out: Annotated[int, Field(description="Stored posts that have not been read by the model yet.")]
    moved: Annotated[int, Field(description="Posts that would gain or lose a frame.")]
    days: Annotated[int, Field(description="Days of history on which past alerts were replayed.")]
    took_seconds: Annotated[float, Field(description="Seconds that this preview took.")]
    apply_seconds: Annotated[float, Field(description="Seconds until readers would switch, about.")]
    frames: Annotated[tuple[FramePreview, ...], Field(description="Frames of the codebook, then those that go.")]


class Progress(Wire):
    """A version that is being built."""

    codebook: Annotated[str, Field(description="Id of the codebook.")]
    kind: Annotated[Literal["apply", "rollback"], Field(description="What was asked.")]
    from_version: Annotated[int | None, Field(description="The version readers see meanwhile; null: none.")]
    to_version: Annotated[int, Field(description="The version that becomes current.")]
    asked_by: Annotated[str, Field(description="Who asked.")]
    asked_at: Annotated[datetime, Field(description="When.")]
    posts: Annotated[int, Field(description="Posts to score in all.")]
    done: Annotated[int, Field(description="Posts scored so far.")]
    share: Annotated[float, Field(description="Part that is done, 0 to 1.")]


class Change(Wire):
    """One entry of the audit."""

    change_id: Annotated[int, Field(description="Its number.")]
    codebook: Annotated[str, Field(description="Id of the codebook.")]
    kind: Annotated[Literal["apply", "rollback"], Field(description="What was asked.")]
    from_version: Annotated[int | None, Field(description="The version before; null: none.")]
    to_version: Annotated[int, Field(description="The version asked for.")]
    asked_by: Annotated[str, Field(description="Who asked; empty when nobody knows.")]
    asked_at: Annotated[datetime, Field(description="When.")]
    state: Annotated[Literal["building", "done", "overtaken"], Field(description="What became of it.")]
    ended_at: Annotated[datetime | None, Field(description="When readers switched, or it was given up; null: not yet.")]
    posts: Annotated[int, Field(description="Posts that were to be scored.")]
    moved: Annotated[int | None, Field(description="Posts that gained or lost a frame; null unless done.")]
    gained: Annotated[int | None, Field(description="Frames that posts gained; null unless done.")]
    lost: Annotated[int | None, Field(description="Frames that posts lost; null unless done.")]


class Changes(Wire):
    """What is being built, and who changed what."""

    building: Annotated[tuple[Progress, ...], Field(description="Versions that are being built.")]
    changes: Annotated[tuple[Change, ...], Field(description="The audit, the newest first.")]
    next: Cursor


class Applied(Wire):
    """What became of an apply or a rollback."""

    codebook: Annotated[str, Field(description="Id of the codebook.")]
    version: Annotated[int, Field(description="Version that is current, or becomes so.")]
    state: Annotated[Literal["building", "current"], Field(description="Whether readers see it already.")]
    posts: Annotated[int, Field(description="Stored posts that are scored first.")]


class VersionText(Wire):
    """A version as its file had it."""

    codebook: Annotated[str, Field(description="Id of the codebook.")]
    version: Annotated[int, Field(description="Its number.")]
    state: Annotated[Literal["building", "current", "retired"], Field(description="Whether readers see it.")]
    text: Annotated[str, Field(description="YAML, byte by byte.")]


class RollbackAsked(BaseModel):
    """Which version to bring back."""

    model_config = ConfigDict(extra="forbid")

    to: Annotated[
        int | None,
        Field(ge=1, le=2**31 - 1, description="Number of the version; null: that before the current one."),
    ] = None
