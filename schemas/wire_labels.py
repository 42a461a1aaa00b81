"""What is said of labels: samples as judges see them (blind), answers, and how good frames are. No logic."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field

from schemas.codebook import ID
from schemas.wire import Cursor, Present, Wire
from schemas.wire_quality import Quality

Answer = Literal["yes", "no", "unsure"]
Origin = Literal["sample", "free"]
_JOINERS = dict.fromkeys(map(ord, "\u200c\u200d"))
"""What some scripts' names are written with."""


def judge_name(name: str) -> str:
    """A judge's name as it is kept: one line without blanks around it. Raises ValueError for what is no name."""
    if name != name.strip() or not name.translate(_JOINERS).isprintable():
        raise ValueError("a judge's name is one line of letters, without blanks around it")
    return name


Judge = Annotated[
    str,
    Field(min_length=1, max_length=60, description="Who judges: a name, the same every time."),
    AfterValidator(judge_name),
]


class FrameQuality(Quality):
    """How good one frame is."""

    codebook: Annotated[str, Field(description="Id of the codebook.")]
    version: Annotated[int, Field(description="Version that is measured.")]
    frame: Annotated[str, Field(description="Id of the frame.")]
    title: Annotated[str, Field(description="Title of the frame.")]


class Qualities(Wire):
    """How good each frame of the current codebooks is."""

    present: Annotated[datetime, Field(description="The time the stream lives in.")]
    frames: Annotated[tuple[FrameQuality, ...], Field(description="In the order of the codebooks.")]


class Sample(Wire):
    """One post to be judged. What the model says of it is not told. Its text is somebody else's: show it as text."""

    post_id: Annotated[int, Field(description="Our number of the post.")]
    text: Annotated[str, Field(description="The text as posted, cleaned of control characters.")]
    lang: Annotated[str, Field(description="Language, BCP 47; `und` when unsure.")]
    source: Annotated[str, Field(description="Kind of place it comes from.")]
    published_at: Annotated[datetime, Field(description="When it was published.")]


class Samples(Wire):
    """What a judge has still to judge of a frame."""

    codebook: Annotated[str, Field(description="Id of the codebook.")]
    frame: Annotated[str, Field(description="Id of the frame.")]
    title: Annotated[str, Field(description="Title of the frame.")]
    description: Annotated[str, Field(description="What the frame says: the question that is asked of each post.")]
    judge: Annotated[str, Field(description="Who is asked.")]
    samples: Annotated[tuple[Sample, ...], Field(description="In the order of asking.")]


class Label(Wire):
    """What a judge answered, as it is kept."""

    label_id: Annotated[int, Field(description="Its number; a second answer of the same judge keeps it.")]
    codebook: Annotated[str, Field(description="Id of the codebook.")]
    frame: Annotated[str, Field(description="Id of the frame.")]
    post_id: Annotated[int, Field(description="Our number of the post.")]
    judge: Annotated[str, Field(description="Who answered.")]
    answer: Annotated[Answer, Field(description="Whether the post carries the frame.")]
    origin: Annotated[Origin, Field(description="Drawn as a sample, or picked by hand.")]
    judged_at: Annotated[datetime, Field(description="When this was answered, by the clock.")]


class LabelLine(Label):
    """A label in a list, with the identity of its post."""

    source: Annotated[str, Field(description="Kind of place that the post comes from.")]
    native_id: Annotated[str, Field(description="The post's id there.")]
    same_text: Annotated[bool, Field(description="false: the post was edited since, and says something else now.")]


class LabelPage(Wire):
    """Labels, the newest answer first."""

    present: Present
    labels: Annotated[tuple[LabelLine, ...], Field(description="The newest answer first.")]
    next: Cursor


class NewLabel(Wire):
    """An answer to be kept."""

    model_config = ConfigDict(extra="forbid")

    frame: Annotated[str, Field(description="Id of the frame.", pattern=ID, max_length=80)]
    codebook: Annotated[
        str | None,
        Field(description="Id of its codebook; needed when two have such a frame.", pattern=ID, max_length=80),
    ] = None
    post_id: Annotated[int, Field(description="Our number of the post.", ge=1, le=2**63 - 1)]
    answer: Annotated[Answer, Field(description="Whether the post carries the frame.")]
    judge: Annotated[Judge | None, Field(description="Who answered; left out: the token's name.")] = None


class Draws(Wire):
    """What was drawn on demand."""

    frames: Annotated[int, Field(description="Frames of which the running week was drawn; 0: it was drawn before.")]
