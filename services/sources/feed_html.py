"""Recognises a web page where a feed was expected, and finds the feed it names. Pure; must not fetch."""

import html
import re
from urllib.parse import urljoin

from schemas.errors import PermanentError, Reason
from services.analysis.links import web_link

_FIRST = re.compile(
    r"(<!doctype\s+html\b|<(?:html|head|body)\b)|<(?:rss|feed|rdf:rdf|[a-z0-9]+:(?:feed|rss|rdf))\b", re.IGNORECASE
)
_LINK = re.compile(r"<link\b([^<>]{1,2000})>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""([a-z]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE)
_FEED_TYPE = re.compile(r"application/(?:rss\+xml|atom\+xml|feed\+json|rdf\+xml)", re.IGNORECASE)
_LOOKED_AT = 300_000


def is_html(text: str) -> bool:
    """Whether `text` is a web page rather than a feed."""
    first = _FIRST.search(text[:5000])
    return bool(first and first[1])


def linked_feed(text: str, address: str) -> str:
    """The absolute address of the first feed that a page names; "" when it names none."""
    for link in _LINK.finditer(text[:_LOOKED_AT]):
        found = {name.lower(): a or b or c for name, a, b, c in _ATTRIBUTE.findall(link[1])}
        if "alternate" in found.get("rel", "").lower() and _FEED_TYPE.match(found.get("type", "").strip()):
            try:
                return web_link(urljoin(address, html.unescape(found.get("href", "")).strip()))[:500]
            except ValueError:
                continue
    return ""


def not_a_feed(text: str, address: str) -> PermanentError:
    """The error for a document that is no feed, with what to do about it."""
    if not is_html(text):
        return PermanentError(
            Reason.NOT_A_FEED, "What this address answers is neither RSS, Atom nor JSON Feed. Check the address."
        )
    found = linked_feed(text, address)
    remedy = f"It names a feed: {found} – use that address." if found else "Look for its RSS or Atom link."
    return PermanentError(Reason.NOT_A_FEED, f"This address is a web page, not a feed. {remedy}")
