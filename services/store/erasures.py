"""What is left of erased posts: vectors of their texts, and their words in evidence, messages and digests."""

from collections.abc import Sequence
from typing import Any

from psycopg.types.json import Jsonb

from services.store.pool import Connection, Row, rows, run


def claim_erasures(connection: Connection, limit: int) -> list[Row]:
    """Erased posts whose traces are to go, held until the transaction ends: post_id, text_hash."""
    return rows(connection, "erasures", "claim_erasures", limit=limit)


def forget_vectors(connection: Connection, text_hashes: Sequence[bytes]) -> int:
    """Forget the vectors of texts that no post has any more; how many went."""
    return len(rows(connection, "erasures", "forget_vectors", text_hash=list(text_hashes)))


def told_of_posts(connection: Connection, post_ids: Sequence[int]) -> list[Row]:
    """Everything frozen that names one of these posts: place (alert, delivery or digest), key, slot, body."""
    return rows(connection, "erasures", "told_of_posts", post_id=list(post_ids))


def rewrite(connection: Connection, told: Row, body: Any) -> None:
    """Put `body` in the place of what told_of_posts found."""
    write = {"alert": rewrite_alert, "delivery": rewrite_delivery, "digest": rewrite_digest}
    write[told["place"]](connection, told, body)


def rewrite_alert(connection: Connection, told: Row, body: Any) -> None:
    """The evidence of an alert, without what was erased."""
    run(connection, "erasures", "rewrite_alert", key=told["key"], body=Jsonb(body))


def rewrite_delivery(connection: Connection, told: Row, body: Any) -> None:
    """A message, without what was erased."""
    run(connection, "erasures", "rewrite_delivery", key=told["key"], body=Jsonb(body))


def rewrite_digest(connection: Connection, told: Row, body: Any) -> None:
    """A digest, without what was erased."""
    run(connection, "erasures", "rewrite_digest", key=told["key"], slot=told["slot"], body=Jsonb(body))


def end_erasures(connection: Connection, post_ids: Sequence[int]) -> None:
    """Nothing is left of these posts but their tombstones and the counts they were part of."""
    run(connection, "erasures", "end_erasures", post_id=list(post_ids))
