"""JSON Feed 1.0 and 1.1 (https://www.jsonfeed.org/version/1.1/) → Document. Pure; must not fetch."""

import json
from collections import Counter
from typing import Any

from services.sources.items import MAX_ITEMS, Document, Item, plain


def read_json(text: str) -> Document | None:
    """The JSON Feed in `text`; None when it is none."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or "jsonfeed.org" not in str(value.get("version", ""))[:200]:
        return None
    entries = value["items"] if isinstance(value.get("items"), list) else []
    records = [entry for entry in entries[:MAX_ITEMS] if isinstance(entry, dict)]
    return Document(
        items=[_item(entry, _text(value, "language")) for entry in records],
        title=plain(value.get("title"), markup=False),
        ended=value.get("expired") is True,
        too_many=max(len(entries) - MAX_ITEMS, 0),
        dropped=Counter(no_identity=len(entries[:MAX_ITEMS]) - len(records)),
    )


def _item(entry: dict[str, Any], lang: str) -> Item:
    html = plain(entry.get("content_html")) or plain(entry.get("summary"), markup=False)
    return Item(
        guid=_text(entry, "id"),
        link=_text(entry, "url") or _text(entry, "external_url"),
        title=plain(entry.get("title"), markup=False),
        body=plain(entry.get("content_text"), markup=False) or html,
        author=_author(entry),
        lang=_text(entry, "language") or lang,
        date=_text(entry, "date_published") or _text(entry, "date_modified"),
    )


def _author(entry: dict[str, Any]) -> str:
    authors = entry.get("authors")
    first = authors[0] if isinstance(authors, list) and authors else entry.get("author")
    return (_text(first, "name") or _text(first, "url")) if isinstance(first, dict) else ""


def _text(record: dict[str, Any], name: str) -> str:
    value = record.get(name)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return value if isinstance(value, str) else _number(value)


def _number(value: float) -> str:
    try:
        return str(value)
    except ValueError:  # an integer of thousands of digits
        return ""
