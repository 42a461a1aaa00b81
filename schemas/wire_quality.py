"""How good a frame is, as the API says it. No logic."""

from datetime import date
from typing import Annotated

from pydantic import Field

from schemas.wire_base import Wire


class Quality(Wire):
    """How good a frame is, measured on posts people judged; every share is of distinct texts, with a 95 % interval."""

    precision: Annotated[
        float | None, Field(description="Part of what is said to carry the frame that does, 0 to 1; null: too few.")
    ]
    precision_low: Annotated[float | None, Field(description="Lower limit of precision, 0 to 1; null as above.")]
    precision_high: Annotated[float | None, Field(description="Upper limit of precision, 0 to 1; null as above.")]
    recall: Annotated[
        float | None,
        Field(description="Part of what carries the frame that is found, 0 to 1; null: the sample cannot say."),
    ]
    recall_low: Annotated[float | None, Field(description="Lower limit of recall, 0 to 1; null as above.")]
    recall_high: Annotated[float | None, Field(description="Upper limit of recall, 0 to 1; null as above.")]
    judged: Annotated[int, Field(description="Judged texts that count, of any stratum.")]
    judged_carrying: Annotated[int, Field(description="Judged texts said to carry the frame: precision's n.")]
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
