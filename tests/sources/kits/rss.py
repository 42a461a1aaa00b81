"""RSS 2.0 as servers write it."""

from typing import Any
from xml.sax.saxutils import escape

from tests.sources.kits import Kit

NAMES = {"id": "guid", "text": "description", "published_at": "pubDate", "url": "link", "author": "author"}


def encode(posts: list[dict[str, Any]], head: str = "") -> bytes:
    items = ("".join(f"<{NAMES[k]}>{escape(str(v))}</{NAMES[k]}>" for k, v in p.items()) for p in posts)
    body = "".join(f"<item>{item}</item>" for item in items)
    xml = f"<rss version='2.0'><channel><title>A feed</title>{head}{body}</channel></rss>"
    return xml.encode("utf-8", "surrogatepass")


KIT = Kit(encode, lacks=frozenset({"id"}))
"""An item without an id has other names: its link, its title and date, or what it says."""
