"""What is said of why a post got its frames: one model a part, every field described with its unit. No logic."""

from typing import Annotated, Literal

from pydantic import Field

from schemas.stance import Stance
from schemas.wire import Post, Wire

Answer = Literal["carries", "does not", "uncertain"]


class FrameAnswer(Wire):
    """What heads say of one frame."""

    frame: Annotated[str, Field(description="Id of the frame.")]
    title: Annotated[str, Field(description="Title of the frame.")]
    answer: Annotated[Answer, Field(description="Whether the post carries the frame.")]
    probability: Annotated[float, Field(description="The model's probability that it does, 0 to 1.")]
    threshold: Annotated[float, Field(description="Probability from which a post carries the frame, 0 to 1.")]
    stance: Annotated[
        Stance | None,
        Field(description="How the post stands to the frame it carries (experimental); null where no stance was read."),
    ] = None
    uncertain_from: Annotated[float, Field(description="Probability from which the answer is `uncertain`, 0 to 1.")]


class Nearest(Wire):
    """One text of the codebook, and how near the post lies to it."""

    kind: Annotated[
        Literal["description", "example", "counterexample", "other frame", "background"],
        Field(description="What the text is for this frame; `other frame`: example or description of another one."),
    ]
    text: Annotated[str, Field(description="The text as the codebook has it; of a description, after its title.")]
    frames: Annotated[tuple[str, ...], Field(description="The frames that it is an example or the description of.")]
    meaning: Annotated[float, Field(description="Nearness in meaning: cosine, −1 to 1; 0 is unrelated.")]
    wording: Annotated[float, Field(description="Nearness in wording: part of letter runs in common, 0 to 1.")]
    push: Annotated[float, Field(description="Log odds that this text adds to (or takes from) the post's.")]


class Shares(Wire):
    """Where the log odds come from; the parts add up to `log_odds`."""

    start: Annotated[float, Field(description="Log odds of a post that has nothing to do with any text here.")]
    description: Annotated[float, Field(description="Log odds from the frame's title and description.")]
    examples: Annotated[float, Field(description="Log odds from the frame's examples.")]
    counterexamples: Annotated[float, Field(description="Log odds from its counterexamples.")]
    other_frames: Annotated[float, Field(description="Log odds from other frames' examples and descriptions.")]
    background: Annotated[float, Field(description="Log odds from posts said to carry no frame.")]


class Word(Wire):
    """A word or short phrase, and what the post is without it."""

    start: Annotated[int, Field(description="Where it begins in `text`, in Unicode code points.")]
    end: Annotated[int, Field(description="Where it ends, excluded.")]
    text: Annotated[str, Field(description="The word or phrase.")]
    change: Annotated[
        float, Field(description="Log odds that the post loses without it; below 0 it speaks against the frame.")
    ]
    without: Annotated[float, Field(description="Probability of the post without it, 0 to 1.")]


class FrameReasons(FrameAnswer):
    """Why heads say that."""

    log_odds: Annotated[
        float | None, Field(description="Log odds of `probability`; null for a post without any letter or digit.")
    ]
    shares: Annotated[Shares, Field(description="Where the log odds come from.")]
    description: Annotated[Nearest, Field(description="The frame's own description.")]
    examples: Annotated[tuple[Nearest, ...], Field(description="Its examples nearest to the post, nearest first.")]
    counterexamples: Annotated[
        tuple[Nearest, ...], Field(description="What speaks against it and lies nearest, nearest first.")
    ]
    words: Annotated[
        tuple[Word, ...] | None,
        Field(description="Words that carried the answer, strongest first, no overlaps; null: see `words_missing`."),
    ]


class Why(Wire):
    """Why a post, or a text given by hand, got its frames."""

    post: Annotated[Post | None, Field(description="The post; null for a text given by hand.")]
    text: Annotated[str, Field(description="The text that was looked at. Somebody else's: show it as text only.")]
    codebook: Annotated[str, Field(description="Id of the codebook.")]
    version: Annotated[int | None, Field(description="Version of the codebook; null for one from a file.")]
    model: Annotated[str, Field(description="Model that the answers stand on.")]
    frames: Annotated[tuple[FrameAnswer, ...], Field(description="Every frame, in the order of the codebook.")]
    reasons: Annotated[
        tuple[FrameReasons, ...],
        Field(description="The frame asked for; else those carried or uncertain; else the likeliest one."),
    ]
    words_until: Annotated[int, Field(description="Words after this many code points of the text were not looked at.")]
    words_missing: Annotated[str | None, Field(description="Why no words can be told; null when they are.")]
