"""Who said it, without saying who: pseudonyms of authors (keyed, so that they cannot be guessed back)."""

import hmac
from hashlib import sha256


def pseudonym(key: bytes, source: str, author: str) -> str:
    """A stable pseudonym (24 hex digits of HMAC-SHA256) of a source's author; "" stays ""."""
    if not author:
        return ""
    message = f"{source}\0{author}".encode("utf-8", "replace")
    return hmac.new(key, message, sha256).hexdigest()[:24]
