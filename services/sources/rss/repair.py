"""Mends broken XML: unknown references, stray `&` and `<`, tags that do not match, undeclared prefixes, cut ends.

Pure and linear. What comes out is well formed, inside one element `mended`; elements that were still open where
the document ends carry the attribute `cut`. Must not drop text that a reader would see.
"""

import html
import re
from collections import Counter
from xml.sax.saxutils import escape, quoteattr

_NAME = r"[A-Za-z_][A-Za-z0-9_.-]*+"
_TOKEN = re.compile(
    rf"<!--|<!\[CDATA\[|<\?|<![A-Za-z\[]|</((?:{_NAME}:)?{_NAME})[^<>]*+(?:>|(?=<)|\Z)|"
    rf"""<((?:{_NAME}:)?{_NAME})((?:[^<>"']|"[^"<]*+"|'[^'<]*+')*+)>|<((?:{_NAME}:)?{_NAME})([^<>]*+)>"""
)
_ENDS = {"<!--": "-->", "<![CDATA[": "]]>", "<?": ">"}
_REFERENCE = re.compile(r"&(?:#[0-9]{1,9}|#[xX][0-9a-fA-F]{1,8}|[A-Za-z][A-Za-z0-9]{1,31});")
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_ATTRIBUTE = re.compile(rf"""((?:{_NAME}:)?{_NAME})\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'<>]+))""")
_KEPT = frozenset(
    [
        "href",
        "rel",
        "type",
        "mode",
        "src",
        "url",
        "ispermalink",
        "about",
        "resource",
        "version",
        "medium",
        "lastmod",
        "base",
        "lang",
    ]
)
"""Attributes that mean something to a reader of feeds, whatever their prefix."""
_VOID = frozenset({"br", "hr", "img", "input", "wbr"})
_ITEMS = frozenset({"item", "entry"})
_FIELDS = frozenset(
    [
        "title",
        "link",
        "guid",
        "id",
        "pubdate",
        "published",
        "updated",
        "description",
        "summary",
        "content",
        "content:encoded",
        "comments",
        "category",
        "dc:date",
        "dc:creator",
        "dc:subject",
        "language",
        "ttl",
        "lastbuilddate",
    ]
)
"""Elements that hold no other of a feed's: where one begins inside another, an end tag is missing."""
_NEIGHBOURS = _FIELDS | {"author", "enclosure", "source", "media:content", "media:group", "media:thumbnail"}
_KNOWN = {
    "atom": "http://www.w3.org/2005/Atom",
    "content": "http://purl.org/rss/1.0/modules/content/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "dcterms": "http://purl.org/dc/terms/",
    "itunes": "http://www.itunes.com/dtds/podcast-1.0.dtd",
    "media": "http://search.yahoo.com/mrss/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rss": "http://purl.org/rss/1.0/",
    "xhtml": "http://www.w3.org/1999/xhtml",
}
"""What the usual prefixes stand for when nobody says."""
_MOST_PREFIXES = 1000
_RESERVED = ("http://www.w3.org/XML/1998/namespace", "http://www.w3.org/2000/xmlns/")


def repaired(text: str) -> str:
    """`text` as well-formed XML."""
    return _Mender(text).mend()


class _Mender:
    """One pass over one document."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._out: list[str] = []
        self._open: list[tuple[str, int]] = []  # name, and where in `out` its start tag is
        self._count: Counter[str] = Counter()
        self._spaces: dict[str, str] = {}
        self._exhausted: set[str] = set()

    def mend(self) -> str:
        at = 0
        while token := _TOKEN.search(self._text, at):
            self._say(self._text[at : token.start()])
            at = self._take(token)
        self._say(self._text[at:])
        for _, place in self._open:
            self._out[place] = self._out[place].replace(">", ' cut="1">')
        while self._open:
            self._close()
        spaces = "".join(f" xmlns:{prefix}={quoteattr(uri)}" for prefix, uri in self._spaces.items())
        return f"<mended{spaces}>{''.join(self._out)}</mended>"

    def _take(self, token: re.Match[str]) -> int:
        if token[1]:
            self._end(token[1].lower())
        elif token[2] or token[4]:
            self._start(token[2] or token[4], token[3] or token[5] or "")
        else:
            return self._section(token)
        return token.end()

    def _section(self, token: re.Match[str]) -> int:
        kind = token[0] if token[0] in _ENDS else "<?"
        at = token.end()
        end = -1 if kind in self._exhausted else self._text.find(_ENDS[kind], at)
        if end >= 0:
            after = end + len(_ENDS[kind])
        else:
            self._exhausted.add(kind)
            end = after = self._without_end(kind, at)
        if kind == "<![CDATA[":
            self._out.append(escape(self._text[at:end]))
        return after

    def _without_end(self, kind: str, at: int) -> int:
        if kind != "<![CDATA[" or not self._open:
            return at
        end = self._text.find(f"</{self._open[-1][0]}", at)
        return end if end >= 0 else len(self._text)

    def _say(self, text: str) -> None:
        if text:
            self._out.append(_escaped(text))

    def _start(self, name: str, rest: str) -> None:
        prefix, _, local = name.lower().rpartition(":")
        if prefix in ("xml", "xmlns"):
            prefix = ""
        if local in _ITEMS:
            self._end(name.lower())  # an item holds no item
        if self._open and name.lower() in _NEIGHBOURS and self._open[-1][0] in _FIELDS:
            self._close()
        if prefix and len(self._spaces) < _MOST_PREFIXES:
            self._spaces.setdefault(prefix, _KNOWN.get(prefix, f"prefix:{prefix}"))
        prefix = prefix if prefix in self._spaces else ""
        name = f"{prefix}:{local}" if prefix else local
        void = rest.rstrip().endswith("/") or local in _VOID
        self._out.append(f"<{name}{self._attributes(rest)}{'/' if void else ''}>")
        if not void:
            self._open.append((name, len(self._out) - 1))
            self._count[name] += 1

    def _attributes(self, rest: str) -> str:
        kept: dict[str, str] = {}
        for name, double, single, bare in _ATTRIBUTE.findall(rest):
            prefix, _, local = name.lower().rpartition(":")
            value = html.unescape(double or single or bare.removesuffix("/"))
            if prefix == "xmlns":
                usable = value and value not in _RESERVED and local not in ("xml", "xmlns")
                if usable and len(self._spaces) < _MOST_PREFIXES:
                    self._spaces.setdefault(local, _ILLEGAL.sub("", value))
            elif name.lower() == "xmlns":
                if value not in _RESERVED:
                    kept["xmlns"] = value
            elif local in _KEPT:
                kept[f"xml:{local}" if prefix == "xml" else local] = value
        return "".join(f" {name}={quoteattr(_ILLEGAL.sub('', value))}" for name, value in kept.items())

    def _end(self, name: str) -> None:
        if self._count[name]:
            while self._close() != name:
                pass

    def _close(self) -> str:
        name, _ = self._open.pop()
        self._count[name] -= 1
        self._out.append(f"</{name}>")
        return name


def _escaped(text: str) -> str:
    """Text with every reference decoded that HTML knows, and everything else escaped."""
    decoded = _REFERENCE.sub(lambda m: html.unescape(m[0]), text) if "&" in text else text
    return escape(_ILLEGAL.sub("", decoded))
