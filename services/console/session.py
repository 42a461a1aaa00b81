"""Who looks at the console: a token as a header, or the session that signing in with one began. It decides no access.

The cookie holds a random word that means nothing anywhere else; what it stands for is a row, so that signing out, a
revoked token and time end it at once.
"""

import hashlib
import hmac
import secrets
from datetime import datetime

from starlette.requests import Request

from services.analysis.permitting import LOCAL, OPERATOR, Caller, holder
from services.pacing import GUESSES, Paces
from services.store import sessions, tokens
from services.store.pool import Store

COOKIE = "framewatch"
LASTS = sessions.LASTS


class Session:
    """Finds who asks, and lets people in; an empty token leaves the house open but for tokens of ours."""

    def __init__(self, store: Store, token: str) -> None:
        self._store = store
        self._token = token.encode()
        self._mark = hashlib.sha256(b"framewatch console session\0" + self._token).digest()
        self._paces = Paces()

    def caller(self, request: Request, now: datetime) -> Caller | None:
        """Who asks; None for nobody we know. Raises TransientError when that cannot be looked up now."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        given = token.strip() if scheme.lower() == "bearer" else ""
        if not self._token and not tokens.looks_ours(given):
            return LOCAL
        if given:
            return self._holder(given, _address(request), now)[0]
        word = request.cookies.get(COOKIE, "")
        return self._visitor(word, now) if word else None

    def enter(self, token: str, request: Request, now: datetime) -> tuple[Caller | None, str]:
        """Whose token it is, and the word of the session it begins: empty for one that is not right or may not read."""
        caller, token_id = self._holder(token.strip(), _address(request), now)
        if caller is None or "read" not in caller.scopes:
            return caller, ""
        word = secrets.token_urlsafe(32)
        mark = self._mark if token_id is None else None
        with self._store.transaction() as tx:
            sessions.add_session(tx, word, token_id=token_id, mark=mark, now=now)
        return caller, word

    def leave(self, request: Request) -> None:
        """End the session of a request, for whoever holds its word."""
        if word := request.cookies.get(COOKIE, ""):
            with self._store.transaction() as tx:
                sessions.end_session(tx, word)

    def _holder(self, token: str, address: str, now: datetime) -> tuple[Caller | None, str | None]:
        """Whoever has a token, and its id, which the operator's has not. Guesses of an address are looked up rarely."""
        if self._token and hmac.compare_digest(token.encode("utf-8", "replace"), self._token):
            return OPERATOR, None
        if not tokens.looks_ours(token) or self._paces.wait(address, GUESSES, now, peek=True):
            return None, None
        with self._store.transaction() as tx:
            row = tokens.find_token(tx, token, now)
        if row is None:
            self._paces.wait(address, GUESSES, now)
            return None, None
        return holder(row), row["token_id"]

    def _visitor(self, word: str, now: datetime) -> Caller | None:
        with self._store.transaction() as tx:
            row = sessions.find_session(tx, word, mark=self._mark, now=now)
        if row is None:
            return None
        return OPERATOR if row["token_id"] is None else holder(row)


def _address(request: Request) -> str:
    return request.client.host if request.client else ""
