"""The stance part of classification: carriers that nobody read yet are read from their stored vectors and texts.

It looks at rows only, so it does not matter whether a post was just classified, scored again under a changed codebook,
or stored before stance was turned on. Where stance is off, nothing here runs.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from services.analysis.stance import toward
from services.analysis.text import text_for_encoder
from services.store import scores, stances
from services.store.pool import Row
from workers.runtime import Encoder, Reading, Runtime, StanceReader

CARRIERS = 2048
"""Carriers read in one go: a second of work."""


def read_stances(rt: Runtime) -> bool:
    """Read the stance of the newest carriers without one; whether more of them wait."""
    if rt.reading is None:
        return False
    encoder = rt.encoder()
    with rt.store.transaction() as tx:
        model_id = scores.register_model(tx, encoder.name)
        waiting = stances.unread_carriers(tx, model_id, CARRIERS)
    if not waiting:
        return False
    reader_id, reader = _reader(rt, rt.reading, encoder, model_id)
    read = _read(reader, waiting, encoder.dimensions)
    with rt.store.transaction() as tx:
        stances.settle_stances(tx, reader_id, read)
    return len(waiting) == CARRIERS


def _read(reader: StanceReader, waiting: list[Row], dimensions: int) -> list[Mapping[str, Any]]:
    """The carriers with their stances; a text is read once however many frames and posts have it."""
    vectors = {text_for_encoder(w["text"]): w["vector"] for w in waiting}
    stored = np.frombuffer(b"".join(vectors.values()), "<f2").astype(np.float32).reshape(len(vectors), dimensions)
    told = dict(zip(vectors, reader.stances(stored, list(vectors)), strict=True))
    return [{**w, "stance": toward(told[text_for_encoder(w["text"])], w["frames"])} for w in waiting]


def _reader(rt: Runtime, reading: Reading, encoder: Encoder, model_id: int) -> tuple[int, StanceReader]:
    """The reader every worker reads with: learned by the first who needs it."""
    if model_id not in rt.readers:
        with rt.store.transaction() as tx:
            found = stances.find_reader(tx, model_id, reading.lesson)
        if found is None:
            learned = reading.learn(encoder).to_bytes()
            with rt.store.transaction() as tx:
                stances.add_reader(tx, model_id, reading.lesson, body=learned, now=rt.now())
                found = stances.find_reader(tx, model_id, reading.lesson) or {}
        rt.readers[model_id] = (found["reader_id"], reading.read(found["body"]))
    return rt.readers[model_id]
