"""rescore: stored posts under a codebook version being built, range by range, from what is stored of their texts.

It never runs the transformer on a post. Posts whose text has no vector go to the queue of new ones.
"""

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from schemas.errors import FramewatchError
from services.analysis.text import text_for_encoder
from services.store import codebooks, rescoring, scores
from services.store.rescoring import Range, Said, Texts
from workers.runtime import Heads, Outcome, Runtime
from workers.stages.classify import heads_of

RANGES = 5
"""Ranges of one run: afterwards new posts have their turn."""
ATTEMPTS = 3
"""Claims without a settlement after which a range's posts are queued one by one, where a poisonous one is parked."""


@dataclass(frozen=True, slots=True, eq=False)
class Work:
    """A range that has been scored and not yet settled."""

    claimed: Range
    model_id: int
    said: Said | None
    homeless: list[int]
    """Posts that cannot be scored from what is stored."""


def rescore(rt: Runtime) -> Outcome:
    """Score a few ranges of the oldest version that is being built.

    While one range is scored the one before it is settled: the database works when the processor does.
    """
    settled: list[Future[int]] = []
    with ThreadPoolExecutor(1, "settle") as settling:
        while len(settled) < RANGES and not rt.stopping():
            with rt.store.transaction() as tx:
                claimed = rescoring.claim_range(tx, rt.lease)
            if claimed is None:
                break
            work = _score(rt, claimed)
            if settled:
                settled[-1].result()
            settled.append(settling.submit(_settle, rt, work))
        posts = [future.result() for future in settled]
    wake = ("rollup", "classify") if posts else ()
    return Outcome(
        rows=sum(max(p, 0) for p in posts), fenced_off=sum(p < 0 for p in posts), again=len(posts) == RANGES, wake=wake
    )  # fmt: skip


def _score(rt: Runtime, claimed: Range) -> Work:
    """What the version says of every post of a range that is still to be scored."""
    try:
        model_id, heads = _heads(rt, claimed)
    except FramewatchError:
        with rt.store.transaction() as tx:
            rescoring.release_range(tx, claimed)
        raise
    with rt.store.transaction() as tx:
        post_ids, hashes = rescoring.posts_of_range(tx, claimed)
    if heads is None or claimed.attempts > ATTEMPTS:
        return Work(claimed, model_id, None, post_ids.tolist())
    texts = _texts(rt, claimed, model_id, set(hashes))
    rows = {key: row for row, key in enumerate(texts.hashes)}
    found = np.array([rows.get(key, -1) for key in hashes], int)
    here = found >= 0
    probabilities = heads.stored_scores(texts.vectors, texts.bins, texts.counts)
    answers = heads.answers(probabilities)
    said = Said(post_ids[here], heads.frames, probabilities[found[here]], answers[found[here]])
    return Work(claimed, model_id, said, post_ids[~here].tolist())


def _heads(rt: Runtime, claimed: Range) -> tuple[int, Heads | None]:
    """The model and the version's heads; None when a newer version has overtaken it."""
    encoder = rt.encoder()
    with rt.store.transaction() as tx:
        model_id = scores.register_model(tx, encoder.name)
        versions = {v["version_id"]: v for v in codebooks.codebooks_in_service(tx)}
    version = versions.get(claimed.version_id)
    return model_id, None if version is None else heads_of(rt, encoder, version, model_id)


def _texts(rt: Runtime, claimed: Range, model_id: int, wanted: set[bytes]) -> Texts:
    """What is stored of the range's texts; wordings that are not there yet are worked out and kept."""
    with rt.store.transaction() as tx:
        texts = rescoring.vectors_of_range(tx, claimed, model_id)
        wordless = {} if wanted <= set(texts.hashes) else rescoring.wordless_of_range(tx, claimed, model_id)
        if not wordless:
            return texts
        wordings = rt.wordings([text_for_encoder(text) for text in wordless.values()])
        rescoring.fill_wordings(tx, model_id, dict(zip(wordless, wordings, strict=True)))
        return rescoring.vectors_of_range(tx, claimed, model_id)


def _settle(rt: Runtime, work: Work) -> int:
    """Write what was said in one transaction; of how many posts, -1 when the range is not ours any more."""
    with rt.store.transaction() as tx:
        if work.homeless:
            rescoring.queue_posts(tx, work.claimed.received_day, work.homeless, rt.now())
        uncertain = rescoring.stage_scores(tx, work.said) if work.said else []
        # From here nobody else writes scores or erases posts: what is looked up below stays so until the commit.
        codebooks.lock_codebooks(tx)
        if not rescoring.settle_range(tx, work.claimed):
            tx.rollback()
            return -1
        if work.said is None:
            return 0
        return rescoring.add_rescored(
            tx, work.claimed, work.model_id, frames=work.said.frames, uncertain=uncertain
        )  # fmt: skip
