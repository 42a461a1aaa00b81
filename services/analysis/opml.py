"""OPML 2.0 (http://opml.org/spec2.opml) → feeds, and back. What it cannot say of a feed stands in attributes of our own
namespace; what we do not know of a feed, and the groups around it, is kept with it. Pure; must not fetch or judge."""

import html.entities
import json
import re
import xml.etree.ElementTree as Tree
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from xml.parsers import expat
from xml.sax.saxutils import escape

from schemas.errors import PermanentError, Reason
from services.analysis.decoding import decode_text
from services.analysis.listing import FeedList, Listed, Trouble, outline_of, read_options, with_outline
from services.analysis.text import clean_line

NAMESPACE = "urn:framewatch:feeds"
"""Of the attributes kind, address, seconds, options, state and mode."""
_OURS = f"{{{NAMESPACE}}}"
_OWN = ("kind", "address", "seconds", "options", "state", "mode")
_DEEPEST = 100
_DECLARATION = re.compile(r"\s*<\?xml\b[^>]*>")
_BARE = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#[0-9]{1,7}|#x[0-9A-Fa-f]{1,6});)(?:([A-Za-z][A-Za-z0-9]{1,31});)?")
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_NAME = re.compile(r"(?!xmlns)(?:\{[^{}\s]{1,300}\})?[^\W\d][\w.-]{0,100}")


def read_opml(data: bytes) -> FeedList:
    """The feeds of an OPML file in any encoding.

    Bare ampersands and HTML's names for characters are read as what was meant. Raises PermanentError: UNSAFE_XML
    for a DOCTYPE, BAD_INPUT with the line for what is no OPML.
    """
    reader = _Reader()
    reader.read(_repaired(decode_text(data)))
    return FeedList(tuple(reader.feeds), tuple(reader.troubles), tuple(reader.notes()))


