"""What is said of suggestions of emerging frames, and what may be asked of them. No logic."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.codebook import Frame, Id, Text
from schemas.wire import Cursor, Present, Wire

SuggestionState = Literal["open", "dismissed", "adopted", "faded", "merged"]


class Parts(Wire):
    """What the score is made of, each 0 to 1."""

    growth: Annotated[float, Field(description="How far the last day or week is above what came before, 0 to 1.")]
    independence: Annotated[float, Field(description="How many voices, 0 to 1: 0 is one, 0.5 is five, 0.8 is 17.")]
    coherence: Annotated[float, Field(description="How much one story, 0 to 1: 0.5 is twice as alike as usual.")]
    size: Annotated[float, Field(description="How large, 0 to 1: 0.5 is 20 voices.")]
    newness: Annotated[float, Field(description="How new, 0 to 1: 0.5 is a week old.")]


class Day(Wire):
    """One of the last 14 times 24 hours."""

    posts: Annotated[int, Field(description="Number of posts.")]
    units: Annotated[int, Field(description="Independent voices.")]


class Term(Wire):
    """A word, or two, that set it apart from everything else that matches no frame."""

    term: Annotated[str, Field(description="As most of its posts write it, in small letters.")]
    lang: Annotated[str, Field(description="Language of the posts it stands in.")]
    weight: Annotated[float, Field(description="How much it sets apart; above 2 is a lot.")]


class SuggestionLine(Wire):
    """A suggestion, without its posts."""

    suggestion_id: Annotated[int, Field(description="Its id, the same from day to day.")]
    codebook: Annotated[str, Field(description="The codebook none of whose frames its posts match.")]
    state: Annotated[SuggestionState, Field(description="open, dismissed, adopted, or faded: not seen any more.")]
    title: Annotated[str, Field(description="A few words, drafted.")]
    typical: Annotated[str | None, Field(description="Its most typical post; null when all were erased.")]
    first_seen: Annotated[datetime, Field(description="Time of its first post.")]
    found_at: Annotated[datetime, Field(description="The present when it was found first.")]
    seen_at: Annotated[datetime, Field(description="The present when it was seen last.")]
    posts: Annotated[int, Field(description="Posts in the 14 days before seen_at.")]
    units: Annotated[int, Field(description="Independent voices among them.")]
    authors: Annotated[int, Field(description="Authors, or publishers where posts have no author.")]
    publishers: Annotated[int, Field(description="Publishers they lead to.")]
    langs: Annotated[dict[str, int], Field(description="Independent voices by language, BCP 47.")]
    days: Annotated[tuple[Day, ...], Field(description="Oldest first; the last ends at seen_at.")]
    terms: Annotated[tuple[Term, ...], Field(description="Language by language, the strongest first.")]
    score: Annotated[
        float, Field(description="What it is ranked by, 0 to 1: independence × weighted mean of the rest.")
    ]
    parts: Annotated[Parts, Field(description="What the score is made of.")]
    split_from: Annotated[int | None, Field(description="Id of the one most of it was part of before; null: none.")]
    decided_at: Annotated[datetime | None, Field(description="When it was adopted or dismissed; null: undecided.")]
    decided_by: Annotated[str | None, Field(description="By whom.")]
    frame: Annotated[str | None, Field(description="Id of the frame it was adopted as.")]


class Suggestions(Wire):
    """Suggestions by score."""

    present: Present
    suggestions: Annotated[tuple[SuggestionLine, ...], Field(description="The highest score first.")]
    next: Cursor


class SuggestedPost(Wire):
    """A post of a suggestion, or just outside it."""

    post_id: Annotated[int, Field(description="Our number of the post.")]
    source: Annotated[str, Field(description="Kind of place it comes from.")]
    url: Annotated[str, Field(description="Where it stands; may be empty.")]
    author: Annotated[str, Field(description="A pseudonym; may be empty.")]
    lang: Annotated[str, Field(description="Language, BCP 47.")]
    text: Annotated[str, Field(description="What it says.")]
    published_at: Annotated[datetime, Field(description="When it was published.")]
    likeness: Annotated[float, Field(description="Nearness to the middle of the suggestion: cosine, −1 to 1.")]


class Suggestion(SuggestionLine):
    """A suggestion with typical posts and a drafted frame."""

    present: Present
    typical_posts: Annotated[tuple[SuggestedPost, ...], Field(description="Three of each language at most.")]
    near_misses: Annotated[tuple[SuggestedPost, ...], Field(description="Just outside it.")]
    draft: Annotated[Frame | None, Field(description="A frame to start from; null when all posts were erased.")]


class Adopt(BaseModel):
    """How the adopted frame is to be called; what is left out is as drafted."""

    model_config = ConfigDict(extra="forbid")

    frame: Annotated[Id | None, Field(description="Id of the frame.")] = None
    title: Annotated[Text | None, Field(description="Its title.")] = None


class AdoptedSuggestion(Wire):
    """The current codebook with the drafted frame in it; it is not applied."""

    suggestion: Annotated[SuggestionLine, Field(description="The suggestion, adopted now.")]
    frame: Annotated[Frame, Field(description="The frame as drafted.")]
    codebook: Annotated[str, Field(description="The codebook's YAML with the frame: edit, preview and apply it.")]
