"""What the API answers about feeds. Times are UTC."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.records import HealthWord
from schemas.wire import Present, Wire


def _about(text: str) -> Any:
    return Field(description=text)


class Feed(Wire):
    """One feed and its health."""

    feed_id: Annotated[int, _about("Our number of the feed.")]
    source: Annotated[str, _about("Kind of place.")]
    address: Annotated[str, _about("Its address there, without passwords.")]
    title: Annotated[str, _about("Its title; empty when it has none.")]
    state: Annotated[
        Literal["enabled", "paused", "ended"],
        _about("Whether it is fetched: `paused` by somebody, `ended` when nothing more comes of it."),
    ]
    health: Annotated[
        HealthWord,
        _about(
            "How it does, in the word that every page and command says. `failing`: the last attempt to hear it failed; "
            "`late`: nothing was heard for longer than it should take; `warning`: heard, but posts may be missing, or "
            "it has moved; `new`: not heard yet; `replaying`: posts of the past are read in their own time; `heard`: "
            "all is well; `paused`, `ended`: as its `state`."
        ),
    ]
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


class NewFeed(BaseModel):
    """A feed to add or to try."""

    model_config = ConfigDict(extra="forbid")

    address: Annotated[str, Field(description="Address, `#tag@host`, `@user@host`, …", min_length=1, max_length=2000)]
    kind: Annotated[
        str, Field(description="Kind of place; empty: as the address tells.", max_length=40, pattern="^[a-z0-9_-]*$")
    ] = ""
    title: Annotated[str, Field(description="A name of your own; empty: the feed's.", max_length=300)] = ""
    interval_s: Annotated[
        int, Field(description="Wanted time between fetches, seconds; 0: as usual for its kind.", ge=0, le=31 * 86_400)
    ] = 0
    listen: Annotated[bool, Field(description="Hold a connection instead of asking now and then.")] = False
    options: Annotated[dict[str, Any], Field(description="Options of its kind, such as `page`.")] = {}


class FeedHealth(Feed):
    """One feed, and what became of all it brought."""

    present: Present
    lag_s: Annotated[float | None, _about("Seconds since it was last heard; null before the first fetch.")]
    coverage: Annotated[
        float | None, _about("Part of the expected time of the 24 hours before the present heard, 0 to 1; null: none.")
    ]
    intake: Annotated[dict[str, int], _about("Number of posts by what became of them: fetched, new, duplicate, …")]


class CheckedPost(Wire):
    """A post as it would be stored; its author becomes a pseudonym before."""

    native_id: Annotated[str, _about("Its id there.")]
    text: Annotated[str, _about("The text, cleaned. Somebody else's: show it as text only.")]
    published_at: Annotated[datetime | None, _about("When it was published; null when it does not say.")]
    lang: Annotated[str, _about("Language as it says, BCP 47; empty when it does not.")]
    url: Annotated[str, _about("Where it can be read; empty when unknown.")]


class CheckedFeed(Wire):
    """What came of asking a feed once. Nothing was stored."""

    source: Annotated[str, _about("Kind of place.")]
    address: Annotated[str, _about("The form in which the address would be kept, without passwords.")]
    title: Annotated[str, _about("Its own title; empty when it has none.")]
    posts: Annotated[tuple[CheckedPost, ...], _about("What would be stored, at most 100 of them.")]
    found: Annotated[int, _about("Number of posts it brought.")]
    dropped: Annotated[dict[str, int], _about("Number of what could not become posts, by reason.")]
    reason: Annotated[str | None, _about("Why it could not be heard, from our closed list; null when it was.")]
    told: Annotated[str | None, _about("The same in words.")]
