"""What a server answered, and what its status means for us. It must not connect to anything."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from schemas.errors import PermanentError, Reason, TransientError
from services.analysis.times import parse_time

LONGEST_WAIT = timedelta(hours=24)
"""A Retry-After beyond this counts as this."""
_SOFT = {
    401: (Reason.NO_ACCESS, "wants a login or a key (status 401). Check the credentials, or whether it is public."),
    403: (Reason.NO_ACCESS, "refuses access (status 403). Check in a browser whether it is public."),
    404: (Reason.NOT_FOUND, "has nothing at this address (status 404). Check the address in a browser."),
    408: (Reason.TIMEOUT, "gave up waiting (status 408)."),
    429: (Reason.RATE_LIMITED, "asks for fewer requests (status 429)."),
}


@dataclass(frozen=True, slots=True)
class Response:
    """An answer that arrived."""

    status: int
    url: str
    """Where the answer came from, after redirects."""
    permanent_url: str = ""
    """Where the page has moved for good; "" when it has not."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case; repeated headers joined by a comma."""
    body: bytes = b""
    etag: str = ""
    """Byte-exact, quotes included (latin-1); on 304 the one that was sent, unless there is a new one."""
    last_modified: str = ""
    """Byte-exact, as `etag`."""
    not_modified: bool = False
    date: datetime | None = None
    """The server's own clock, when it stated it."""
    retry_after: timedelta | None = None
    """How long the server asks us to stay away, at most 24 hours."""


def check_status(response: Response) -> None:
    """Return when `response` is a success (2xx or 304).

    Raises PermanentError(GONE) for 410; TransientError for everything else: NO_ACCESS (401, 403), NOT_FOUND,
    TIMEOUT, RATE_LIMITED, REFUSED (other 4xx), REDIRECTED (3xx), SERVER_ERROR, with the server's retry_after.
    Dead feeds come back, so none of these is final.
    """
    status, place = response.status, shown(response.url)
    if 200 <= status < 300 or response.not_modified:
        return
    if status == 410:
        raise PermanentError(Reason.GONE, f"{place} is gone for good, says its server (status 410).")
    if status in _SOFT:
        reason, said = _SOFT[status]
    elif status >= 500:
        reason, said = Reason.SERVER_ERROR, f"has a fault of its own (status {status}). Usually it passes."
    elif status >= 400:
        reason, said = Reason.REFUSED, f"refuses the request (status {status})."
    else:
        reason, said = Reason.REDIRECTED, f"answers with status {status}, which leads nowhere."
    raise TransientError(reason, f"{place} {said}", response.retry_after)


def parse_retry_after(value: str, date: datetime | None) -> timedelta | None:
    """The wait a Retry-After header asks for: seconds, or an HTTP date relative to the answer's own `date`.

    At most 24 hours; None for nonsense and for times that have passed (RFC 9110, 10.2.3).
    """
    text = value.strip()
    if re.fullmatch(r"[0-9]{1,18}", text):
        wait = timedelta(seconds=min(int(text), 10**6))
    elif (moment := parse_time(text)) and date:
        wait = moment - date
    else:
        return None
    return min(wait, LONGEST_WAIT) if wait > timedelta(0) else None


def parse_reset(headers: Mapping[str, str], date: datetime | None) -> timedelta | None:
    """The wait until a rate limit starts anew, as `x-ratelimit-reset` or `x-rate-limit-reset` states it: an ISO time,
    seconds since 1970, or seconds from now. None as in parse_retry_after."""
    text = (headers.get("x-ratelimit-reset") or headers.get("x-rate-limit-reset") or "").strip()
    if seconds := re.fullmatch(r"([0-9]{10})(?:\.[0-9]+)?", text):
        text = datetime.fromtimestamp(int(seconds[1]), UTC).isoformat()
    return parse_retry_after(re.sub(r"^([0-9]{1,9})\.[0-9]+$", r"\1", text), date)


def shown(url: str) -> str:
    """`url` as messages may show it: no password, no parameters (keys live there), at most 200 characters."""
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
    except ValueError:
        return url[:200]
    return f"{parts.scheme}://{host}{parts.path}"[:200] if host else url[:200].partition("?")[0]
