"""What our own reader finds nothing in, read by feedparser, the most forgiving of all.

It sees only UTF-8 without declarations, never an address, and never much: it is slow. Its dates are not used.
"""

import io
from typing import Any

import feedparser

from services.sources.items import MAX_ITEMS, Document, Item, plain

MAX_LENGTH = 200_000
"""Longest text given to it, in characters: broken XML takes it seconds a megabyte."""


def read_loosely(text: str) -> Document | None:
    """The document in `text`; None when it is no feed, or longer than MAX_LENGTH."""
    if len(text) > MAX_LENGTH:
        return None
    try:
        parsed = feedparser.parse(
            io.BytesIO(text.encode()),
            response_headers={"content-type": "application/xml; charset=utf-8"},
            resolve_relative_uris=False,
            sanitize_html=False,
        )
    except Exception:  # noqa: BLE001 - another's parser on hostile input
        return None
    if not parsed.get("version") and not parsed.get("entries"):
        return None
    return Document(
        items=[_item(entry) for entry in parsed["entries"][:MAX_ITEMS]],
        title=plain(_text(parsed["feed"], "title")),
        too_many=max(len(parsed["entries"]) - MAX_ITEMS, 0),
    )


def _item(entry: Any) -> Item:
    contents = [c for c in dict.get(entry, "content") or [] if _text(c, "value")]
    contents.append({"value": _text(entry, "summary"), **(dict.get(entry, "summary_detail") or {})})
    body = max(contents, key=lambda c: len(_text(c, "value")))
    guid, link = _text(entry, "id"), _text(entry, "link")
    return Item(
        guid=guid,
        link="" if link == guid and "://" not in guid else link,  # feedparser takes a bare guid for a link
        title=plain(_text(entry, "title"), markup=_text(entry, "title_detail", "type") != "text/plain"),
        body=plain(_text(body, "value"), markup=_text(body, "type") != "text/plain"),
        author=_text(entry, "author"),
        lang=_text(entry, "language") or _text(body, "language"),
        date=_text(entry, "published") or _text(entry, "updated"),
    )


def _text(record: Any, *names: str) -> str:
    # dict.get, because feedparser's own mapping guesses one key for another.
    for name in names:
        record = dict.get(record, name) if isinstance(record, dict) else None
    return record if isinstance(record, str) else ""
