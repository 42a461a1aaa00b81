"""What one element of a feed says: its text, and whether that is markup. Pure; must not know which element it is."""

import base64
import binascii
import html
from collections.abc import Iterator
from xml.etree import ElementTree as ET

from services.sources.rss.names import attribute

MAX_VALUE = 1_000_000
"""Characters taken of one element."""


def value_of(element: ET.Element, *, atom: bool) -> tuple[str, bool]:
    """The text of `element`, and whether it is HTML.

    `atom` says whose rules hold where no type is given: plain text in Atom, HTML in RSS (RFC 4287, 3.1).
    """
    if len(element):
        return "".join(_markup(element))[:MAX_VALUE], True
    text = (element.text or "")[:MAX_VALUE]
    kind = attribute(element, "type").lower()
    if attribute(element, "mode").lower() == "base64" or (atom and _is_other_media(kind)):
        return _base64(text), True
    if atom:
        return text, "html" in kind or "xml" in kind
    return text, kind not in ("text", "plain", "text/plain")


def text_in(element: ET.Element) -> str:
    """All character data in `element`, on one line."""
    return " ".join("".join(element.itertext())[:MAX_VALUE].split()) if len(element) else (element.text or "").strip()


def _is_other_media(kind: str) -> bool:
    return "/" in kind and not kind.startswith("text/") and "xml" not in kind and "html" not in kind


def _base64(text: str) -> str:
    try:
        return base64.b64decode(text.encode("ascii", "ignore"), validate=False).decode()
    except (binascii.Error, ValueError):
        return ""


def _markup(root: ET.Element) -> Iterator[str]:
    """The children of `root` as markup without namespaces, in document order, however deep they are."""
    yield html.escape(root.text or "", quote=False)
    waiting: list[tuple[ET.Element, bool]] = [(child, False) for child in reversed(root)]
    while waiting:
        element, left = waiting.pop()
        name = element.tag.rpartition("}")[2]
        if left:
            yield f"</{name}>{html.escape(element.tail or '', quote=False)}"
            continue
        yield f"<{name}>{html.escape(element.text or '', quote=False)}"
        waiting.append((element, True))
        waiting.extend((child, False) for child in reversed(element))
