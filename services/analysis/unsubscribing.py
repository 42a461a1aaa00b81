"""Tokens by which a reader leaves a digest without a login: signed, so that nobody can take leave for another. Pure."""

import hmac
import re
from base64 import urlsafe_b64encode
from hashlib import sha256

_TOKEN = re.compile(r"([1-9][0-9]{0,17})-([A-Za-z0-9_-]{22})")


def token(secret: bytes, reader_id: int) -> str:
    """The token of a reader: their number and 128 bits of its HMAC-SHA256 (RFC 2104) under a key of its own."""
    key = hmac.digest(secret, b"framewatch: leave a digest", sha256)
    mac = hmac.digest(key, str(reader_id).encode(), sha256)[:16]
    return f"{reader_id}-{urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def reader_of(secret: bytes, given: str) -> int | None:
    """The reader a token was made for; None when it was not made by us."""
    found = _TOKEN.fullmatch(given)
    if not found:
        return None
    reader_id = int(found[1])
    return reader_id if hmac.compare_digest(token(secret, reader_id), given) else None
