"""Alerts as an Atom feed and as a JSON Feed: stable ids, our own words, and nothing a reader would take for markup."""

import json
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from xml.etree import ElementTree as ET

from services.analysis.courses import course

ATOM = "http://www.w3.org/2005/Atom"
TITLE = "framewatch alerts"
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
Row = Mapping[str, Any]


def entry_id(alert_id: str) -> str:
    """The id of an alert's entry for ever (a tag URI, RFC 4151), wherever the feed is read."""
    return f"tag:framewatch,2026:alert:{alert_id}"


def atom(rows: Iterable[Row], *, present: datetime, home: str) -> bytes:
    """An Atom feed (RFC 4287). `rows` are alerts, newest first; `home` is where the console is, "" when unknown."""
    ET.register_namespace("", ATOM)
    feed = ET.Element(f"{{{ATOM}}}feed")
    told = list(rows)
    changed = max((_changed(r) for r in told), default=present)
    for name, text in (("id", "tag:framewatch,2026:alerts"), ("title", TITLE), ("updated", changed.isoformat())):
        _add(feed, name, text)
    _add(_add(feed, "author", ""), "name", "framewatch")
    for row in told:
        entry = _add(feed, "entry", "")
        _add(entry, "id", entry_id(row["alert_id"]))
        _add(entry, "title", _title(row))
        _add(entry, "published", row["raised_at"].isoformat())
        _add(entry, "updated", _changed(row).isoformat())
        _add(entry, "summary", row["reason"] or "")
        ET.SubElement(entry, f"{{{ATOM}}}category", term=row["kind"])
        if home:
            ET.SubElement(entry, f"{{{ATOM}}}link", rel="alternate", href=f"{home}/alerts/{row['alert_id']}")
    return bytes(ET.tostring(feed, encoding="utf-8", xml_declaration=True))


def json_feed(rows: Iterable[Row], *, home: str) -> bytes:
    """The same as a JSON Feed 1.1."""
    items = [
        {
            "id": entry_id(row["alert_id"]), "title": _title(row), "content_text": row["reason"] or "",
            "date_published": row["raised_at"].isoformat(), "date_modified": _changed(row).isoformat(),
            "tags": [row["kind"], row["state"]],
        } | ({"url": f"{home}/alerts/{row['alert_id']}"} if home else {})
        for row in rows
    ]  # fmt: skip
    feed = {"version": "https://jsonfeed.org/version/1.1", "title": TITLE, "items": items}
    return json.dumps(feed | ({"home_page_url": home} if home else {}), ensure_ascii=False).encode("utf-8", "replace")


def _title(row: Row) -> str:
    return f"{row['title'] or row['kind']}: {course(row['state'])}"


def _changed(row: Row) -> datetime:
    raised: datetime = row["raised_at"]
    over: datetime | None = row["resolved_at"]
    return max(raised, over) if over else raised


def _add(parent: ET.Element, name: str, text: str) -> ET.Element:
    child = ET.SubElement(parent, f"{{{ATOM}}}{name}")
    child.text = _NOT_XML.sub("\ufffd", text) or None
    return child
