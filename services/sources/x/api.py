"""X's API v2: how it is asked, and what its refusals mean. Must not know feeds or budgets."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from schemas.errors import PermanentError, Reason, TransientError
from services.analysis.text import clean_line
from services.fetch import Fetcher, Response, check_status, shown
from services.fetch.answers import LONGEST_WAIT
from services.sources.reading import at, many, read_json, word
from services.sources.x.posts import read_answer

KEY_REMEDY = "Put the bearer token of your X app there (console.x.com, Keys and tokens)."
CREDIT_WAIT = timedelta(hours=1)
"""How long to stay away when the account at X has no credit left."""
_SPENT = ("usage-capped", "credits-depleted")


class BadParameterError(PermanentError):
    """X rejects parameters of a request (status 400): `names` are theirs, the message has X's own words."""

    def __init__(self, names: frozenset[str], words: str) -> None:
        super().__init__(Reason.BAD_ADDRESS, f"X does not understand what it is asked for: {words}")
        self.names = names


def ask(fetcher: Fetcher, url: str, token: str, now: datetime) -> Any:
    """X's answer at `url`, an object with data, meta or errors.

    Raises BadParameterError; PermanentError: NO_ACCESS (token or plan refused), NOT_A_FEED; TransientError:
    RATE_LIMITED until the limit is lifted, BUDGET_SPENT (no credit at X), and what Fetcher.get raises.
    """
    response = fetcher.get(url, headers={"Authorization": f"Bearer {token}"}, judged=False)
    if response.status != 200:
        _refuse(response, now)
        check_status(response)
    return read_answer(response.body, shown(response.url))


def _refuse(response: Response, now: datetime) -> None:
    problem: Any = None
    with suppress(PermanentError):
        problem = read_json(response.body, "X")
    kind = word(problem, "type").rpartition("/")[2]
    if response.status == 402 or kind in _SPENT or word(problem, "title") == "UsageCapExceeded":
        raise TransientError(
            Reason.BUDGET_SPENT, "The account at X has no credit or no posts left. See console.x.com.", CREDIT_WAIT
        )
    if response.status == 400:
        raise _bad_parameter(problem)
    if response.status == 401:
        raise PermanentError(Reason.NO_ACCESS, f"X refuses the token of FRAMEWATCH_X_TOKEN (status 401). {KEY_REMEDY}")
    if response.status == 403:
        raise PermanentError(
            Reason.NO_ACCESS, "X does not allow your app to read this (status 403). Check its access at console.x.com."
        )
    if response.status == 429:
        wait = _until_reset(response, now) or response.retry_after
        raise TransientError(Reason.RATE_LIMITED, "X asks for fewer requests (status 429).", wait)


def _bad_parameter(problem: Any) -> BadParameterError:
    names: set[str] = set()
    words = word(problem, "detail")
    for error in many(problem, "errors"):
        named = at(error, "parameters")
        names |= {name for name in named if isinstance(name, str)} if isinstance(named, dict) else set()
        words = word(error, "message") or words
    return BadParameterError(frozenset(names), clean_line(words, limit_bytes=300))


def _until_reset(response: Response, now: datetime) -> timedelta | None:
    """X sends no Retry-After but the second of the epoch at which its window of 15 minutes ends."""
    text = response.headers.get("x-rate-limit-reset", "").strip()
    if not (text.isascii() and text.isdigit() and len(text) <= 11):
        return None
    wait = datetime.fromtimestamp(int(text), UTC) - (response.date or now)
    return min(wait, LONGEST_WAIT) if wait > timedelta(0) else None
