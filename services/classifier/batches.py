"""Which texts go through the model together: pure arithmetic on lengths, longest first."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

CHUNK = 512
"""Texts tokenised in one go, while the chunk before it is in the model."""
WIDEST = 24
"""Texts in a batch: 16 to 32 keep a layer's values in a core's own cache."""
TOKENS = 768
"""Tokens in a batch, padding included; long texts go in smaller company."""


def chunks(texts: Sequence[str], size: int = CHUNK) -> Iterator[list[int]]:
    """Positions of all texts, longest text first, `size` at a time."""
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]), reverse=True)
    for start in range(0, len(order), size):
        yield order[start : start + size]


def batches(lengths: Sequence[int], *, widest: int = WIDEST, tokens: int = TOKENS) -> Iterator[list[int]]:
    """Positions in `lengths` (tokens a text) split into batches of similar length, longest first."""
    batch: list[int] = []
    for i in sorted(range(len(lengths)), key=lambda i: lengths[i], reverse=True):
        if batch and (len(batch) == widest or (len(batch) + 1) * lengths[batch[0]] > tokens):
            yield batch
            batch = []
        batch.append(i)
    if batch:
        yield batch


def padded(ids: Sequence[Sequence[int]], pad: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Token ids n × longest with `pad` behind the short ones, and the mask that is 1 where a token stands."""
    shape = (len(ids), max(map(len, ids)))
    tokens, mask = np.full(shape, pad, np.int64), np.zeros(shape, np.int64)
    for row, of_text in enumerate(ids):
        tokens[row, : len(of_text)] = of_text
        mask[row, : len(of_text)] = 1
    return tokens, mask
