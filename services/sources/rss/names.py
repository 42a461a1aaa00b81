"""Which element of a feed is meant, whatever prefix or spelling it comes under. Pure tables; must not read values."""

import re
from functools import lru_cache
from xml.etree import ElementTree as ET

XML = "{http://www.w3.org/XML/1998/namespace}"
ITEMS = frozenset({"item", "entry"})
ROOTS = frozenset({"rss", "rdf", "feed", "channel", "rdf:rdf", "rdf:channel"})
_SPACES = tuple(
    (re.compile(pattern, re.IGNORECASE), prefix)
    for pattern, prefix in (
        (r"w3\.org/2005/atom|purl\.org/atom/|purl\.org/(?:echo|pie)/|^prefix:(?:atom|rss|a10)$", ""),
        (r"purl\.org/rss/1\.0/?$|purl\.org/net/rss|my\.netscape\.com/(?:rdf|publish)|modules/rss091", ""),
        (
            r"backend\.userland\.com/rss|blogs\.law\.harvard\.edu/tech/rss|cyber\.(?:law\.)?harvard\.edu/rss|channel\.nets",
            "",
        ),
        (r"purl\.org/rss/1\.0/modules/content", "content:"),
        (r"purl\.org/dc/elements", "dc:"),
        (r"purl\.org/dc/terms", "dcterms:"),
        (r"search\.yahoo\.com/mrss|rssboard\.org/media-rss", "media:"),
        (r"itunes\.com/dtds|podcast-1\.0\.dtd", "itunes:"),
        (r"google\.com/schemas/play-podcasts", "googleplay:"),
        (r"w3\.org/1999/02/22-rdf-syntax-ns", "rdf:"),
        (r"w3\.org/1999/xhtml", "xhtml:"),
    )
)
"""Namespaces by what is in their address: publishers misspell the rest. Core elements have no prefix."""
_MAYBE = re.compile(r"w3\.org|purl|netscape|userland|harvard|rss|itunes|podcast|^prefix:|channel\.nets", re.IGNORECASE)


class Names:
    """The names of one document's elements: lower case, core elements bare, others with our prefix for them."""

    def __init__(self, root: ET.Element) -> None:
        space, local = _split(root.tag)
        # A root that is a feed's in a namespace nobody knows makes that namespace the core of this document.
        self._own = {space} if _prefix(space) == "?:" and local.lower() in ROOTS | ITEMS else set()
        self._known: dict[str, str] = {}

    def adopt(self, item: ET.Element) -> None:
        """Count the namespace of an item as core, whatever it is."""
        space, _ = _split(item.tag)
        if space not in self._own and _prefix(space):
            self._own.add(space)
            self._known.clear()

    def of(self, element: ET.Element) -> str:
        """`title`, `dc:date`, …; `?:name` in a namespace of no interest."""
        tag = element.tag
        if tag not in self._known:
            space, local = _split(tag)
            self._known[tag] = ("" if space in self._own else _prefix(space)) + local.lower()
        return self._known[tag]


def attribute(element: ET.Element, name: str) -> str:
    """The attribute `name` of `element`, whatever its prefix and case; "" when there is none."""
    exact = element.get(name)
    if exact is not None:
        return exact.strip()
    for key, value in element.attrib.items():
        if key.rpartition("}")[2].lower() == name:
            return value.strip()
    return ""


def _split(tag: str) -> tuple[str, str]:
    space, _, local = tag.rpartition("}")
    return space.removeprefix("{"), local


@lru_cache(maxsize=1000)
def _prefix(space: str) -> str:
    if not space or not _MAYBE.search(space):
        return "?:" if space else ""
    return next((prefix for pattern, prefix in _SPACES if pattern.search(space[:300])), "?:")
