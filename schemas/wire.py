"""What the API says: one model an answer, every field described with its unit. Times are RFC 3339, in UTC.

Holds no logic and asks nobody.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from schemas import wire_detection, wire_stance
from schemas.records import TimeQuality
from schemas.wire_base import Wire as Wire
from schemas.wire_detection import Coverage, Expected, ExpectedShare, State, Units, Upper, UpperShare
from schemas.wire_detection import Verdict as Verdict
from schemas.wire_history import AlertStep
from schemas.wire_quality import Quality


def _about(text: str) -> Any:
    return Field(description=text)


Present = Annotated[
    datetime,
    _about("The time the stream lives in: the clock's while live feeds are on, else how far replayed feeds have come."),
]
Since = Annotated[datetime, _about("Start of the period, included.")]
Until = Annotated[datetime, _about("End of the period, excluded.")]
Posts = Annotated[int | None, _about("Number of posts; null when nothing was heard: a gap is unknown, never zero.")]
Authors = Annotated[int | None, _about("Number of distinct authors (pseudonyms); null when unknown.")]
Share = Annotated[float | None, _about("Part of all scored posts that carry the frame, 0 to 1; null when unknown.")]
Cursor = Annotated[
    str | None,
    _about("Pass it as `cursor` to get the next page; null when this is the last. Opaque: do not take apart."),
]


class Fault(Wire):
    """One thing that is wrong with a request."""

    parameter: Annotated[str, _about("Name of the parameter.")]
    told: Annotated[str, _about("What is wrong with it.")]


class Problem(Wire):
    """An error, as RFC 9457 has it (application/problem+json)."""

    type: Annotated[str, _about("Kind of problem; about:blank means that the status says it all.")] = "about:blank"
    title: Annotated[str, _about("The kind of problem in a few words.")]
    status: Annotated[int, _about("HTTP status.")]
    detail: Annotated[str, _about("What is wrong here and now.")]
    reason: Annotated[str | None, _about("Reason from our closed list, when it is one of ours.")] = None
    errors: Annotated[tuple[Fault, ...], _about("The parameters that are wrong, if any.")] = ()
    request_id: Annotated[str, _about("Id of the request, as in X-Request-Id and in our log.")] = ""


class Health(Wire):
    """That this process is alive."""

    status: Annotated[Literal["alive"], _about("Always `alive`.")] = "alive"


class Ready(Wire):
    """That everything readers rely on is working."""

    status: Annotated[Literal["ready"], _about("Always `ready`; what is not is a problem, 503.")] = "ready"
    schema_number: Annotated[int, _about("Number of the newest migration of the database.")]
    stages: Annotated[dict[str, datetime], _about("When each stage last said that it ran.")]
    partition_days_ahead: Annotated[int, _about("Days from today that posts have partitions for.")]


class Frame(Wire):
    """One frame of a current codebook, and how it does in the 24 hours before the present."""

    codebook: Annotated[str, _about("Id of its codebook.")]
    version: Annotated[int, _about("Version of the codebook.")]
    codebook_title: Annotated[str, _about("Title of the codebook.")]
    frame: Annotated[str, _about("Id of the frame.")]
    title: Annotated[str, _about("Title of the frame.")]
    description: Annotated[str, _about("What the frame says.")]
    condition: wire_detection.FrameCondition
    detail: wire_detection.FrameDetail
    state: wire_detection.FrameState
    posts: Posts
    units: Units
    authors: Authors
    share: Share
    previous_share: Annotated[float | None, _about("The same share in the 24 hours before, 0 to 1; null when unknown.")]
    change: Annotated[float | None, _about("share − previous_share, −1 to 1; null when either is unknown.")]
    coverage: Coverage
    verdict: Annotated[Verdict | None, _about("The newest closed bucket; null before there is one.")]
    alert_id: wire_detection.FrameAlert
    quality: Annotated[Quality | None, _about("How good the frame is, as people judged; null when not asked for.")] = (
        None
    )


class Frames(Wire):
    """The frames of the current codebooks."""

    present: Present
    since: Since
    until: Until
    frames: Annotated[tuple[Frame, ...], _about("In the order of the codebooks.")]


class TrendPoint(Wire):
    """One step of a trend."""

    at: Annotated[datetime, _about("Start of the step.")]
    posts: Posts
    units: Units
    authors: Authors
    share: Share
    coverage: Coverage
    expected: Expected
    upper: Upper
    state: Annotated[State | None, _about("What was judged; only for steps of 1h of a whole frame, once closed.")]
    stances: wire_stance.Counts = None


class UsualPoint(TrendPoint):
    """The same with the usual range of the share. It is learned while somebody waits: the API does not tell it."""

    expected_share: ExpectedShare = None
    upper_share: UpperShare = None


class Trend(Wire):
    """A frame over time; every step of the period is there."""

    present: Present
    since: Since
    until: Until
    step_seconds: Annotated[int, _about("Length of a step in seconds.")]
    codebook: Annotated[str, _about("Id of the codebook.")]
    version: Annotated[int, _about("Version of the codebook.")]
    frame: Annotated[str, _about("Id of the frame, or `*` for all scored posts (then `units` and `authors` are null).")]
    title: Annotated[str, _about("Title of the frame.")]
    source: Annotated[str | None, _about("Only posts of this source; null for all.")]
    lang: Annotated[str | None, _about("Only posts in this language; null for all.")]
    stance: wire_stance.Only = None
    points: Annotated[tuple[TrendPoint, ...], _about("In order of time.")]


class FrameTrend(Wire):
    """One frame of several over the same time; its lists are as long as `at`."""

    frame: Annotated[str, _about("Id of the frame.")]
    title: Annotated[str, _about("Title of the frame.")]
    share: Annotated[tuple[Share, ...], _about("Part of all scored posts that carry it, 0 to 1, a step.")]
    posts: Annotated[tuple[Posts, ...], _about("Number of posts that carry it, a step.")]
    stances: wire_stance.CountsByStep = None


class Trends(Wire):
    """Several frames over the same time; every step of the period is there."""

    present: Present
    since: Since
    until: Until
    step_seconds: Annotated[int, _about("Length of a step in seconds.")]
    codebook: Annotated[str, _about("Id of the codebook.")]
    version: Annotated[int, _about("Version of the codebook.")]
    source: Annotated[str | None, _about("Only posts of this source; null for all.")]
    lang: Annotated[str | None, _about("Only posts in this language; null for all.")]
    at: Annotated[tuple[datetime, ...], _about("Start of each step, in order of time.")]
    coverage: Annotated[tuple[Coverage, ...], _about("Part of the expected feed time that was heard, a step.")]
    scored: Annotated[tuple[Posts, ...], _about("Number of all scored posts, a step: what shares are shares of.")]
    stance: wire_stance.Only = None
    frames: Annotated[tuple[FrameTrend, ...], _about("In the order of the codebook.")]


class Post(Wire):
    """One post. Its text is somebody else's: show it as text only."""

    post_id: Annotated[int, _about("Our number of the post.")]
    source: Annotated[str, _about("Kind of place it comes from.")]
    native_id: Annotated[str, _about("Its id there.")]
    url: Annotated[str, _about("Where it can be read; empty when unknown.")]
    author: Annotated[str, _about("Pseudonym of the author; empty when unknown.")]
    lang: Annotated[str, _about("Language, BCP 47; `und` when unsure.")]
    text: Annotated[str, _about("The text as posted, cleaned of control characters.")]
    published_at: Annotated[datetime, _about("When it was published.")]
    time_quality: Annotated[TimeQuality, _about("Anything but `stated`: published_at is the time of receipt.")]
    received_at: Annotated[datetime, _about("When it was received here.")]
    frames: Annotated[dict[str, float], _about("Frames it carries, with the model's probability, 0 to 1.")]
    uncertain: Annotated[tuple[str, ...], _about("Frames the model is not sure about.")]
    stances: wire_stance.ByFrame = Field(default_factory=dict)


