"""The links of a feed or of one of its items: which is the page, the feed itself, its hub. Pure; must not fetch."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urljoin
from xml.etree import ElementTree as ET

from services.sources.rss.names import XML, attribute
from services.sources.rss.values import text_in

_NOT_A_PAGE = frozenset(
    [
        "self",
        "hub",
        "edit",
        "edit-media",
        "enclosure",
        "replies",
        "next",
        "prev",
        "previous",
        "first",
        "last",
        "search",
        "license",
        "icon",
        "up",
        "service",
    ]
)


_LONGEST_BASE = 2000
"""Bases inside bases would grow without end."""


@dataclass(frozen=True, slots=True)
class Links:
    """What link elements say; "" for what they do not."""

    page: str = ""
    own: str = ""
    """The feed's own address (rel=self)."""
    hub: str = ""


def links_of(elements: Iterable[ET.Element]) -> Links:
    """The links among `elements`, each either text (RSS) or an href with a rel (Atom), as they are written."""
    text, pages, others = [], [], []
    own = hub = ""
    for element in elements:
        href = attribute(element, "href") or attribute(element, "resource")
        if not href:
            text.append(_based(element, text_in(element)))
            continue
        rel, href = attribute(element, "rel").lower().rpartition("/")[2].split() or ["alternate"], _based(element, href)
        own = own or (href if "self" in rel else "")
        hub = hub or (href if "hub" in rel else "")
        if "alternate" in rel:
            pages.append((attribute(element, "type").lower(), href))
        elif not _NOT_A_PAGE.intersection(rel):
            others.append(href)
    # Several alternates are several formats of one page, of which a reader wants the one for people.
    pages.sort(key=lambda page: "html" not in page[0] and page[0] != "")
    candidates = [*text, *(href for _, href in pages), *others]
    return Links(next(filter(None, candidates), ""), own, hub)


def join(base: str, link: str) -> str:
    """`link` as it is meant at `base`; as it is when that cannot be said."""
    link = link.strip()
    if not link or not base or len(base) > _LONGEST_BASE:
        return link or base
    if link.startswith(("https://", "http://")):
        return link
    try:
        return urljoin(base, link)
    except ValueError:
        return link


def _based(element: ET.Element, href: str) -> str:
    base = element.get(f"{XML}base", "")
    return join(base, href) if base and href else href
