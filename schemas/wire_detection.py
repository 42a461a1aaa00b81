"""What detection says of a bucket, and what is published of how it keeps its budget. It judges nothing."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from schemas.wire_base import Wire

State = Literal["learning", "insufficient coverage", "ok", "burst"]
"""What detection says of one closed hour."""
Condition = Literal["on alert", "burst", "calm", "learning", "too little heard"]
"""What people are told of a frame; follows from the state of its last hour and the alert that goes on."""


def _about(text: str) -> Any:
    return Field(description=text)


FrameState = Annotated[
    State,
    _about(
        "Verdict on the newest closed hour alone, whatever alert goes on; `learning` before there is one."
        " What people are told of the frame is `condition`."
    ),
]
FrameCondition = Annotated[
    Condition,
    _about(
        "What every face tells people: `on alert` while an alert of the frame goes on, whatever its newest hour was;"
        " else by `state`: `burst`, `calm` (ok), `learning`, `too little heard` (insufficient coverage)."
    ),
]
FrameDetail = Annotated[str, _about("What stands behind `condition`, as a clause in English; times in UTC.")]
FrameAlert = Annotated[
    str | None,
    _about("The alert of the frame that goes on, of kind burst or coordinated, bursts first; null when none does."),
]

Units = Annotated[int | None, _about("Independent voices: near copies and repetitions count once; null when unknown.")]
Coverage = Annotated[
    float | None, _about("Part of the expected feed time that was heard, 0 to 1; null: none expected.")
]
Expected = Annotated[float | None, _about("Voices the past explains for this bucket; null while nothing is known.")]
Upper = Annotated[float | None, _about("Most voices a bucket may have without being a burst by itself; null as above.")]

ExpectedShare = Annotated[
    float | None,
    _about("Share that the past explains, 0 to 1; null while nothing is known."),
]
UpperShare = Annotated[
    float | None, _about("Largest share, 0 to 1, that so many posts may have without being a spike; null as above.")
]


class Verdict(Wire):
    """What was judged of one closed bucket of an hour."""

    bucket: Annotated[datetime, _about("Start of the bucket.")]
    posts: Annotated[int | None, _about("Number of posts; null when nothing was heard: a gap is unknown, never zero.")]
    units: Units
    expected: Expected
    upper: Upper
    probability: Annotated[float | None, _about("Chance of so many voices were nothing going on, 0 to 1.")]
    threshold: Annotated[
        float | None,
        _about("Probability, 0 to 1; less is a burst: by budget and replayed past."),
    ]
    baseline_from: Annotated[datetime | None, _about("Where the history behind it begins; null when not kept.")]
    baseline_days: Annotated[float | None, _about("Days of covered history behind it; null when not kept.")]
    coverage: Coverage
    state: Annotated[State, _about("What was judged.")]


class Calibration(Wire):
    """What the newest replay of all frames' past found. Alarms are runs of bursts, before any rule of support."""

    holds_from: Annotated[datetime, Field(description="First bucket that is held to it.")]
    made_at: Annotated[datetime, Field(description="When the past was replayed.")]
    budget: Annotated[float, Field(description="False alarms a week accepted over all frames.")]
    frames: Annotated[int, Field(description="Number of frames replayed.")]
    days: Annotated[float, Field(description="Days replayed, as the longest known frame has them; 0: too few yet.")]
    alarms_a_week_by_theory: Annotated[
        float | None,
        Field(description="Alarms a week in the replayed days at theory's threshold; at most 80 count."),
    ]
    alarms_a_week: Annotated[float | None, Field(description="Alarms a week at the one in force, false and true.")]
    threshold_by_theory: Annotated[float, Field(description="Probability a bucket, 0 to 1, by theory alone.")]
    threshold: Annotated[float, Field(description="Probability a bucket in force, 0 to 1: less probable is a burst.")]
    told: Annotated[str, Field(description="All of it in one line for people.")]


class Detection(Wire):
    """How detection keeps its budget of false alarms."""

    calibration: Annotated[Calibration | None, Field(description="Null before the first replay.")]
