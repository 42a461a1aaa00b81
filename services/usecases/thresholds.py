"""From which probability on a post carries each frame of a version, as its heads say. It writes nothing."""

from collections.abc import Hashable

from schemas.errors import PermanentError
from services.classifier.heads import thresholds_of
from services.store import codebooks
from services.store.pool import Connection

KEPT = 64
_known: dict[Hashable, dict[str, float]] = {}
"""By the mark of heads: they are megabytes, never change, and are asked for by every page of a frame."""


def carried_from(connection: Connection, version_id: int) -> dict[str, float]:
    """By frame: the probability from which a post carries it; nothing where its heads cannot be read."""
    mark = codebooks.heads_mark(connection, version_id)
    if mark is None:
        return {}
    key = tuple(mark.values())
    if key not in _known:
        if len(_known) >= KEPT:
            _known.clear()
        _known[key] = _read(connection, version_id)
    return _known[key]


def _read(connection: Connection, version_id: int) -> dict[str, float]:
    learned = codebooks.heads_of_version(connection, version_id, None)
    try:
        return thresholds_of(learned["body"]) if learned else {}
    except PermanentError:
        return {}
