"""What a person types for a place on Reddit, and where its posts are listed. Pure; must not fetch."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlencode, urlsplit

from schemas.errors import PermanentError, Reason
from services.analysis.text import clean_line

_PATH = re.compile(
    r"(?:r/(?P<sub>\w{2,24}(?:\+\w{2,24}){0,50})(?:/(?P<what>new|comments))?|(?:u|user)/(?P<user>[\w-]{2,24}))",
    re.ASCII | re.IGNORECASE,
)
_SEARCH = re.compile(r"(?:r/(?P<sub>\w{2,24}(?:\+\w{2,24}){0,50})/)?search", re.ASCII | re.IGNORECASE)
_MAX_QUERY = 512


@dataclass(frozen=True, slots=True)
class Place:
    """One listing of Reddit."""

    canonical: str
    path: str
    feed: str
    """The path of the same listing as a web feed."""
    query: Mapping[str, str] = field(default_factory=dict)

    def page(self, base: str, after: str) -> str:
        """The address of the listing at the server `base`, from below the post `after` ("": from the newest)."""
        query = {**self.query, "limit": "100", "raw_json": "1", **({"after": after} if after else {})}
        return f"{base}{self.path}?{urlencode(query)}"

    def web_feed(self, base: str) -> str:
        """The address of the same as a web feed."""
        return f"{base}{self.feed}?{urlencode({**self.query, 'limit': '100'})}"


def place_of(address: str) -> Place:
    """The place that `address` names.

    Raises PermanentError(BAD_ADDRESS) unless it is `r/NAME`, `r/NAME/comments`, `user/NAME`, `search:WORDS`,
    `r/NAME/search:WORDS` or the address of such a page.
    """
    path, words = _taken_apart(address)
    if words and (found := _SEARCH.fullmatch(path)):
        return _search((found["sub"] or "").lower(), words)
    if found := _PATH.fullmatch(path):
        if found["user"]:
            name = found["user"].lower()
            return Place(f"user/{name}", f"/user/{name}/overview", f"/user/{name}/.rss", {"sort": "new"})
        name, comments = found["sub"].lower(), (found["what"] or "").lower() == "comments"
        canonical = f"r/{name}/comments" if comments else f"r/{name}"
        listed = f"/{canonical}" if comments else f"/{canonical}/new"
        return Place(canonical, listed, f"{listed}/.rss")
    raise PermanentError(
        Reason.BAD_ADDRESS,
        f"{clean_line(address, limit_bytes=200)!r} is no place on Reddit: r/NAME, r/NAME/comments, user/NAME, "
        "search:WORDS and r/NAME/search:WORDS are.",
    )


def _search(sub: str, words: str) -> Place:
    base = f"/r/{sub}/search" if sub else "/search"
    query = {"q": words, "sort": "new", "type": "link", **({"restrict_sr": "on"} if sub else {})}
    return Place(f"{base[1:]}:{words}", base, f"{base}.rss", query)


def _taken_apart(address: str) -> tuple[str, str]:
    text = clean_line(address)
    place, typed, words = text.partition("search:")
    try:
        parts = urlsplit(text)
    except ValueError:
        return "", ""
    if parts.scheme in ("http", "https"):
        ours = f".{parts.hostname}".endswith(".reddit.com")
        words = parse_qs(parts.query).get("q", [""])[0]
        place = parts.path if ours else ""
    elif typed:
        place += "search"
    return place.strip("/"), clean_line(words, limit_bytes=_MAX_QUERY)
