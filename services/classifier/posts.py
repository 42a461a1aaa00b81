"""Vectors of posts: each distinct text goes through the encoder once, cleaned here or by an encoder that can."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from services.analysis.text import text_for_encoder
from services.classifier.card_encoder import CardEncoder
from services.classifier.encoder import Encoder


def encode_posts(encoder: Encoder, texts: Sequence[str]) -> NDArray[np.float32]:
    """Unit vectors n × d of posts' texts in their order."""
    if isinstance(encoder, CardEncoder):  # its own processes clean, so that this one does not hold the card up
        return _once(texts, lambda distinct: encoder.encode(distinct, raw=True))
    return _once([text_for_encoder(text) for text in texts], encoder.encode)


def _once(texts: Sequence[str], encode: Callable[[list[str]], NDArray[np.float32]]) -> NDArray[np.float32]:
    rows = {text: row for row, text in enumerate(dict.fromkeys(texts))}
    vectors: NDArray[np.float32] = encode(list(rows))[[rows[text] for text in texts]]
    return vectors
