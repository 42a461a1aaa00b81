"""From which probability on a post carries each frame of a version, as its heads say. It writes nothing."""

from schemas.errors import PermanentError
from services.classifier.heads import thresholds_of
from services.store import codebooks
from services.store.pool import Connection


def carried_from(connection: Connection, version_id: int) -> dict[str, float]:
    """By frame: the probability from which a post carries it; nothing where its heads cannot be read."""
    learned = codebooks.heads_of_version(connection, version_id, None)
    try:
        return thresholds_of(learned["body"]) if learned else {}
    except PermanentError:
        return {}
