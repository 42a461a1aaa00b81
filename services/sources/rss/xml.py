"""RSS 0.9x to 2.0, RDF, Atom and CDF → Document, in whatever prefixes and order they come. Pure; must not fetch.

Text that our own reader finds no items in, though it names some, goes to feedparser, which guesses more.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from xml.etree import ElementTree as ET

from services.analysis.times import parse_time
from services.sources.items import MAX_ITEMS, Document, Item, plain
from services.sources.rss.fallback import read_loosely
from services.sources.rss.items import Context, read_item
from services.sources.rss.links import join, links_of
from services.sources.rss.markup import read_tree
from services.sources.rss.names import ITEMS, ROOTS, XML, Names, attribute
from services.sources.rss.values import text_in, value_of

_LONGEST_TTL = timedelta(hours=24)
_ITEM = re.compile(r"<(?:[\w.-]{1,40}:)?(?:item|entry)\b", re.IGNORECASE)
_MARKS_AN_ITEM = frozenset({"title", "link", "description", "guid", "id", "summary", "content"})
_HEADS = frozenset({"channel", "feed", "rss", "rdf", "mended", "rdf:rdf", "rdf:channel", "items"})
_DATES = ("updated", "lastbuilddate", "modified", "dc:date", "pubdate", "published", "dcterms:modified")


@dataclass(frozen=True, slots=True)
class _Place:
    """An element on the way to the items, and what it passes on to them."""

    element: ET.Element
    base: str
    lang: str


def read_xml(text: str) -> Document | None:
    """The document in `text` (declarations left out before); None when it is no feed."""
    root, left_out = read_tree(text)
    document = None if root is None else _document(root, left_out)
    if document and (document.items or document.dropped.total() or not _ITEM.search(text)):
        return document
    return read_loosely(text) or document


def _document(root: ET.Element, left_out: int) -> Document | None:
    names = Names(root)
    heads: list[_Place] = []
    entries = [*_items(root, names, heads)]
    head = [child for place in heads for child in place.element if names.of(child) not in ITEMS]
    fields: dict[str, ET.Element] = {}
    for element in head:
        fields.setdefault(names.of(element), element)
    if not _is_feed(root, names, entries):
        return None
    atom = _is_atom(root, names, heads)
    context = Context(
        names, atom, lang=_said(fields, "language", "dc:language"), author=_author(fields) if atom else ""
    )
    read = [_read(place, context) for place in entries[:MAX_ITEMS]]
    items = [item for item in read if item]
    links = links_of(element for element in head if names.of(element) == "link")
    return Document(
        items=items,
        title=_title(fields, atom),
        link=join(heads[-1].base if heads else "", links.page),
        hub=links.hub,
        topic=links.own,
        updated=_updated(fields),
        ttl=_ttl(_said(fields, "ttl")),
        too_many=left_out + max(len(entries) - MAX_ITEMS, 0),
        dropped=Counter(cut_off=len(read) - len(items)),
    )


def _items(root: ET.Element, names: Names, heads: list[_Place]) -> Iterator[_Place]:
    waiting = [_Place(root, attribute(root, "base"), root.get(f"{XML}lang", ""))]
    while waiting:
        place = waiting.pop()
        if names.of(place.element).rpartition(":")[2] in ITEMS:
            names.adopt(place.element)
            yield place
            continue
        if names.of(place.element) in _HEADS:
            heads.append(place)
        waiting.extend(
            _Place(child, join(place.base, attribute(child, "base")), child.get(f"{XML}lang", place.lang))
            for child in reversed(place.element)
        )


def _read(place: _Place, context: Context) -> Item | None:
    return read_item(place.element, context, place.base, place.lang)


def _is_feed(root: ET.Element, names: Names, entries: list[_Place]) -> bool:
    if names.of(root) in ROOTS or (names.of(root) == "mended" and any(names.of(child) in ROOTS for child in root)):
        return True
    return any(names.of(child) in _MARKS_AN_ITEM for place in entries[:20] for child in place.element)


def _is_atom(root: ET.Element, names: Names, heads: list[_Place]) -> bool:
    return any(names.of(place.element) == "feed" for place in heads) or names.of(root) == "entry"


def _title(fields: dict[str, ET.Element], atom: bool) -> str:  # noqa: FBT001 - which rules hold
    found = next((fields[name] for name in ("title", "dc:title") if name in fields), None)
    if found is None:
        return ""
    text, markup = value_of(found, atom=atom)
    return plain(text, markup=markup)


def _author(fields: dict[str, ET.Element]) -> str:
    author = fields.get("author")
    return "" if author is None else text_in(author[0] if len(author) else author)


def _updated(fields: dict[str, ET.Element]) -> datetime | None:
    times = (parse_time(_said(fields, name)) for name in _DATES)
    return next((time for time in times if time), None)


def _ttl(said: str) -> timedelta | None:
    minutes = re.fullmatch(r"[0-9]{1,6}", said)
    return min(timedelta(minutes=int(said)), _LONGEST_TTL) if minutes else None


def _said(fields: dict[str, ET.Element], *names: str) -> str:
    return next((said for said in (text_in(fields[name]) for name in names if name in fields) if said), "")
