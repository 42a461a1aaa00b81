"""What a person types for a place on X: an account or a search. Pure; must not fetch."""

import re
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from schemas.errors import PermanentError, Reason
from services.analysis.text import clean_line

MAX_QUERY = 4096
"""Longest query of recent search in characters; most plans allow 512 (docs.x.com, Build a query)."""
_NAME = re.compile(r"@?(\w{1,15})", re.ASCII)
_HOSTS = ("x.com", "twitter.com")
_PAGES = ("search", "hashtag", "home", "explore", "i", "intent", "share")


@dataclass(frozen=True, slots=True)
class Place:
    """An account by its name, or a search by its query; the other one is ""."""

    name: str = ""
    query: str = ""

    @property
    def canonical(self) -> str:
        """`@name` or `search:query`."""
        return f"@{self.name}" if self.name else f"search:{self.query}"


def place_of(address: str) -> Place:
    """The place that `address` names.

    Raises PermanentError(BAD_ADDRESS) unless it is `@name`, `#hashtag`, `search:QUERY` or the address of such a page.
    """
    text = clean_line(address, limit_bytes=4 * MAX_QUERY)
    start, typed, query = text.partition("search:")
    if (typed and not start) or text.startswith("#"):
        query = query.strip() if typed and not start else text
        if 1 < len(query) <= MAX_QUERY:
            return Place(query=query)
    elif text.startswith("@") and (name := _NAME.fullmatch(text)):
        return Place(name=name[1].lower())
    elif place := _linked(text):
        return place
    raise PermanentError(Reason.BAD_ADDRESS, f"{text[:200]!r} is no place on X: @name, #hashtag and search:QUERY are.")


def _linked(text: str) -> Place | None:
    try:
        parts = urlsplit(text)
    except ValueError:
        return None
    host = (parts.hostname or "").removeprefix("www.").removeprefix("mobile.")
    if parts.scheme not in ("http", "https") or host not in _HOSTS:
        return None
    first, _, rest = parts.path.strip("/").partition("/")
    query = clean_line(parse_qs(parts.query).get("q", [""])[0], limit_bytes=MAX_QUERY)
    if first == "search" and query:
        return Place(query=query)
    if first == "hashtag" and rest:
        return Place(query=f"#{rest.partition('/')[0]}")
    name = _NAME.fullmatch(first)
    return Place(name=name[1].lower()) if name and first.lower() not in _PAGES and not rest else None
