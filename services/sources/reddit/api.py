"""Reddit's interface over OAuth: a token for the app, kept until it expires, and what its refusals mean.

Must not know what a listing holds.
"""

import base64
import threading
import time
from contextlib import suppress
from datetime import timedelta

from schemas.errors import PermanentError, Reason, TransientError
from services.fetch import Response, check_status, shown
from services.fetch.answers import LONGEST_WAIT
from services.sources.base import Means
from services.sources.reading import at, read_json, word

REMEDY = "Register an app at reddit.com/prefs/apps (Reddit approves each) and put its id and secret there."
_LOGIN_PATH = "/api/v1/access_token"
_EARLY_S = 60
"""A token is given up so long before it expires."""
_LONGEST_S = 24 * 3600
_REASONS = {
    "private": (Reason.NO_ACCESS, "is private: only its members may read it."),
    "gold_only": (Reason.NO_ACCESS, "is for paying members only."),
    "quarantined": (Reason.NO_ACCESS, "is quarantined: Reddit shows it only to accounts that opted in."),
    "gated": (Reason.NO_ACCESS, "is shown only to accounts that confirmed a warning."),
    "banned": (Reason.NOT_FOUND, "was banned by Reddit."),
}


class RedditApi:
    """Asks Reddit with the app's credentials; thread-safe, keeps nothing but its tokens."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._lock = threading.Lock()
        self._tokens: dict[str, tuple[str, float]] = {}

    def get(self, url: str, login: str) -> Response:
        """The answer at `url`, with a token from the server `login`.

        Raises PermanentError: NO_CREDENTIALS, NO_ACCESS (credentials refused). Raises TransientError: RATE_LIMITED
        until the limit is lifted, NO_ACCESS and NOT_FOUND in Reddit's own words, and what Fetcher.get raises.
        """
        token = self._token(login)
        response = self._ask(url, token)
        if response.status == 401:  # revoked before its time
            self._forget(login, token)
            response = self._ask(url, self._token(login))
        refuse(response)
        return response

    def _ask(self, url: str, token: str) -> Response:
        return self._means.fetcher.get(url, headers={"Authorization": f"bearer {token}"}, judged=False)

    def _token(self, login: str) -> str:
        name, secret = (self._means.key(key, REMEDY) for key in ("reddit_client_id", "reddit_client_secret"))
        with self._lock:  # one asks, the others wait for its answer
            token, expires = self._tokens.get(login, ("", 0.0))
            if not token or time.monotonic() >= expires:
                token, lasts = self._new_token(login, name, secret)
                self._tokens[login] = token, time.monotonic() + lasts
        return token

    def _forget(self, login: str, token: str) -> None:
        with self._lock:
            if self._tokens.get(login, ("", 0.0))[0] == token:
                del self._tokens[login]

    def _new_token(self, login: str, name: str, secret: str) -> tuple[str, float]:
        headers = {
            "Authorization": "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode(),
            "Content-Type": "application/x-www-form-urlencoded",
        }
        response = self._means.fetcher.post(login + _LOGIN_PATH, b"grant_type=client_credentials", headers)
        if response.status in (400, 401, 403):
            raise PermanentError(
                Reason.NO_ACCESS,
                f"Reddit refuses the credentials (status {response.status}). Check FRAMEWATCH_REDDIT_CLIENT_ID and "
                "FRAMEWATCH_REDDIT_CLIENT_SECRET against reddit.com/prefs/apps.",
            )
        refuse(response)
        answer = read_json(response.body, shown(response.url))
        token, lasts = word(answer, "access_token"), at(answer, "expires_in")
        if not token:
            raise TransientError(Reason.SERVER_ERROR, "Reddit gave no access token. Usually it passes.")
        lasts = min(lasts, _LONGEST_S) if isinstance(lasts, int | float) and lasts > 0 else 0
        return token, lasts - _EARLY_S


def refuse(response: Response) -> None:
    """Return when `response` is a success; raise for everything else what RedditApi.get says."""
    if response.status == 429:
        wait = response.retry_after or limit_lifted(response)
        raise TransientError(Reason.RATE_LIMITED, "Reddit asks for fewer requests (status 429).", wait)
    if response.status == 401:
        raise TransientError(
            Reason.NO_ACCESS, "Reddit refuses a token it has just given (status 401). Check the app's rights."
        )
    if response.status in (403, 404):
        said = ""
        with suppress(PermanentError):
            said = word(read_json(response.body, "Reddit"), "reason")
        if said in _REASONS:
            reason, words = _REASONS[said]
            raise TransientError(reason, f"{shown(response.url)} {words}", response.retry_after)
    check_status(response)


def limit_lifted(response: Response) -> timedelta | None:
    """How long until Reddit's rate limit is lifted; None when it says nothing readable."""
    return _seconds(response, "x-ratelimit-reset")


def limit_reached(response: Response) -> bool:
    """Whether Reddit says that no request is left in this period."""
    left = _seconds(response, "x-ratelimit-remaining", zero=True)
    return left is not None and left < timedelta(seconds=1)


def _seconds(response: Response, header: str, *, zero: bool = False) -> timedelta | None:
    try:
        value = float(response.headers.get(header, ""))
    except ValueError:
        return None
    if not (0 <= value < float("inf")) or not (value or zero):
        return None
    return timedelta(seconds=min(value, LONGEST_WAIT.total_seconds()))
