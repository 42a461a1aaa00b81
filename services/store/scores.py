"""Models, embeddings, scores and the frames posts carry."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.store.pool import Connection, one, rows, run


def register_model(connection: Connection, name: str) -> int:
    """The number of a model, given on first sight."""
    number: int = one(connection, "scores", "register_model", name=name)["model_id"]
    return number


def find_embeddings(connection: Connection, model_id: int, text_hashes: Sequence[bytes]) -> dict[bytes, bytes]:
    """Stored vectors (16-bit floats, little-endian) by text hash."""
    if not text_hashes:
        return {}
    found = rows(connection, "scores", "find_embeddings", model_id=model_id, text_hash=list(text_hashes))
    return {r["text_hash"]: r["vector"] for r in found}


def add_embeddings(connection: Connection, model_id: int, made: Mapping[bytes, tuple[bytes, bytes]]) -> None:
    """Keep vectors and wordings of texts by hash, for good; ones already there stay."""
    if made:
        run(
            connection, "scores", "add_embeddings", model_id=model_id, text_hash=list(made),
            vector=[vector for vector, _ in made.values()], wording=[wording for _, wording in made.values()],
        )  # fmt: skip


def add_scores(connection: Connection, version_id: int, model_id: int, said: Mapping[str, list[Any]]) -> None:
    """Write scores, carried frames and trend deltas of posts under one codebook version.

    `said` holds columns: post_id, probabilities, uncertain (array literals), carried_post_id, carried_frame,
    carried_probability.
    """
    if said["post_id"]:
        run(connection, "scores", "add_scores", version_id=version_id, model_id=model_id, **said)


def unscore_version(connection: Connection, version_id: int, post_ids: Sequence[int]) -> None:
    """Take back what posts had under a version, with its −1 deltas."""
    if post_ids:
        run(connection, "scores", "unscore_version", version_id=version_id, post_id=list(post_ids))
