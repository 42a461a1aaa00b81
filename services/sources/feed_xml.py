"""RSS 0.9x to 2.0, RDF and Atom → Document, by feedparser, which sees only UTF-8 without declarations.

Never trusts feedparser's dates, and never hands it an address. Must not fetch.
"""

import codecs
import io
import re
from datetime import timedelta
from typing import Any
from xml.parsers import expat

import feedparser

from schemas.errors import PermanentError, Reason
from services.analysis.times import parse_time
from services.sources.items import MAX_ITEMS, Document, Item, plain

_MAX_REPAIRED = 2_000_000
"""Broken XML beyond this many characters is not repaired: that takes seconds a megabyte."""
_LONGEST_TTL = timedelta(hours=24)
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (b"<\0?\0", "utf-16-le"),
    (b"\0<\0?", "utf-16-be"),
)
_DECLARED = re.compile(rb"""\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([A-Za-z0-9._-]{1,40})", re.IGNORECASE)
_ENCODINGS = re.compile(
    r"utf-?8|(?:us-?)?ascii|utf-?16(?:-?[lb]e)?|iso-?8859-\d{1,2}|latin-?1|(?:windows-|cp)12?5\d|koi8-[ru]|gb2312|gbk|"
    r"gb18030|big5|euc-(?:jp|kr)|shift[_-]jis|iso-2022-jp",
    re.IGNORECASE,
)
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_XML_DECLARATION = re.compile(r"\s*<\?xml\b[^>]*>\s*")
_SECTION = re.compile(r"<!--|<!\[CDATA\[|<\?|<!(DOCTYPE|ENTITY|ELEMENT|ATTLIST|NOTATION)", re.IGNORECASE)
_SECTION_ENDS = {"<!--": "-->", "<!": "]]>", "<?": "?>"}
_ITEM_END = re.compile(r"</(?:[A-Za-z0-9]+:)?(?:item|entry)\s*>")


def decode(body: bytes, content_type: str = "") -> str:
    """The text of a document: byte order mark, then its own declaration, then the HTTP charset, then UTF-8,
    whichever fits first; else Windows-1252. Characters XML forbids are left out."""
    for mark, encoding in _BOMS:
        if body.startswith(mark):
            return _ILLEGAL.sub("", body.decode(encoding, "replace").removeprefix("\ufeff"))
    declared, charset = _DECLARED.match(body), _CHARSET.search(content_type)
    for name in (declared[1].decode() if declared else "", charset[1] if charset else "", "utf-8"):
        if _ENCODINGS.fullmatch(name):
            try:
                return _ILLEGAL.sub("", body.decode("gb18030" if name.lower() == "gb2312" else name))
            except (UnicodeError, LookupError):
                continue
    return _ILLEGAL.sub("", body.decode("cp1252", "replace"))


def refuse_declarations(text: str) -> None:
    """Raise PermanentError(UNSAFE_XML) when `text` declares a DOCTYPE or an entity outside comments and CDATA."""
    at, exhausted = 0, set()
    while found := _SECTION.search(text, at):
        if found[1]:
            raise PermanentError(
                Reason.UNSAFE_XML,
                f"The feed holds a {found[1].upper()} declaration, which feeds do not need and attacks do; it was not "
                "read. Ask its publisher to leave the declaration out.",
            )
        at = found.end()
        end = _SECTION_ENDS[found[0][:4] if found[0] == "<!--" else found[0][:2]]
        after = -1 if end in exhausted else text.find(end, at)
        at = after + len(end) if after >= 0 else at
        exhausted |= {end} if after < 0 else set()


def read_xml(text: str) -> Document | None:
    """The document in `text` (declarations refused before); None when it is no feed."""
    text, too_many = _shorten(_XML_DECLARATION.sub("", text, count=1))
    data = text.encode()
    if len(text) > _MAX_REPAIRED and not _is_well_formed(data):
        return None
    try:
        parsed = feedparser.parse(
            io.BytesIO(data),
            response_headers={"content-type": "application/xml; charset=utf-8"},
            resolve_relative_uris=False,
            sanitize_html=False,
        )
    except Exception:  # noqa: BLE001 - another's parser on hostile input
        return None
    if not parsed.get("version") and not parsed.get("entries"):
        return None
    return _document(parsed, too_many)


def _shorten(text: str) -> tuple[str, int]:
    # Items beyond the cap are cut out before parsing, which is by far the slowest step.
    ends = [m.end() for m in _ITEM_END.finditer(text)]
    if len(ends) <= MAX_ITEMS:
        return text, 0
    return text[: ends[MAX_ITEMS - 1]] + text[ends[-1] :], len(ends) - MAX_ITEMS


def _is_well_formed(data: bytes) -> bool:
    try:
        expat.ParserCreate(namespace_separator=" ").Parse(data, True)  # noqa: FBT003 - expat's own interface
    except expat.ExpatError:
        return False
    return True


def _document(parsed: dict[str, Any], too_many: int) -> Document:
    feed, version = parsed["feed"], str(parsed.get("version", ""))
    lang = _text(feed, "language") or _text(feed, "title_detail", "language")
    author = _text(feed, "author") if version.startswith("atom") else ""
    minutes = re.fullmatch(r"\s*([0-9]{1,6})\s*", _text(feed, "ttl"))
    updated = [t for t in (parse_time(_text(feed, name)) for name in ("updated", "published")) if t]
    return Document(
        items=[_item(entry, lang, author) for entry in parsed["entries"][:MAX_ITEMS]],
        title=plain(_text(feed, "title")),
        updated=updated[0] if updated else None,
        ttl=min(timedelta(minutes=int(minutes[1])), _LONGEST_TTL) if minutes else None,
        too_many=too_many + max(len(parsed["entries"]) - MAX_ITEMS, 0),
    )


def _item(entry: Any, lang: str, author: str) -> Item:
    contents = [c for c in dict.get(entry, "content") or [] if _text(c, "value")]
    contents.append({"value": _text(entry, "summary"), **(dict.get(entry, "summary_detail") or {})})
    body = max(contents, key=lambda c: len(_text(c, "value")))
    guid, link = _text(entry, "id"), _text(entry, "link")
    return Item(
        guid=guid,
        link="" if link == guid and "://" not in guid else link,  # feedparser takes a bare guid for a link
        title=plain(_text(entry, "title"), markup=_text(entry, "title_detail", "type") != "text/plain"),
        body=plain(_text(body, "value"), markup=_text(body, "type") != "text/plain"),
        author=_text(entry, "author") or author,
        lang=_text(entry, "language") or _text(body, "language") or lang,
        date=_text(entry, "published") or _text(entry, "updated"),
    )


def _text(record: Any, *names: str) -> str:
    # dict.get, because feedparser's own mapping guesses one key for another.
    for name in names:
        record = dict.get(record, name) if isinstance(record, dict) else None
    return record if isinstance(record, str) else ""