class PostPage(Wire):
    """Posts, newest first."""

    present: Present
    since: Since
    until: Annotated[datetime | None, _about("End of the period, excluded; null when it is open.")]
    codebook: Annotated[str | None, _about("Codebook the frames are of; null while none is current.")]
    version: Annotated[int | None, _about("Version of that codebook.")]
    posts: Annotated[tuple[Post, ...], _about("Newest first.")]
    next: Cursor


class AlertLine(Wire):
    """An alert in short."""

    alert_id: Annotated[str, _about("Its id for ever.")]
    kind: Annotated[Literal["burst", "coordinated", "outage", "gap"], _about("What kind of thing is told.")]
    rule: Annotated[str, _about("The rule that fired.")]
    codebook: Annotated[str | None, _about("Codebook of the frame; null for an outage.")]
    version: Annotated[int | None, _about("Version of the codebook; null for an outage.")]
    frame: Annotated[str | None, _about("The frame; null for an outage.")]
    title: Annotated[str | None, _about("Title of the frame, or of the feed.")]
    reason: Annotated[str | None, _about("Why the team is told, in one sentence.")]
    state: Annotated[Literal["firing", "escalated", "resolved"], _about("It goes on, goes on and has grown, is over.")]
    onset: Annotated[datetime, _about("When it began, in the stream's time.")]
    last_bucket: Annotated[datetime, _about("Start of the newest bucket that belongs to it.")]
    raised_at: Annotated[datetime, _about("When the team was told, by the clock.")]
    resolved_at: Annotated[datetime | None, _about("When it was judged over, by the clock; null while it goes on.")]


