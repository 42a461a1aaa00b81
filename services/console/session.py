"""Who may read: the token as a header, or a signed cookie that the sign-in form sets. It keeps no list of sessions."""

import hashlib
import hmac
from datetime import datetime, timedelta

from starlette.requests import Request

COOKIE = "framewatch"
LASTS = timedelta(days=7)


class Session:
    """Makes and checks cookies; an empty token lets everybody in."""

    def __init__(self, token: str) -> None:
        self._token = token.encode()
        self._key = hashlib.sha256(b"framewatch console cookie\0" + self._token).digest()

    def is_token(self, given: str) -> bool:
        """Whether this is the token; takes the same time however wrong it is."""
        return hmac.compare_digest(given.encode("utf-8", "replace"), self._token)

    def cookie(self, now: datetime) -> str:
        """A cookie that is good until LASTS from now; the token cannot be told from it."""
        until = str(int((now + LASTS).timestamp()))
        return f"{until}.{self._signed(until)}"

    def allows(self, request: Request, now: datetime) -> bool:
        """Whether a request may be answered."""
        if not self._token:
            return True
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and self.is_token(token.strip()):
            return True
        until, _, signature = request.cookies.get(COOKIE, "").partition(".")
        right = hmac.compare_digest(signature.encode("utf-8", "replace"), self._signed(until).encode())
        return right and until.isdecimal() and int(until) > now.timestamp()

    def _signed(self, until: str) -> str:
        return hmac.new(self._key, until.encode("utf-8", "replace"), hashlib.sha256).hexdigest()
