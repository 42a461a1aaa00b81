"""Stance as the API says it: field types for posts and trends. Experimental; where stance is off, nothing is told."""

from typing import Annotated

from pydantic import Field

from schemas.stance import Stance

ByFrame = Annotated[
    dict[str, Stance],
    Field(description="How it stands to the frames it carries (experimental); empty where stance is off."),
]
Counts = Annotated[
    dict[Stance, int] | None,
    Field(description="Posts by how they stand to the frame (experimental); null where no stance was read."),
]
CountsByStep = Annotated[
    tuple[dict[Stance, int] | None, ...] | None,
    Field(
        description="The same a step, null where nothing was read in it; null as a whole where it is off or not asked."
    ),
]
Only = Annotated[Stance | None, Field(description="Only posts that stand so to the frame; null for all.")]