class AlertPage(Wire):
    """Alerts, newest first."""

    present: Present
    alerts: Annotated[tuple[AlertLine, ...], _about("Newest first.")]
    next: Cursor


class Delivery(Wire):
    """What became of one message of an alert."""

    message_id: Annotated[str, _about("Its id; a repeat carries the same.")]
    channel: Annotated[str | None, _about("Name of the channel; null when there was none.")]
    state: Annotated[Literal["pending", "sent", "parked", "silenced"], _about("Where the message is.")]
    reason: Annotated[str | None, _about("Why it is not sent.")]
    last_error: Annotated[str | None, _about("What the channel said last.")]
    attempts: Annotated[int, _about("Number of tries.")]
    sent_at: Annotated[datetime | None, _about("When it was sent.")]
    next_attempt_at: Annotated[datetime, _about("When it is tried next, while pending.")]


class Live(Wire):
    """The counts of an alert as they are now: posts may have come, changed or been deleted since it fired."""

    since: Since
    until: Until
    posts: Annotated[int, _about("Number of posts that carry the frame.")]
    texts: Annotated[int, _about("Number of distinct texts among them.")]
    units: Annotated[int, _about("Number of independent voices.")]
    authors: Annotated[int, _about("Number of distinct authors.")]
    publishers: Annotated[int, _about("Publishers linked to or published at, by registrable domain.")]


class Alert(AlertLine):
    """An alert with all that stands behind it.

    The evidence is frozen when it fires: counts, expected (voices, upper, ratio with its 95 % interval), probability
    and threshold (0 to 1), baseline, coverage (0 to 1), sources, languages, links, first_carriers, typical posts.
    """

    present: Present
    evidence: Annotated[dict[str, Any], _about("The evidence bundle, as it was frozen.")]
    deliveries: Annotated[tuple[Delivery, ...], _about("What became of its messages.")]
    history: Annotated[tuple[AlertStep, ...], _about("Everything that happened to it, oldest first.")]
    live: Annotated[Live | None, _about("The counts as they are now; null for an outage.")]


class CodebookVersion(Wire):
    """One version of a codebook."""

    codebook: Annotated[str, _about("Its id.")]
    version: Annotated[int, _about("Number of the version, from 1.")]
    title: Annotated[str, _about("Its title.")]
    state: Annotated[Literal["building", "current", "retired"], _about("Readers see `current`; `building` is scored.")]
    applied_at: Annotated[datetime, _about("When it was applied.")]
    kept: Annotated[
        bool, _about("Whether its scores are kept, so that trends and posts can be asked for by `version`.")
    ]
    frames: Annotated[tuple[str, ...], _about("Ids of its frames; only for the current version.")]


class Codebooks(Wire):
    """Every version ever applied, newest first."""

    present: Present
    codebooks: Annotated[tuple[CodebookVersion, ...], _about("By codebook, newest version first.")]


class Digest(Wire):
    """The newest digest: period, codebook, alerts, coverage, gaps, totals, and frames with their change; of each frame
    also its `condition` when the period ended, `alert` (`new` to this digest, `on` since before, `over`, null), `moved`
    (`burst`: a new alert; else by share) and `ratio`, voices against what the past explains in the judged hours."""

    present: Present
    digest: Annotated[str, _about("Its name.")]
    slot: Annotated[datetime, _about("The moment it stands for; it tells of the day before.")]
    composed_at: Annotated[datetime, _about("When it was composed, by the clock.")]
    body: Annotated[dict[str, Any], _about("Its composition; shares and coverage are 0 to 1.")]