def write_opml(feeds: Iterable[Listed], title: str = "Feeds of framewatch") -> bytes:
    """`feeds` as OPML in UTF-8, in the groups they were read in; `read_opml` gives the same feeds again."""
    root = Tree.Element("opml", {"version": "2.0", "xmlns:fw": NAMESPACE})
    Tree.SubElement(Tree.SubElement(root, "head"), "title").text = _legal(title)
    body = Tree.SubElement(root, "body")
    groups: dict[str, Tree.Element] = {}
    for feed in feeds:
        attributes, around = outline_of(feed.options)
        place, path = body, ""
        for group in around:
            path += json.dumps(group, sort_keys=True) + "\n"
            if path not in groups:
                groups[path] = Tree.SubElement(place, "outline", _named({"text": ""} | group))
            place = groups[path]
        Tree.SubElement(place, "outline", _attributes(feed, attributes))
    Tree.indent(root)
    text: str = Tree.tostring(root, "unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'.encode()


@dataclass(slots=True)
class _Open:
    """An outline whose end has not come: what it says, and whether feeds or other outlines are in it."""

    attributes: dict[str, str]
    is_feed: bool
    filled: bool = False


@dataclass(slots=True)
class _Reader:
    feeds: list[Listed] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)
    _around: list[_Open] = field(default_factory=list)
    _elements: int = 0
    _aside: int = 0
    _parser: expat.XMLParserType = field(default_factory=lambda: expat.ParserCreate("utf-8", " "))

    def read(self, text: str) -> None:
        parser = self._parser
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.StartDoctypeDeclHandler = self._doctype
        try:
            parser.Parse(text.encode(), True)  # noqa: FBT003 - expat's own interface
        except expat.ExpatError as error:
            said = expat.ErrorString(error.code)
            raise PermanentError(
                Reason.BAD_INPUT, f"line {error.lineno}: the OPML breaks here ({said}); mend that line, or export again"
            ) from None

    def notes(self) -> Iterable[str]:
        """What was left aside."""
        if self._aside:
            yield f"{self._aside} outlines name no feed and were left aside"

    def _doctype(self, *_: object) -> None:
        raise PermanentError(
            Reason.UNSAFE_XML,
            f"line {self._parser.CurrentLineNumber}: the file holds a DOCTYPE, which OPML does not need and attacks "
            "do; it was not read. Take that line out if you trust the file.",
        )

    def _start(self, name: str, found: dict[str, str]) -> None:
        self._elements += 1
        local = name.rpartition(" ")[2].lower()
        if self._elements == 1 and local != "opml":
            raise PermanentError(Reason.BAD_INPUT, f"line 1: this is no OPML; it begins with <{local[:40]}>")
        if local != "outline":
            return
        if len(self._around) == _DEEPEST:
            line = self._parser.CurrentLineNumber
            raise PermanentError(Reason.BAD_INPUT, f"line {line}: outlines stand in each other over {_DEEPEST} deep")
        attributes = {_clark(k): v for k, v in found.items()}
        if self._around:
            self._around[-1].filled = True
        is_feed = self._feed(attributes)
        self._around.append(_Open({"text": _title(attributes)} if is_feed else attributes, is_feed))

    def _end(self, name: str) -> None:
        if name.rpartition(" ")[2].lower() == "outline":
            ended = self._around.pop()
            self._aside += not ended.is_feed and not ended.filled

    def _feed(self, attributes: dict[str, str]) -> bool:
        by_name = {name.lower(): name for name in attributes}
        place = attributes.pop(by_name.get("xmlurl", ""), "").strip()
        own = {name: attributes.pop(_OURS + name, "") for name in _OWN}
        address = own["address"].strip() or place
        if not address:
            return False
        line = self._parser.CurrentLineNumber
        options = {}
        try:
            options = read_options(own["options"]) if own["options"] else {}
        except ValueError as error:
            self.troubles.append(Trouble(line, f"{error}; the feed was read without them"))
        kind = own["kind"].strip() or "rss"
        kept = {name: value for name, value in attributes.items() if name not in ("text", "title")}
        if kept.get("type") == kind:
            del kept["type"]
        if attributes.get("text") and attributes.get("title") and attributes["text"] != attributes["title"]:
            kept["text"] = attributes["text"]
        title = _title(attributes)
        self.feeds.append(
            Listed(
                address,
                kind=kind,
                title="" if title == address else title,
                interval_s=int(own["seconds"]) if re.fullmatch(r"[1-9][0-9]{0,6}", own["seconds"]) else 0,
                options=with_outline(options, kept, [dict(g.attributes) for g in self._around]),
                paused=own["state"] == "paused",
                mode=own["mode"].strip(),
                line=line,
            )
        )
        return True


def _title(attributes: Mapping[str, str]) -> str:
    return clean_line(attributes.get("title") or attributes.get("text") or "", limit_bytes=300)


def _attributes(feed: Listed, kept: Mapping[str, str]) -> dict[str, str]:
    named = {"type": feed.kind, **kept, "title": feed.title or feed.address}
    named["text"] = kept.get("text") or named["title"]
    options = {name: value for name, value in feed.options.items() if name != "outline"}
    place = {"xmlUrl": feed.address} if feed.kind == "rss" else {"fw:kind": feed.kind, "fw:address": feed.address}
    ours = {
        "fw:seconds": str(feed.interval_s) if feed.interval_s else "",
        "fw:options": json.dumps(options, sort_keys=True) if options else "",
        "fw:state": "paused" if feed.paused else "",
        "fw:mode": feed.mode,
    }
    return _named(named) | {k: _legal(v) for k, v in (place | ours).items() if v}


def _named(attributes: Mapping[str, str]) -> dict[str, str]:
    ordered = {name: attributes[name] for name in ("text", "title", "type") if name in attributes}
    ordered.update(attributes)
    return {name: _legal(value) for name, value in ordered.items() if _NAME.fullmatch(name)}


def _clark(name: str) -> str:
    space, _, local = name.rpartition(" ")
    return f"{{{space}}}{local}" if space else local


def _repaired(text: str) -> str:
    text = _DECLARATION.sub(lambda m: "\n" * m[0].count("\n"), _ILLEGAL.sub("", text), count=1)
    return _BARE.sub(lambda m: escape(html.entities.html5.get(f"{m[1]};", "")) or "&amp;" + m[0][1:], text)


def _legal(text: str) -> str:
    return _ILLEGAL.sub("", text)
