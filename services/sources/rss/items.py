"""One item of an XML feed → Item: which of its elements is the title, the text, the date, the author. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from services.analysis.times import parse_time
from services.sources.items import Item, plain, with_summary
from services.sources.rss.links import join, links_of
from services.sources.rss.names import XML, Names, attribute
from services.sources.rss.values import text_in, value_of

_TITLES = ("title", "dc:title", "media:title", "itunes:title", "dcterms:title")
_BODIES = ("content:encoded", "content", "xhtml:body", "body", "fullitem", "content:items", "xhtml:div")
_SUMMARIES = ("description", "summary", "abstract", "dc:description")
_LESSER_BODIES = ("itunes:summary", "media:description", "googleplay:description", "dcterms:abstract", "media:text",
                  "itunes:subtitle", "tagline", "dcterms:description")  # fmt: skip
_DATES = ("pubdate", "published", "issued", "dcterms:issued", "dc:date", "created", "dcterms:created", "updated",
          "modified", "dcterms:modified", "dcterms:date", "date")  # fmt: skip
_AUTHORS = ("author", "dc:creator", "dc:author", "itunes:author", "creator", "managingeditor", "media:credit")
_GROUPS = frozenset({"media:group", "media:content"})

_DEEPEST_GROUP = 3
"""An item, its media:group, the media:content in it."""

Fields = dict[str, list[ET.Element]]


@dataclass(frozen=True, slots=True)
class Context:
    """What a document says for all of its items."""

    names: Names
    atom: bool
    lang: str = ""
    author: str = ""


def read_item(element: ET.Element, context: Context, base: str, lang: str) -> Item | None:
    """The item in `element`; None for one that was cut off before its identity or its text."""
    fields = _fields(element, context.names)
    body, body_lang = _body(fields, context.atom)
    guid, link = _guid(fields, element), join(base, _link(fields, element))
    if attribute(element, "cut") and not (_said(fields, "guid", "id") or (link and not _has_cut_child(element))):
        return None
    if (
        not link
        and "://" in guid
        and attribute(fields["guid"][0] if "guid" in fields else element, "ispermalink") != "false"
    ):
        link = guid
    return Item(
        guid=guid,
        link=link,
        title=_text(fields, _TITLES, context.atom),
        body=body,
        author=_author(fields) or context.author,
        lang=_said(fields, "dc:language", "language") or body_lang or lang or context.lang,
        date=_date(fields, element),
    )


def _fields(element: ET.Element, names: Names) -> Fields:
    fields: Fields = {}
    level: Iterable[ET.Element] = element
    for _ in range(_DEEPEST_GROUP):
        groups = []
        for child in level:
            name = names.of(child)
            if not child.get("cut"):
                fields.setdefault(name, []).append(child)
            if name in _GROUPS and len(child):
                groups.append(child)
        level = [child for group in groups for child in group]
    return fields


def _has_cut_child(element: ET.Element) -> bool:
    return any(child.get("cut") for child in element)


def _guid(fields: Fields, element: ET.Element) -> str:
    return _said(fields, "guid", "id", "dc:identifier") or attribute(element, "about")


def _link(fields: Fields, element: ET.Element) -> str:
    found = links_of(fields.get("link", ())).page or _said(fields, "url")
    found = found or attribute(element, "href") or attribute(element, "about")
    places = ((name, at) for name, at in (("enclosure", "url"), ("media:player", "url"), ("media:content", "url")))
    media = (attribute(child, at) for name, at in places for child in fields.get(name, ()))
    return found or next(filter(None, media), "")


def _body(fields: Fields, atom: bool) -> tuple[str, str]:  # noqa: FBT001 - which rules hold
    body, lang = _longest(fields, _BODIES, atom)
    summary, other = _longest(fields, _SUMMARIES, atom)
    if body and summary:
        return with_summary(summary, body), lang or other
    if body or summary:
        return body or summary, lang or other
    return _longest(fields, _LESSER_BODIES, atom)


def _longest(fields: Fields, names: tuple[str, ...], atom: bool) -> tuple[str, str]:  # noqa: FBT001 - which rules hold
    found = [(value_of(e, atom=atom and ":" not in n), e) for n in names for e in fields.get(n, ())]
    if not found:
        return "", ""
    (text, markup), element = max(found, key=lambda value: len(value[0][0]))
    said = plain(text, markup=markup)
    return said, element.get(f"{XML}lang", "") if said else ""


def _text(fields: Fields, names: tuple[str, ...], atom: bool) -> str:  # noqa: FBT001 - which rules hold
    for name in names:
        for element in fields.get(name, ()):
            text, markup = value_of(element, atom=atom and ":" not in name)
            if said := plain(text, markup=markup):
                return said
    return ""


def _author(fields: Fields) -> str:
    for name in _AUTHORS:
        for element in fields.get(name, ()):
            # Atom: a person has a name, perhaps an address, in elements of their own, in any order.
            inner = {child.tag.rpartition("}")[2].lower(): text_in(child) for child in element}
            said = inner.get("name") or inner.get("email") or inner.get("uri") or text_in(element)
            if said:
                return said
    return ""


def _date(fields: Fields, element: ET.Element) -> str:
    said = [text for name in _DATES if name in fields for text in map(text_in, fields[name]) if text]
    said += filter(None, [attribute(element, "lastmod")])
    return next((text for text in said if parse_time(text)), said[0] if said else "")


def _said(fields: Fields, *names: str) -> str:
    for name in names:
        for element in fields.get(name, ()):
            if said := text_in(element):
                return said
    return ""
