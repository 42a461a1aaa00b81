"""Rows as CSV, JSON Lines and Parquet, a batch at a time: what is written is handed on and forgotten.

CSV is as services.analysis.tabling has it; JSON Lines and Parquet change nothing. pyarrow is asked for when Parquet is,
and may be missing.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from starlette.exceptions import HTTPException

from services.analysis.tabling import as_time, csv_table

Format = Literal["jsonl", "csv", "parquet"]
MEDIA: dict[Format, str] = {
    "jsonl": "application/x-ndjson", "csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet",
}  # fmt: skip
Columns = Mapping[str, str]
"""Name of a column → its type: text, int, float, bool, time, texts (a list), json."""


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
    return (
        json.dumps(told, ensure_ascii=False, default=as_time, separators=(",", ":")).encode("utf-8", "replace") + b"\n"
    )


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
    return json.dumps(value, ensure_ascii=False, default=as_time) if kind == "json" and value is not None else value
