"""Posts that mean much the same as one, by the vectors stored anyway: exact, over the newest posts of a period.

It runs no model and keeps no index: ten million vectors would be 8 GB to read, and an extension of Postgres to search.
"""

from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from schemas import wire_similar
from schemas.errors import PermanentError, Reason
from services.store import codebooks, feeds, listings, posts, scores
from services.store.pool import Connection, Row, row, rows

CANDIDATES = 30_000
"""Posts looked at, the newest of the period."""
BLOCK = 5_000
"""Vectors in memory at a time."""


def vector_of(connection: Connection, text_hash: bytes) -> Row | None:
    """model_id and vector (16-bit floats) of a text, by the newest model; None before any has read it."""
    return row(connection, "similar", "vector_of", text_hash=text_hash)


def texts_between(connection: Connection, since: datetime, until: datetime, limit: int) -> list[Row]:
    """text_hash, post_id and posts of the distinct texts of the newest `limit` posts of a period."""
    return rows(connection, "similar", "texts_between", since=since, until=until, limit=limit)


def read_similar(
    connection: Connection, wall: datetime, post_id: int, *, days: int, limit: int
) -> wire_similar.Similar:
    """The posts of the last `days` nearest in meaning, one a text, by cosine; of an older post, of the days around it.

    Raises PermanentError(NOT_FOUND).
    """
    asked = posts.read_post(connection, post_id, None)
    own = vector_of(connection, bytes(asked["text_hash"])) if asked else None
    if asked is None or own is None:
        told = "it may have been deleted" if asked is None else "or rather no vector of it yet: it waits to be read"
        raise PermanentError(Reason.NOT_FOUND, f"there is no post {post_id}; {told}")
    present = feeds.present(connection, wall)
    length = timedelta(days=days)
    until = min(present, asked["published_at"] + length / 2) if asked["published_at"] < present - length else present
    since, until = until - length, until + timedelta(seconds=1)
    texts = texts_between(connection, since, until, CANDIDATES)
    found = {bytes(t["text_hash"]): t for t in texts if bytes(t["text_hash"]) != bytes(asked["text_hash"])}
    near = _nearest(connection, own, list(found), limit)
    current = codebooks.current_codebooks(connection)
    version_id = current[0]["version_id"] if current else None
    alike = []
    for text_hash, likeness in near:
        there = posts.read_post(connection, found[text_hash]["post_id"], version_id)
        if there is not None:
            post = listings.post_told(there)
            alike.append(wire_similar.Alike(likeness=likeness, posts=found[text_hash]["posts"], post=post))
    looked = sum(t["posts"] for t in texts)
    return wire_similar.Similar(
        present=present, since=since, until=until, post=listings.read_post(connection, post_id), looked_at=looked,
        complete=looked < CANDIDATES, alike=tuple(alike),
    )  # fmt: skip


def _nearest(connection: Connection, own: Row, hashes: list[bytes], limit: int) -> list[tuple[bytes, float]]:
    """The `limit` texts with the largest cosine, a block of vectors at a time."""
    target = _unit(np.frombuffer(own["vector"], "<f2").astype(np.float32)[None, :])[0]
    best: list[tuple[bytes, float]] = []
    for start in range(0, len(hashes), BLOCK):
        stored = scores.find_embeddings(connection, own["model_id"], hashes[start : start + BLOCK])
        if not stored:
            continue
        names = list(stored)
        block = np.stack([np.frombuffer(stored[name], "<f2") for name in names]).astype(np.float32)
        cosines = _unit(block) @ target
        best += zip(names, (float(c) for c in cosines), strict=True)
        best = sorted(best, key=lambda pair: (-pair[1], pair[0]))[:limit]
    return best


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.where(lengths == 0, 1, lengths)).astype(np.float32)
