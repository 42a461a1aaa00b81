"""Where posts come from: each kind of source is one small file, named here and loaded when first asked for.

Must not know what any one kind does, store anything, or decide when to fetch again.
"""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType

from schemas.errors import PermanentError, Reason
from schemas.records import Page
from services.fetch import Fetcher
from services.sources.base import Means, Parse, Source

__all__ = ["SOURCES", "Parse", "Source", "parse_file", "source_for"]

SOURCES: dict[str, str] = {
    "jsonl": "services.sources.jsonl:JsonlSource",
    "rss": "services.sources.rss:RssSource",
}
"""Kind of source → the class that fetches it, made from Means; `parse` beside it reads one saved answer."""


def source_for(kind: str, fetcher: Fetcher, files: Path) -> Source:
    """A source of `kind` that fetches through `fetcher` and reads files below `files` only.

    Raises PermanentError(UNKNOWN_KIND).
    """
    module, name = _load(kind)
    build: Callable[[Means], Source] = getattr(module, name)
    return build(Means(fetcher, files))


def parse_file(kind: str, body: bytes, address: str) -> Page:
    """The posts in a saved answer of a source of `kind`; relative links are read against `address`.

    Raises PermanentError(UNKNOWN_KIND), and what the kind's own `parse` raises.
    """
    parse: Parse = _load(kind)[0].parse
    return parse(body, address=address)


def _load(kind: str) -> tuple[ModuleType, str]:
    if kind not in SOURCES:
        known = ", ".join(sorted(SOURCES))
        raise PermanentError(Reason.UNKNOWN_KIND, f"{kind!r} is not a kind of source; known are: {known}")
    path, _, name = SOURCES[kind].partition(":")
    return import_module(path), name
