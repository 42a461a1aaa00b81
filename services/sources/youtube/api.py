"""YouTube's Data API v3 (https://developers.google.com/youtube/v3/docs): one question, paid for before it is asked.

Every call used here costs one unit of a day's quota; days begin at midnight in California. The key goes into a header,
where no log keeps it. Must not use search.list, whose quota is a hundred calls a day.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from schemas.errors import FramewatchError, PermanentError, Reason, TransientError
from services.fetch import Response, check_status
from services.sources.base import Means
from services.sources.reading import at, many, read_json, word

API = "https://www.googleapis.com"
DAILY_UNITS = 10_000
"""What a project gets (https://developers.google.com/youtube/v3/determine_quota_cost) unless it asked for more."""
KEY = "youtube_key"
_PACIFIC = ZoneInfo("America/Los_Angeles")
_PLACE = "YouTube's Data API"
_SPENT = {"quotaExceeded", "dailyLimitExceeded", "dailyLimitExceededUnreg"}
_BUSY = {"rateLimitExceeded", "userRateLimitExceeded", "RATE_LIMIT_EXCEEDED"}
_BAD_KEY = {"keyInvalid", "keyExpired", "API_KEY_INVALID", "API_KEY_EXPIRED"}
_KEY_REFUSED = {"accessNotConfigured", "SERVICE_DISABLED", "ipRefererBlocked", "API_KEY_SERVICE_BLOCKED"}
_KEY_REFUSED |= {"API_KEY_IP_ADDRESS_BLOCKED", "API_KEY_HTTP_REFERRER_BLOCKED"}


class BadPageError(TransientError):
    """The page that was asked for does not exist any more."""


class MissingError(TransientError):
    """A comment that was asked for by its id does not exist any more."""


@dataclass(frozen=True, slots=True)
class YoutubeApi:
    """Asks the API at `base` with the house's key, within the house's quota."""

    means: Means
    base: str
    remedy: str = "Ask for a key in the Google Cloud console and enable the YouTube Data API for it."

    def ask(self, method: str, now: datetime, **parameters: str) -> dict[str, Any]:
        """The answer of one `method` such as `comments`, as of `now`.

        Raises PermanentError: NO_CREDENTIALS without a key or with one that is refused, NO_ACCESS when comments are
        off, NOT_A_FEED. Raises TransientError: BUDGET_SPENT until the next day in California, BadPageError,
        MissingError, and what Fetcher.get and check_status raise.
        """
        key = self.means.key(KEY, self.remedy)
        self._pay(now)
        query = urlencode({name: value for name, value in parameters.items() if value})
        response = self.means.fetcher.get(
            f"{self.base}/youtube/v3/{method}?{query}", headers={"X-Goog-Api-Key": key}, judged=False
        )
        if response.status >= 400:
            raise _refusal(response, now)
        check_status(response)
        answer = read_json(response.body, _PLACE)
        if not isinstance(at(answer, "items"), list):
            raise PermanentError(Reason.NOT_A_FEED, f"{_PLACE} answers with something else than a list.")
        return dict(answer)

    def _pay(self, now: datetime) -> None:
        limit = _limit(self.means.keys)
        day = now.astimezone(_PACIFIC).date()
        if not self.means.ledger(f"youtube:{day}", 1, limit):
            raise _spent(f"Today's quota of YouTube's API ({limit:,}) is spent", now)


def until_tomorrow(now: datetime) -> timedelta:
    """How long it is until the next day begins in California."""
    local = now.astimezone(_PACIFIC)
    midnight = datetime(local.year, local.month, local.day, tzinfo=_PACIFIC) + timedelta(days=1)
    return midnight.astimezone(now.tzinfo) - now


def _limit(keys: Mapping[str, str]) -> int:
    text = keys.get("youtube_daily_units", "").replace("_", "").strip()
    if not text:
        return DAILY_UNITS
    if not text.isascii() or not text.isdigit() or len(text) > 12:
        raise PermanentError(Reason.BAD_CONFIG, "FRAMEWATCH_YOUTUBE_DAILY_UNITS must be a whole number, such as 10000.")
    return int(text)


def _spent(what: str, now: datetime) -> TransientError:
    return TransientError(
        Reason.BUDGET_SPENT,
        f"{what}; it goes on at midnight in California. Read fewer videos, or ask Google for more and raise "
        "FRAMEWATCH_YOUTUBE_DAILY_UNITS.",
        until_tomorrow(now),
    )


def _refusal(response: Response, now: datetime) -> FramewatchError:
    reasons = _reasons(response.body)
    if reasons & _SPENT:
        return _spent("Google says that today's quota of the YouTube key is spent", now)
    if reasons & _BUSY:
        return TransientError(Reason.RATE_LIMITED, f"{_PLACE} asks for fewer requests.", response.retry_after)
    if "commentsDisabled" in reasons:
        return PermanentError(Reason.NO_ACCESS, "Comments are turned off for this video; there is nothing to read.")
    if reasons & _BAD_KEY or response.status == 401:
        return PermanentError(
            Reason.NO_CREDENTIALS, "Google does not know the key in FRAMEWATCH_YOUTUBE_KEY; set another."
        )
    if reasons & _KEY_REFUSED:
        return PermanentError(
            Reason.NO_CREDENTIALS,
            "Google refuses the key in FRAMEWATCH_YOUTUBE_KEY. In the Google Cloud console, enable the YouTube Data "
            "API for its project and lift restrictions to addresses or websites.",
        )
    if "invalidPageToken" in reasons:
        return BadPageError(Reason.REFUSED, f"{_PLACE} does not know the page any more at which reading stopped.")
    if "commentNotFound" in reasons:
        return MissingError(Reason.NOT_FOUND, "YouTube has no such comment any more.")
    if "videoNotFound" in reasons:
        return TransientError(Reason.NOT_FOUND, "YouTube has no such video, or it is private now. Check its address.")
    try:
        check_status(response)
    except FramewatchError as error:
        return error
    return TransientError(Reason.REFUSED, f"{_PLACE} refuses the request (status {response.status}).")


def _reasons(body: bytes) -> set[str]:
    """Why Google refuses, in its own words: the older form's `errors`, and the newer one's `details`."""
    try:
        error = at(read_json(body, _PLACE), "error")
    except PermanentError:
        return set()
    return {word(part, "reason") for part in (*many(error, "errors"), *many(error, "details"))} - {""}
