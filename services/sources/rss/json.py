"""JSON Feed 1.0 and 1.1 (https://www.jsonfeed.org/version/1.1/) → Document. Pure; must not fetch."""

import json
import re
from collections import Counter
from typing import Any

from services.sources.items import MAX_ITEMS, Document, Item, plain

_ITEMS = re.compile(r'"items"\s*:\s*\[')
_BETWEEN = re.compile(r"[\s,]*")
_CONTENTS = frozenset({"content_html", "content_text", "date_published", "summary"})


def read_json(text: str) -> Document | None:
    """The JSON Feed in `text`; None when it is none. Of one that is cut off, the items that are whole."""
    value = _value(text)
    if not isinstance(value, dict):
        return None
    entries = value["items"] if isinstance(value.get("items"), list) else []
    records = [entry for entry in entries[:MAX_ITEMS] if isinstance(entry, dict)]
    # Some publishers leave the version out; an item's own fields tell it then.
    if "jsonfeed.org" not in str(value.get("version", ""))[:200] and not any(_CONTENTS & r.keys() for r in records[:9]):
        return None
    return Document(
        items=[_item(entry, _text(value, "language")) for entry in records],
        title=plain(value.get("title"), markup=False),
        link=_text(value, "home_page_url"),
        hub=_hub(value.get("hubs")),
        topic=_text(value, "feed_url"),
        ended=value.get("expired") is True,
        too_many=max(len(entries) - MAX_ITEMS, 0),
        dropped=Counter(no_identity=len(entries[:MAX_ITEMS]) - len(records)),
    )


def _value(text: str) -> Any:
    try:
        return json.JSONDecoder(strict=False).raw_decode(text.lstrip())[0]
    except RecursionError:
        return None
    except ValueError:
        return _whole_items(text)


def _whole_items(text: str) -> dict[str, Any] | None:
    start = _ITEMS.search(text)
    if start is None:
        return None
    decoder, at, found = json.JSONDecoder(strict=False), start.end(), list[Any]()
    try:
        head = decoder.raw_decode(text[: start.start()].strip().removesuffix(",") + "}")[0]
    except (ValueError, RecursionError):
        head = {}
    while len(found) <= MAX_ITEMS:
        try:
            value, at = decoder.raw_decode(text, at + len(_BETWEEN.match(text, at)[0]))  # type: ignore[index]
        except (ValueError, RecursionError):
            break
        found.append(value)
    return {**head, "items": found} if isinstance(head, dict) else None


def _item(entry: dict[str, Any], lang: str) -> Item:
    bodies = (
        plain(entry.get("content_text"), markup=False),
        plain(entry.get("content_html")),
        plain(entry.get("summary"), markup=False),
        plain(entry.get("content")),
    )
    return Item(
        guid=_text(entry, "id"),
        link=_text(entry, "url") or _text(entry, "external_url"),
        title=plain(entry.get("title"), markup=False),
        body=next(filter(None, bodies), ""),
        author=_author(entry),
        lang=_text(entry, "language") or lang,
        date=_text(entry, "date_published") or _text(entry, "date_modified"),
    )


def _author(entry: dict[str, Any]) -> str:
    authors = entry.get("authors")
    first = authors[0] if isinstance(authors, list) and authors else entry.get("author")
    return (_text(first, "name") or _text(first, "url")) if isinstance(first, dict) else ""


def _hub(hubs: Any) -> str:
    known = [hub for hub in hubs if isinstance(hub, dict)] if isinstance(hubs, list) else []
    return next((_text(hub, "url") for hub in known if _text(hub, "type").lower() == "websub"), "")


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
