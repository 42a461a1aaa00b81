"""Text of a feed document → a tree of elements: declarations left out or refused, broken XML mended. Pure.

The parser never sees a DOCTYPE, so nothing can be declared, fetched or expanded; time and memory are linear in
the length. Must not know what a feed is beyond the names of its items.
"""

import re
from xml.etree import ElementTree as ET

from schemas.errors import PermanentError, Reason
from services.sources.rss.repair import repaired

MAX_TAGS = 400_000
"""Angle brackets read of one document, its memory's bound (some 200 bytes each); 2,000 items need a tenth."""
_SECTION = re.compile(r"<!--|<!\[CDATA\[|<\?|<!(DOCTYPE|ENTITY)", re.IGNORECASE)
_SECTION_ENDS = {"<!--": "-->", "<!": "]]>", "<?": "?>"}
_DOCTYPE = re.compile(r"""(?:"[^"<>]*+"|'[^'<>]*+'|[^<>\[\]"'])*+(\[|>)?""")
_LATIN = re.compile(
    r"<!ENTITY\s+%\s+\w{1,40}\s+PUBLIC\s+\"-//W3C//ENTITIES [^\"<>]{0,200}\"\s*\"[^\"<>]{0,500}\"\s*>", re.I
)
"""HTML's own table of named characters, which old feeds point to and we know by heart."""
_ITEM_END = re.compile(r"</(?:[\w.-]{1,40}:)?(?:item|entry)\s*>", re.IGNORECASE)


def without_declarations(text: str) -> str:
    """`text` without its DOCTYPE, which is left out unread.

    Raises PermanentError(UNSAFE_XML) when an entity is declared, or a DOCTYPE that may hold one has no end.
    """
    kept, start, at = [], 0, 0
    exhausted: set[str] = set()
    while found := _SECTION.search(text, at):
        at = found.end()
        if found[1]:
            kept.append(text[start : found.start()])
            start = at = _after_declaration(text, at, found[1].upper())
            continue
        end = _SECTION_ENDS[found[0][:4] if found[0] == "<!--" else found[0][:2]]
        after = -1 if end in exhausted else text.find(end, at)
        at = after + len(end) if after >= 0 else at
        exhausted |= {end} if after < 0 else set()
    return "".join((*kept, text[start:])) if kept else text


def read_tree(text: str) -> tuple[ET.Element | None, int]:
    """The root of `text` (declarations left out before), and how many items of it were not read.

    The root of mended XML is an element `mended` around all others. None when even mending does not help.
    """
    text, left_out = _shorten(text.lstrip())
    for mend in (str, repaired):
        parser = ET.XMLParser()  # noqa: S314 - see above
        try:
            parser.feed(mend(text))
            return parser.close(), left_out
        except (ET.ParseError, ValueError, RecursionError):
            continue
    return None, left_out


def _after_declaration(text: str, at: int, name: str) -> int:
    match = _DOCTYPE.match(text, at)
    if name == "DOCTYPE" and match and match[1] != "[":
        return match.end()
    end = text.find("]", match.end()) if match and name == "DOCTYPE" else -1
    if end < 0 or "<!entity" in _LATIN.sub("", text[at:end]).lower():
        raise PermanentError(
            Reason.UNSAFE_XML,
            f"The feed holds a {name} declaration, which feeds do not need and attacks do; it was not read. Ask its "
            "publisher to leave the declaration out.",
        )
    after = text.find(">", end)
    return after + 1 if after >= 0 else len(text)


def _shorten(text: str) -> tuple[str, int]:
    if text.count("<") <= MAX_TAGS:
        return text, 0
    at = -1
    for _ in range(MAX_TAGS):
        at = text.find("<", at + 1)
    return text[:at], sum(1 for _ in _ITEM_END.finditer(text, at))
