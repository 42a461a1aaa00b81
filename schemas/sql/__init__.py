"""All SQL of the house, as files: numbered migrations and named queries by topic."""

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

_NAME = re.compile(r"^-- name: (\w+)[^\n]*\n", re.MULTILINE)


@cache
def queries(topic: str) -> Mapping[str, str]:
    """The queries of `queries/<topic>.sql` by name, each with its comments."""
    text = (files("schemas.sql") / "queries" / f"{topic}.sql").read_text(encoding="utf-8")
    parts = _NAME.split(text)[1:]
    return MappingProxyType(dict(zip(parts[::2], (p.strip() for p in parts[1::2]), strict=True)))


def topics() -> tuple[str, ...]:
    """Every topic that has a file of queries, in order."""
    folder = files("schemas.sql") / "queries"
    return tuple(sorted(p.name.removesuffix(".sql") for p in folder.iterdir() if p.name.endswith(".sql")))


@cache
def migrations() -> tuple[tuple[int, str, str], ...]:
    """(number, name, SQL) of every migration, in order."""
    found = []
    for path in (files("schemas.sql") / "migrations").iterdir():
        if path.name.endswith(".sql"):
            number, _, name = path.name.removesuffix(".sql").partition("_")
            found.append((int(number), name, path.read_text(encoding="utf-8")))
    return tuple(sorted(found))
