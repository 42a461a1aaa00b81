"""What callers may ask: query parameters, their forms and limits. Anything else is refused before it is looked up."""

import base64
import json
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from schemas.errors import PermanentError, Reason
from schemas.stance import Stance
from services.analysis import stepping

_FIRST, _LAST = 1970, 2200
BIGINT = 2**63 - 1
"""The largest number that a row can have."""
_ID = r"^[a-z0-9]+(-[a-z0-9]+)*$"


def _sensible(at: datetime) -> datetime:
    if not _FIRST < at.year < _LAST:
        raise ValueError(f"the year must lie between {_FIRST} and {_LAST}")
    return at.astimezone(UTC)


def about(text: str, **form: Any) -> Any:
    """A parameter's description, and its form."""
    return Field(description=text, **form)


Time = Annotated[AwareDatetime, AfterValidator(_sensible)]
Since = Annotated[
    Time | None,
    about("Start of the period, included: RFC 3339, as 2016-12-11T00:00:00Z. Default: as the step suits."),
]
Until = Annotated[
    Time | None,
    about("End of the period, excluded: RFC 3339 with offset. Default: the present."),
]
Frame = Annotated[
    str | None,
    about("Id of a frame, or `*` for all posts.", pattern=rf"^\*$|{_ID}", max_length=80, examples=["staged-theatrics"]),
]
Codebook = Annotated[
    str | None, about("Id of a current codebook; needed when two have a frame of one id.", pattern=_ID, max_length=80)
]
Source = Annotated[
    str | None, about("Only this source.", pattern=r"^[a-z0-9_-]+$", max_length=40, examples=["mastodon"])
]
Lang = Annotated[
    str | None,
    about(
        "Only this language, BCP 47.", pattern=r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$", max_length=40, examples=["ar"]
    ),
]
OfStance = Annotated[
    Stance | None, about("Only posts that stand so to the frame (experimental; needs a frame, and stance turned on).")
]
Version = Annotated[
    int | None,
    about(
        "An old version of the codebook, as long as its scores are kept. Default: the current one.", ge=1, le=2**31 - 1
    ),
]
Cursor = Annotated[str | None, about("`next` of the page before.", pattern=r"^[A-Za-z0-9_-]+$", max_length=400)]
Limit = Annotated[int, about("Most rows of a page.", ge=1, le=500)]


def _countable(step: str) -> str:
    stepping.length_of(step)
    return step


Step = Annotated[
    str,
    AfterValidator(_countable),
    about(
        "Length of a step: minutes (a multiple of five), hours, days or weeks, 52 weeks at most. Hours, days and weeks "
        "are kept; of other steps voices are null beyond 8,000 posts.",
        pattern=stepping.FORM,
        examples=["1h", "15m", "6h", "1d", "1w"],
    ),
]


class Question(BaseModel):
    """Query parameters; a name that is not known is an error, not a filter that silently does nothing."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Narrowed(Question):
    """Of which version, over which time, and of which posts alone."""

    since: Since = None
    until: Until = None
    source: Source = None
    lang: Lang = None
    codebook: Codebook = None
    version: Version = None
    stance: OfStance = None


class TrendQuestion(Narrowed):
    """Which trend."""

    frame: Annotated[
        str,
        about(
            "Id of a frame, or `*` for all posts.", pattern=rf"^\*$|{_ID}", max_length=80, examples=["staged-theatrics"]
        ),
    ]
    step: Step = "1h"


class TrendsQuestion(Narrowed):
    """Which trends, over the same time."""

    frame: Annotated[
        list[Annotated[str, Field(pattern=_ID, max_length=80)]],
        about("Ids of frames; repeat it. Default: every frame of the codebook.", max_length=100),
    ] = []
    step: Step = "1d"
    by_stance: Annotated[bool, about("Split each step by stance (experimental; null while stance is off).")] = False


class PostQuestion(Narrowed):
    """Which posts."""

    q: Annotated[
        str | None,
        about(
            'Words, as written: all of them; `"a phrase"`, `or` and `-without` as in a web search. No word is bent.',
            min_length=1,
            max_length=200,
            pattern=r"^[^\x00]*$",
        ),
    ] = None
    frame: Frame = None
    cursor: Cursor = None
    limit: Limit = 50


class SimilarQuestion(Question):
    """How far to look."""

    days: Annotated[int, about("Days before the present; of an older post, days around it.", ge=1, le=90)] = 14
    limit: Annotated[int, about("Most texts.", ge=1, le=50)] = 20


class WhyQuestion(Question):
    """Why a post got which frame."""

    frame: Annotated[
        str | None,
        about("Id of a frame. Default: those the post carries or is uncertain about, else the likeliest.",
               pattern=_ID, max_length=80),
    ] = None  # fmt: skip
    codebook: Codebook = None


class AlertQuestion(Question):
    """Which alerts."""

    frame: Frame = None
    kind: Annotated[Literal["burst", "coordinated", "outage", "gap"] | None, about("Only alerts of this kind.")] = None
    over: Annotated[bool | None, about("true: only alerts that are over; false: only those that go on.")] = None
    cursor: Cursor = None
    limit: Limit = 50


def cursor(at: datetime, key: int | str, since: datetime | None = None) -> str:
    """Where a page ended (and where its period starts, which moves with the present), as an opaque word."""
    told = json.dumps([at.isoformat(), key, since and since.isoformat()], separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(told).decode().rstrip("=")


def position(word: str | None, kind: type[int] | type[str], *, moves: bool = False) -> dict[str, Any]:
    """`before` and `before_id` of a cursor, and `since` where the period's start `moves` with the present.

    Raises PermanentError(BAD_INPUT) for one of others, another list's among them.
    """
    if word is None:
        return {"before": None, "before_id": None}
    try:
        at, key, since = json.loads(base64.urlsafe_b64decode(word + "=" * (-len(word) % 4)))
        told = {"before": _given(at), "before_id": _key(key, kind)}
        return told | _moving(since, moves=moves)
    except (ValueError, TypeError, RecursionError) as error:
        raise PermanentError(Reason.BAD_INPUT, "this cursor is not one of ours") from error


def rank_cursor(score: float, key: int) -> str:
    """Where a page of a ranking ended, as an opaque word."""
    return base64.urlsafe_b64encode(json.dumps([score, key], separators=(",", ":")).encode()).decode().rstrip("=")


def rank(word: str | None) -> dict[str, Any]:
    """`below` and `after_id` of a cursor of a ranking. Raises PermanentError(BAD_INPUT) for one of others."""
    if word is None:
        return {"below": None, "after_id": None}
    try:
        score, key = json.loads(base64.urlsafe_b64decode(word + "=" * (-len(word) % 4)))
        return {"below": _score(score), "after_id": _key(key, int)}
    except (ValueError, TypeError, RecursionError) as error:
        raise PermanentError(Reason.BAD_INPUT, "this cursor is not one of ours") from error


def _moving(since: Any, *, moves: bool) -> dict[str, Any]:
    if (since is not None) != moves:
        raise ValueError("a cursor of another list")
    return {"since": _given(since)} if moves else {}


def _given(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("a time without offset")
    return _sensible(at)


def _score(score: Any) -> float:
    if type(score) in (int, float) and 0 <= score <= 1:
        return float(score)
    raise ValueError("a score is from 0 to 1")


def _key(key: Any, kind: type) -> int | str:
    if type(key) is int and kind is int and abs(key) <= BIGINT:
        return key
    if type(key) is str and kind is str and key.isalnum() and key.isascii():
        return key
    raise ValueError("a key of another kind")
