"""What is said of labels: samples as judges see them (blind), answers, and how good frames are. No logic."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field

from schemas.wire import Wire

Answer = Literal["yes", "no", "unsure"]


class Quality(Wire):
    """How good a frame is, measured on posts people judged; every share is of distinct texts, with a 95 % interval."""

    precision: Annotated[
        float | None, Field(description="Part of what is said to carry the frame that does, 0 to 1; null: too few.")
    ]
    precision_low: Annotated[float | None, Field(description="Lower limit of precision; null as above.")]
    precision_high: Annotated[float | None, Field(description="Upper limit of precision; null as above.")]
    recall: Annotated[
        float | None,
        Field(description="Part of what carries the frame that is found, 0 to 1; null: the sample cannot say."),
    ]
    recall_low: Annotated[float | None, Field(description="Lower limit of recall; null as above.")]
    recall_high: Annotated[float | None, Field(description="Upper limit of recall; null as above.")]
    judged: Annotated[int, Field(description="Judged texts that count, of any stratum.")]
    judged_carrying: Annotated[int, Field(description="Those of them said to carry the frame: precision's n.")]
    left_out: Annotated[
        int, Field(description="Judged texts that do not count: the codebook holds them, or they chose its threshold.")
    ]
    judges: Annotated[int, Field(description="People who judged.")]
    judged_twice: Annotated[int, Field(description="Texts that two or more answered with yes or no.")]
    kappa: Annotated[float | None, Field(description="Cohen's kappa, −1 to 1; null unless two people judged the same.")]
    alpha: Annotated[
        float | None,
        Field(description="Krippendorff's alpha of all judges, at most 1; null when none judged the same."),
    ]
    first_week: Annotated[date | None, Field(description="Monday of the first week with a judged sample that counts.")]
    last_week: Annotated[date | None, Field(description="Monday of the last one.")]
    told: Annotated[str, Field(description="Precision in a few words, as alerts say it.")]


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

    codebook: Annotated[str, Field(description="Id of the codebook.")]
    frame: Annotated[str, Field(description="Id of the frame.")]
    post_id: Annotated[int, Field(description="Our number of the post.")]
    judge: Annotated[str, Field(description="Who answered.")]
    answer: Annotated[Answer, Field(description="Whether the post carries the frame.")]
    origin: Annotated[Literal["sample", "free"], Field(description="Drawn as a sample, or picked by hand.")]
    judged_at: Annotated[datetime, Field(description="When this was answered, by the clock.")]
