"""What the API takes in and answers about it: posts that are sent to us."""

from typing import Annotated

from pydantic import Field

from schemas.wire import Wire


class Pushed(Wire):
    """What became of the posts of one request; sending them again changes nothing."""

    feed: Annotated[str, Field(description="Name of the feed they were sent to.")]
    fetched: Annotated[int, Field(description="Number of lines that held something.")]
    new: Annotated[int, Field(description="Number of posts we did not have.")]
    known: Annotated[int, Field(description="Number of posts we had, edited or not.")]
    edited: Annotated[int, Field(description="Number of those whose text or link had changed.")]
    refused: Annotated[int, Field(description="Number of posts by authors of whom nothing is taken in.")]
    dropped: Annotated[
        dict[str, int],
        Field(description="Number of lines that could not become posts, by reason: bad_line, no_text, …"),
    ]
