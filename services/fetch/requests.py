"""The parts of a request and of an answer, between our words and httpx's. It must not connect to anything."""

import base64
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version

import httpx

from schemas.errors import PermanentError, Reason
from services.analysis.times import parse_time
from services.fetch.answers import Response, parse_reset, parse_retry_after, shown

Pairs = list[tuple[bytes, bytes]]
"""Headers as they go over the wire."""
_MOVED = (301, 302, 303, 307, 308)
_NOT_IN_HEADERS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def user_agent(contact: str) -> str:
    """`framewatch/<version> (+contact)`: who we are and where a site can complain."""
    try:
        name = f"framewatch/{version('framewatch')}"
    except PackageNotFoundError:
        name = "framewatch"
    readable = re.sub(r"[^\x21-\x7e]|[()]", "", contact)[:200]
    return f"{name} (+{readable})" if readable else name


def check_address(url: str) -> httpx.URL:
    """`url` taken apart. Raises PermanentError(BAD_ADDRESS) unless it is http(s) with a host."""
    try:
        address = httpx.URL(url.strip())
    except (httpx.InvalidURL, ValueError) as error:
        raise _bad_address(url) from error
    if address.scheme not in ("http", "https") or not address.host or "%" in address.host:
        raise _bad_address(url)
    return address


def header_pairs(headers: Mapping[str, str]) -> Pairs:
    """Headers as bytes, empty ones and forbidden characters left out; latin-1 keeps validators byte-exact."""
    cleaned = {name: _NOT_IN_HEADERS.sub("", value) for name, value in headers.items()}
    return [(name.encode("latin-1", "replace"), _encode(value)) for name, value in cleaned.items() if value]


def login(address: httpx.URL) -> Pairs:
    """The Authorization header that a name and password in an address stand for (RFC 7617)."""
    if not address.userinfo:
        return []
    word = base64.b64encode(f"{address.username}:{address.password}".encode("utf-8", "replace"))
    return [(b"Authorization", b"Basic " + word)]


def moved_to(answer: httpx.Response, target: httpx.URL) -> httpx.URL | None:
    """Where a redirect points; None when `answer` is none. Raises PermanentError(BAD_ADDRESS)."""
    location = answer.headers.get("location", "")
    if answer.status_code not in _MOVED or not location:
        return None
    try:
        return check_address(str(target.join(location)))
    except (httpx.InvalidURL, ValueError) as error:
        raise _bad_address(location) from error


def response_of(answer: httpx.Response, target: httpx.URL, *, permanent_url: str = "") -> Response:
    """`answer` as our record, its body still unread."""
    headers = {name.lower(): value for name, value in answer.headers.items()}
    date = parse_time(headers.get("date", ""))
    now = date or datetime.now(UTC)
    wait = parse_retry_after(headers.get("retry-after", ""), now)
    if wait is None and answer.status_code == 429:
        wait = parse_reset(headers, now)
    return Response(
        status=answer.status_code,
        url=str(target.copy_with(userinfo=b"")),
        permanent_url=permanent_url,
        headers=headers,
        etag=_exact(answer, b"etag"),
        last_modified=_exact(answer, b"last-modified"),
        date=date,
        retry_after=wait,
    )


def _exact(answer: httpx.Response, name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in answer.headers.raw if key.lower() == name), "")


def _encode(value: str) -> bytes:
    try:
        return value.encode("latin-1")
    except UnicodeEncodeError:
        return value.encode("utf-8", "replace")


def _bad_address(url: str) -> PermanentError:
    return PermanentError(
        Reason.BAD_ADDRESS, f"{shown(url)!r} is no web address: it needs http:// or https:// and a host."
    )
