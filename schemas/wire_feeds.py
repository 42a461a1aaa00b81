"""What the API answers about feeds. Times are UTC."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from schemas.wire import Present, Wire


def _about(text: str) -> Any:
    return Field(description=text)


class Feed(Wire):
    """One feed and its health."""

    feed_id: Annotated[int, _about("Our number of the feed.")]
    source: Annotated[str, _about("Kind of place.")]
    address: Annotated[str, _about("Its address there, without passwords.")]
    title: Annotated[str, _about("Its title; empty when it has none.")]
    state: Annotated[Literal["enabled", "paused", "ended"], _about("Whether it is fetched.")]
    mode: Annotated[
        Literal["poll", "stream", "push"], _about("How it is heard: asked now and then, listened to, or sent to us.")
    ]
    clock: Annotated[Literal["wall", "feed"], _about("`feed` for a replay that lives in its own time.")]
    interval_s: Annotated[int, _about("Wanted time between fetches, seconds.")]
    pace: Annotated[float, _about("What that time is multiplied with, by how much of each page was known.")]
    rate: Annotated[float | None, _about("Posts an hour it usually brings; null when not known yet.")]
    added_at: Annotated[datetime, _about("When it was added.")]
    fetched_at: Annotated[datetime | None, _about("When it was last fetched, with or without success.")]
    next_fetch_at: Annotated[datetime, _about("When it is due next.")]
    heard_until: Annotated[
        datetime | None, _about("Until when we have heard all it said; null before the first fetch.")
    ]
    failures: Annotated[int, _about("Failed fetches in a row.")]
    last_reason: Annotated[str | None, _about("Why the last fetch failed, from our closed list.")]
    last_error: Annotated[str | None, _about("The same in words.")]
    warning: Annotated[str | None, _about("What is odd about it though it does not fail: posts missed, silence.")]
    posts: Annotated[int, _about("Number of posts it brought first.")]


class Feeds(Wire):
    """Every feed."""

    present: Present
    feeds: Annotated[tuple[Feed, ...], _about("In the order they were added.")]
