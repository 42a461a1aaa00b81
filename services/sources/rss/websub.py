"""WebSub (https://www.w3.org/TR/websub/): who distributes a feed, and the words we exchange with the hub. Pure.

The callback address must be one that only the hub can know; what it brings counts only when signed with our secret.
Must not fetch, store or decide when to subscribe.
"""

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal
from urllib.parse import urlencode, urljoin

from services.analysis.links import web_link

LEASE = timedelta(days=5)
"""How long we ask to be told; the hub may grant another span."""
LONGEST_LEASE = timedelta(days=30)
"""A longer grant counts as this: hubs forget."""
MAX_SECRET_BYTES = 199
"""WebSub 5.1: a secret must be less than 200 bytes."""
MAX_CHALLENGE = 1000
_METHODS = ("sha1", "sha256", "sha384", "sha512")
_MAX_HEADER = 10_000
_LINK = re.compile(r"<([^<>]{1,2000})>([^<>]{0,500})")
_REL = re.compile(r";\s*rel\s*=\s*(?:\"([^\"]*)\"|([^\s;,\"]+))", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Verified:
    """A hub's question that we asked for: what to answer, and how long it will tell us (None: it stops)."""

    challenge: str
    lease: timedelta | None


def hub_of(link_header: str, address: str) -> dict[str, str]:
    """`hub` and `topic` as the Link headers of the answer from `address` name them; {} when there is no hub."""
    found: dict[str, str] = {}
    for place, parameters in _LINK.findall(link_header[:_MAX_HEADER]):
        rel = _REL.search(parameters)
        names = (rel[1] or rel[2] or "").lower().split() if rel else []
        for name, ours in (("hub", "hub"), ("self", "topic")):
            if name in names:
                found.setdefault(ours, _absolute(place, address))
    if not found.get("hub"):
        return {}
    return {"hub": found["hub"], "topic": found.get("topic") or web_link(address)}


def request_body(
    mode: Literal["subscribe", "unsubscribe"], *, topic: str, callback: str, secret: str, lease: timedelta = LEASE
) -> bytes:
    """What is POSTed to the hub, as application/x-www-form-urlencoded (WebSub 5.1). 202 means it will ask back.

    Raises ValueError for an empty secret or one over MAX_SECRET_BYTES.
    """
    if not 0 < len(secret.encode()) <= MAX_SECRET_BYTES:
        raise ValueError("a secret has 1 to 199 bytes")
    words = {"hub.mode": mode, "hub.topic": topic, "hub.callback": callback}
    if mode == "subscribe":
        words |= {"hub.lease_seconds": str(int(lease.total_seconds())), "hub.secret": secret}
    return urlencode(words).encode()


def verified(query: Mapping[str, str], *, mode: Literal["subscribe", "unsubscribe"], topic: str) -> Verified | None:
    """The answer to a hub's GET on our callback when we did ask for `mode` of `topic`; None means 404 (WebSub 5.3).

    The challenge goes back as text/plain, unchanged.
    """
    challenge = query.get("hub.challenge", "")
    if query.get("hub.mode") != mode or query.get("hub.topic") != topic or not 0 < len(challenge) <= MAX_CHALLENGE:
        return None
    seconds = query.get("hub.lease_seconds", "")
    granted = timedelta(seconds=int(seconds)) if re.fullmatch(r"[0-9]{1,9}", seconds) else LEASE
    return Verified(challenge, min(granted, LONGEST_LEASE) if mode == "subscribe" else None)


def denied(query: Mapping[str, str], *, topic: str) -> bool:
    """Whether a hub's GET on our callback says that it will not (or no longer) tell us of `topic` (WebSub 5.2)."""
    return query.get("hub.mode") == "denied" and query.get("hub.topic") == topic


def is_signed(body: bytes, header: str, secret: str) -> bool:
    """Whether `X-Hub-Signature: method=hex` was made of `body` with `secret` (WebSub 7.1).

    Known methods are sha1, sha256, sha384 and sha512. The answer to a wrong signature is 2xx all the same, so that
    nobody learns by trying, and the body is thrown away.
    """
    method, _, signature = header.strip().partition("=")
    if method.lower() not in _METHODS or not secret or not signature.isascii():
        return False
    expected = hmac.new(secret.encode(), body, method.lower()).hexdigest()
    return hmac.compare_digest(expected, signature.strip().lower())


def _absolute(link: str, address: str) -> str:
    try:
        return web_link(urljoin(address, link.strip()))
    except ValueError:
        return ""
