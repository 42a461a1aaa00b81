"""classify: claim queued posts, embed each distinct text once, settle scores and trend deltas in one transaction."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas import codebook as codebooks_file
from schemas.errors import FramewatchError
from schemas.records import QueuedPost
from services.analysis.text import text_for_encoder
from services.store import codebooks, queue, rescoring, scores, vectors
from workers.runtime import Encoder, Heads, Outcome, Runtime, Wordings
from workers.stances import read_stances

POSTS = 512
ATTEMPTS = 5
"""Claims without a settlement after which a post is parked: workers died on it."""

BATCHES = 8
"""Batches of one run: afterwards others of this queue have their turn, and the run is written down."""

Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Batch:
    """Posts that have been scored and not yet settled."""

    claimed: list[QueuedPost]
    said: list[tuple[int, Vectors, Heads]]
    """Version, probabilities, and the heads that gave them."""
    model_id: int
    made: dict[bytes, tuple[bytes, bytes]]
    """New vectors and wordings by text hash, as stored."""


def classify(rt: Runtime) -> Outcome:
    """Score queued posts under every codebook version in service, batch by batch while they are full.

    While one batch is in the model the one before it is settled: the database works when the model does.
    """
    done: list[Outcome] = []
    with ThreadPoolExecutor(1, "settle") as settling:
        before: Future[Outcome] | None = None
        for _ in range(BATCHES):
            batch = _score_batch(rt)
            if before:
                done.append(before.result())
            if batch is None:
                before = None
                break
            before = settling.submit(_settle, rt, batch)
            if len(batch.claimed) < POSTS:
                break
        if before:
            done.append(before.result())
    more = read_stances(rt)
    return Outcome(
        rows=sum(o.rows for o in done),
        fenced_off=sum(o.fenced_off for o in done),
        again=more or (bool(done) and done[-1].again),
    )


def _score_batch(rt: Runtime) -> Batch | None:
    """The next batch, scored; None when nothing waits."""
    with rt.store.transaction() as tx:
        queue.park_poison(tx, attempts=ATTEMPTS, reason="workers died on this post")
        claimed = queue.claim_posts(tx, limit=POSTS, lease=rt.lease)
        versions = codebooks.codebooks_in_service(tx)
    if not claimed:
        _learn_ahead(rt, versions)
        return None
    try:
        encoder = rt.encoder()
        model_id, known = _known_vectors(rt, encoder, claimed)
        vectors, made = embed(encoder, rt.wordings, claimed, known)
        heads = [(v["version_id"], heads_of(rt, encoder, v, model_id)) for v in versions]
    except FramewatchError:
        with rt.store.transaction() as tx:
            queue.release_posts(tx, claimed)
        raise
    texts = [text_for_encoder(p.text) for p in claimed]
    said = [(version_id, h.scores(vectors, texts), h) for version_id, h in heads]
    return Batch(claimed, said, model_id, made)


def embed(
    encoder: Encoder, wordings: Wordings, claimed: Sequence[QueuedPost], known: dict[bytes, bytes]
) -> tuple[Vectors, dict[bytes, tuple[bytes, bytes]]]:
    """A vector for every post, the transformer run only on texts without one; (vectors, new ones as stored)."""
    missing = {p.text_hash: text_for_encoder(p.text) for p in claimed if p.text_hash not in known}
    texts = list(missing.values())
    fresh = (vector.astype("<f2").tobytes() for vector in encoder.encode(texts))
    made = dict(zip(missing, zip(fresh, wordings(texts), strict=True), strict=True))
    stored = {**known, **{key: vector for key, (vector, _) in made.items()}}
    # New ones too are read back from 16 bits, so that a post scores the same however it came by its vector.
    flat = np.frombuffer(b"".join(stored[p.text_hash] for p in claimed), "<f2").astype(np.float32)
    return flat.reshape(len(claimed), encoder.dimensions), made


def heads_of(rt: Runtime, encoder: Encoder, version: dict[str, Any], model_id: int) -> Heads:
    """The heads every worker scores this version with: learned by the first who needs them."""
    key = (version["version_id"], model_id)
    if key not in rt.heads:
        rt.heads[key] = _read_or_learn(rt, encoder, version, model_id)
    return rt.heads[key]


def _read_or_learn(rt: Runtime, encoder: Encoder, version: dict[str, Any], model_id: int) -> Heads:
    with rt.store.transaction() as tx:
        body = codebooks.find_heads(tx, version["version_id"], model_id)
        heard = vectors.heard_texts(tx, encoder.name) if body is None else None
    if body is None:
        learned = rt.learn(encoder, codebooks_file.parse(version["body"], version["codebook"]), heard)
        with rt.store.transaction() as tx:
            codebooks.add_heads(tx, version["version_id"], model_id, learned.to_bytes(), rt.now())
            body = codebooks.find_heads(tx, version["version_id"], model_id)
    return rt.read_heads(body or b"")


def _learn_ahead(rt: Runtime, versions: list[dict[str, Any]]) -> None:
    """With nothing to score, see that the next post need not wait for a codebook to be learned."""
    if versions:
        encoder = rt.encoder()
        with rt.store.transaction() as tx:
            model_id = scores.register_model(tx, encoder.name)
        for version in versions:
            heads_of(rt, encoder, version, model_id)


def _known_vectors(rt: Runtime, encoder: Encoder, claimed: Sequence[QueuedPost]) -> tuple[int, dict[bytes, bytes]]:
    with rt.store.transaction() as tx:
        model_id = scores.register_model(tx, encoder.name)
        return model_id, scores.find_embeddings(tx, model_id, list({p.text_hash for p in claimed}))


def _settle(rt: Runtime, batch: Batch) -> Outcome:
    with rt.store.transaction() as tx:
        codebooks.share_codebooks(tx)
        scores.add_embeddings(tx, batch.model_id, batch.made)
        scored_under = [version_id for version_id, _, _ in batch.said]
        if [v["version_id"] for v in codebooks.codebooks_in_service(tx)] != scored_under:
            queue.release_posts(tx, batch.claimed)
            return Outcome(again=True)
        mine = queue.settle_posts(tx, batch.claimed)
        rescoring.mark_stale(tx, sorted(mine))
        for version_id, probabilities, heads in batch.said:
            scores.unscore_version(tx, version_id, sorted(mine))
            said = columns(batch.claimed, probabilities, heads, mine)
            scores.add_scores(tx, version_id, batch.model_id, said)
    if mine:
        rt.nudge("rollup")
    full = len(batch.claimed) == POSTS or any(p.attempts > 1 for p in batch.claimed)
    return Outcome(rows=len(mine), fenced_off=len(batch.claimed) - len(mine), again=full)


def columns(claimed: Sequence[QueuedPost], probabilities: Vectors, heads: Heads, mine: set[int]) -> dict[str, Any]:
    """Columns for add_scores, of the posts that are still ours."""
    answers = heads.answers(probabilities)
    said: dict[str, list[Any]] = {
        name: []
        for name in ("post_id", "probabilities", "uncertain", "carried_post_id", "carried_frame", "carried_probability")
    }
    for post, row, answer in zip(claimed, probabilities.tolist(), answers.tolist(), strict=True):
        if post.post_id not in mine:
            continue
        said["post_id"].append(post.post_id)
        said["probabilities"].append("{" + ",".join(f"{p:.9g}" for p in row) + "}")
        unsure = [frame for frame, a in zip(heads.frames, answer, strict=True) if a == 2]
        said["uncertain"].append("{" + ",".join(unsure) + "}")
        for frame, a, p in zip(heads.frames, answer, row, strict=True):
            if a == 1:
                said["carried_post_id"].append(post.post_id)
                said["carried_frame"].append(frame)
                said["carried_probability"].append(p)
    return said
