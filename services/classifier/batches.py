"""Which texts go through the model together: pure arithmetic on lengths, longest first."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

CHUNK = 512
"""Texts tokenised in one go, while the chunk before it is in the model."""
TOKENS = 320
"""Tokens in a batch, padding included: enough for the products, few enough that a layer stays near its core."""
ENOUGH = 192
"""Tokens in a batch that need not wait for shorter texts, which would only come with padding."""


def chunks(texts: Sequence[str], size: int = CHUNK) -> Iterator[list[int]]:
    """Positions of all texts, longest text first, `size` at a time."""
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]), reverse=True)
    for start in range(0, len(order), size):
        yield order[start : start + size]


def batches(lengths: Sequence[int], most: int = TOKENS, enough: int = ENOUGH) -> Iterator[list[int]]:
    """Positions in `lengths` (tokens a text) split into batches of at most `most` tokens, longest first.

    A batch has texts of one length, and no padding, unless that would make it smaller than `enough` tokens.
    """
    batch: list[int] = []
    width = 0
    for i in sorted(range(len(lengths)), key=lambda i: lengths[i], reverse=True):
        taken = len(batch) * width
        if batch and (taken + width > most or (taken >= enough and lengths[i] < width)):
            yield batch
            batch = []
        width = width if batch else lengths[i]
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
