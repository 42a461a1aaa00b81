"""Rows in the form of Postgres's binary COPY, made of whole arrays at once. Knows bytes, no queries.

The form: https://www.postgresql.org/docs/current/sql-copy.html (Binary Format); arrays as array_send gives them.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

_HEAD = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END = b"\xff\xff"
_FLOAT4 = 700
"""The type's number in pg_type; it never changes."""


def score_rows(post_ids: NDArray[np.int64], probabilities: NDArray[np.float32], numbers: NDArray[Any]) -> bytes:
    """Rows of (bigint, real[], smallint) for n ids, n × F probabilities and n numbers."""
    frames = probabilities.shape[1]
    item = np.dtype([("size", ">i4"), ("value", ">f4")])
    array = np.dtype([("dimensions", ">i4"), ("nulls", ">i4"), ("type", ">i4"), ("count", ">i4"), ("from", ">i4"),
                      ("items", item, (frames,))])  # fmt: skip
    rows = np.empty(len(post_ids), [("fields", ">i2"), *_field("id", ">i8"), *_field("array", array),
                                    *_field("number", ">i2")])  # fmt: skip
    _fill(rows, id=post_ids, number=numbers)
    told = rows["array"]
    told["dimensions"], told["nulls"], told["type"], told["count"], told["from"] = 1, 0, _FLOAT4, frames, 1
    told["items"]["size"], told["items"]["value"] = 4, probabilities
    rows["array_size"] = array.itemsize
    return _HEAD + rows.tobytes() + _END


def carried_rows(post_ids: NDArray[np.int64], probabilities: NDArray[np.float32], carried: NDArray[np.bool_]) -> bytes:
    """Rows of (bigint, smallint, real): id, number of the frame from 1, and probability, where `carried` (n × F)."""
    posts, frames = np.nonzero(carried)
    rows = np.empty(len(posts), [("fields", ">i2"), *_field("id", ">i8"), *_field("frame", ">i2"),
                                 *_field("probability", ">f4")])  # fmt: skip
    _fill(rows, id=post_ids[posts], frame=frames + 1, probability=probabilities[posts, frames])
    return _HEAD + rows.tobytes() + _END


def _field(name: str, kind: Any) -> list[tuple[str, Any]]:
    return [(f"{name}_size", ">i4"), (name, kind)]


def _fill(rows: NDArray[Any], **columns: NDArray[Any]) -> None:
    rows["fields"] = len(rows.dtype.names or ()) // 2
    for name, values in columns.items():
        rows[name], rows[f"{name}_size"] = values, rows.dtype[name].itemsize
