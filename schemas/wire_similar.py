"""What the API says of posts like one: every field described with its unit. No logic."""

from typing import Annotated

from pydantic import Field

from schemas.wire import Post, Present, Since, Until, Wire


class Alike(Wire):
    """One text like it, with a post that says it."""

    likeness: Annotated[float, Field(description="Nearness in meaning: cosine of the vectors, −1 to 1.")]
    posts: Annotated[int, Field(description="Number of posts looked at that say exactly this.")]
    post: Annotated[Post, Field(description="One of them.")]


class Similar(Wire):
    """Posts that mean much the same as one."""

    present: Present
    since: Since
    until: Until
    post: Annotated[Post, Field(description="The one that was asked about.")]
    looked_at: Annotated[int, Field(description="Number of posts of the period looked at, the newest.")]
    complete: Annotated[bool, Field(description="Whether these were all; false: ask for fewer days to see the rest.")]
    alike: Annotated[tuple[Alike, ...], Field(description="Nearest first, one a text; the same text is left out.")]
