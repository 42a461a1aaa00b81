"""Rows as CSV, JSON Lines and Parquet, a batch at a time: what is written is handed on and forgotten.

CSV says text as text: what a spreadsheet would take for a formula gets an apostrophe before it (OWASP ASVS 1.2.10).
JSON Lines and Parquet change nothing. pyarrow is asked for when Parquet is, and may be missing.
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from starlette.exceptions import HTTPException

Format = Literal["jsonl", "csv", "parquet"]
MEDIA: dict[Format, str] = {
    "jsonl": "application/x-ndjson", "csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet",
}  # fmt: skip
Columns = Mapping[str, str]
"""Name of a column → its type: text, int, float, bool, time, texts (a list), json."""
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


def write(form: Format, columns: Columns, batches: Iterator[Sequence[Mapping[str, Any]]]) -> Iterator[bytes]:
    """The bytes of all batches in one format. Raises HTTPException(501) where pyarrow is missing."""
    if form == "jsonl":
        return (b"".join(_line(columns, row) for row in batch) for batch in batches)
    if form == "csv":
        return _csv(columns, batches)
    return _parquet(columns, batches)


def _csv(columns: Columns, batches: Iterator[Sequence[Mapping[str, Any]]]) -> Iterator[bytes]:
    yield csv_table(columns, []).encode()
    for batch in batches:
        yield csv_table(columns, batch, head=False).encode("utf-8", "replace")


def _line(columns: Columns, row: Mapping[str, Any]) -> bytes:
    told = {name: row.get(name) for name in columns}
    return json.dumps(told, ensure_ascii=False, default=_time, separators=(",", ":")).encode("utf-8", "replace") + b"\n"


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return _time(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple | dict):
        value = json.dumps(value, ensure_ascii=False, default=_time)
    if isinstance(value, str):
        value = value.replace("\0", "")
        return f"'{value}" if value.startswith(_FORMULA) else value
    return value


def _time(value: Any) -> str:
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else str(value)


class _Sink:
    """A file that keeps only what has not been handed on yet."""

    closed = False

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.written = 0

    def write(self, data: Any) -> int:
        part = bytes(data)
        self.parts.append(part)
        self.written += len(part)
        return len(part)

    def tell(self) -> int:
        return self.written

    def flush(self) -> None:
        pass

    def close(self) -> None:
        pass

    def take(self) -> bytes:
        """What was written since the last time."""
        found = b"".join(self.parts)
        self.parts.clear()
        return found


def _parquet(columns: Columns, batches: Iterator[Sequence[Mapping[str, Any]]]) -> Iterator[bytes]:
    try:
        import pyarrow as arrow
        from pyarrow import parquet
    except ImportError:
        told = "Parquet needs the extra `parquet`: pip install 'framewatch[parquet]'; format=jsonl needs nothing"
        raise HTTPException(501, told) from None
    kinds = {
        "text": arrow.string(), "int": arrow.int64(), "float": arrow.float64(), "bool": arrow.bool_(),
        "time": arrow.timestamp("us", tz="UTC"), "texts": arrow.list_(arrow.string()), "json": arrow.string(),
    }  # fmt: skip
    schema = arrow.schema([(name, kinds[kind]) for name, kind in columns.items()])

    def written() -> Iterator[bytes]:
        sink = _Sink()
        with parquet.ParquetWriter(sink, schema, compression="zstd") as writer:
            for batch in batches:
                told = [{name: _typed(kind, row.get(name)) for name, kind in columns.items()} for row in batch]
                writer.write_table(arrow.Table.from_pylist(told, schema=schema))
                yield sink.take()
        yield sink.take()

    return written()


def _typed(kind: str, value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False, default=_time) if kind == "json" and value is not None else value
