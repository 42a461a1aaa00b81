"""Rows as CSV (RFC 4180). Pure; it reads nothing and knows no face.

It says text as text: what a spreadsheet would take for a formula gets an apostrophe before it (OWASP ASVS 1.2.10).
"""

import csv
import io
import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\0")


def csv_table(columns: Iterable[str], rows: Iterable[Mapping[str, Any]], *, head: bool = True) -> str:
    """RFC 4180: a head and a line a row; lists and objects as JSON, times as RFC 3339."""
    out = io.StringIO()
    names = list(columns)
    writer = csv.writer(out)
    if head:
        writer.writerow(names)
    writer.writerows([_cell(row.get(name)) for name in names] for row in rows)
    return out.getvalue()


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return as_time(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple | dict):
        value = json.dumps(value, ensure_ascii=False, default=as_time)
    if isinstance(value, str):
        value = value.replace("\0", "")
        return f"'{value}" if value.startswith(_FORMULA) else value
    return value


def as_time(value: Any) -> str:
    """A time as RFC 3339 in UTC; anything else as its text."""
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else str(value)
