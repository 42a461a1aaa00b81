"""Recognises a web page where a feed was expected, and finds the feed it names. Pure; must not fetch."""

import html
import re
from urllib.parse import urljoin

from schemas.errors import PermanentError, Reason
from services.analysis.links import web_link
from services.analysis.text import clean_line

_FIRST = re.compile(r"<(?:(html|head|body)|rss|feed|rdf:rdf|[a-z0-9]+:(?:feed|rss|rdf))\b", re.IGNORECASE)
_DOCTYPE = re.compile(r"<!doctype\s+html\b", re.IGNORECASE)
_LINK = re.compile(r"<link\b([^<>]{1,2000})>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""([a-z]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE)
_FEED_TYPE = re.compile(r"application/(?:rss\+xml|atom\+xml|feed\+json|rdf\+xml)", re.IGNORECASE)
_BASE = re.compile(r"<base\b([^<>]{1,2000})>", re.IGNORECASE)
_LOOKED_AT = 300_000
_MAX_FOUND = 50


def is_html(text: str) -> bool:
    """Whether `text` is a web page rather than a feed."""
    first = _FIRST.search(text[:5000])
    return bool(first[1] if first else _DOCTYPE.search(text[:5000]))


def feed_links(text: str, address: str) -> list[tuple[str, str]]:
    """The feeds that the web page `text` from `address` names: absolute address and title, in its order."""
    base = _BASE.search(text[:_LOOKED_AT])
    address = _absolute(address, _attributes(base[1]).get("href", "")) if base else address
    found: dict[str, str] = {}
    for link in _LINK.finditer(text[:_LOOKED_AT]):
        said = _attributes(link[1])
        if "alternate" in said.get("rel", "").lower() and _FEED_TYPE.match(said.get("type", "").strip()):
            place = web_link(_absolute(address, said.get("href", "")))
            if place and len(found) < _MAX_FOUND:
                found.setdefault(place, clean_line(said.get("title", ""), limit_bytes=300))
    return [*found.items()]


def not_a_feed(text: str, address: str) -> PermanentError:
    """The error for a document that is no feed, with what to do about it."""
    if not is_html(text):
        return PermanentError(
            Reason.NOT_A_FEED, "What this address answers is neither RSS, Atom nor JSON Feed. Check the address."
        )
    found = feed_links(text, address)
    remedy = f"It names a feed: {found[0][0][:500]} – use that address." if found else "Look for its RSS or Atom link."
    return PermanentError(Reason.NOT_A_FEED, f"This address is a web page, not a feed. {remedy}")


def _attributes(tag: str) -> dict[str, str]:
    return {name.lower(): html.unescape(a or b or c) for name, a, b, c in _ATTRIBUTE.findall(tag)}


def _absolute(address: str, link: str) -> str:
    try:
        return urljoin(address, link.strip())
    except ValueError:
        return ""
