"""Examples in the OpenAPI document: what to send, and what an answer looks like; the fall of Palmyra, as everywhere.

The YAML files beside this one hold them: by model, or by operation where a model is sent or answered in several ways
(`post_posts body application/json`, `get_posts text/csv`, `Problem 404`). Data and its places; no route reads it.
"""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

Doc = dict[str, Any]
FOLDER = Path(__file__).parent


def illustrate(document: Doc) -> None:
    """Put an example beside every schema of an OpenAPI document that has one."""
    known = examples()
    for told, names in places(document):
        found = next((known[name] for name in names if name in known), None)
        if found is not None:
            told["example"] = found


def places(document: Doc) -> Iterator[tuple[Doc, tuple[str, ...]]]:
    """Every place that an example can stand in, with the names that it is looked up by, the closest first."""
    for operations in document["paths"].values():
        for operation in operations.values():
            name = operation["operationId"]
            for media, told in operation.get("requestBody", {}).get("content", {}).items():
                yield told, (f"{name} body {media}", _model(told))
            for status, answer in operation["responses"].items():
                for media, told in answer.get("content", {}).items():
                    own = (f"Problem {status}",) if int(status) >= 400 else (f"{name} {media}", name, _model(told))
                    yield told, own


@cache
def examples() -> dict[str, Any]:
    """All of them, by name. Callers must not change what they get."""
    found: dict[str, Any] = {}
    for path in sorted(FOLDER.glob("*.yaml")):
        found |= yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return found


def _model(told: Doc) -> str:
    return str(told.get("schema", {}).get("$ref", "")).rpartition("/")[2]
