"""Texts to token ids, through the model's own `transformers` tokenizer. Knows nothing about vectors.

Texts are encoded one at a time: the tokenizer's own threads stay asleep, so a later fork is safe and the caller
decides what runs in parallel.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from services.classifier.folder import ModelFolder

LONGEST_TEXT = 8_192
"""Characters looked at; far more than any text's first 256 tokens, and a bound on what one text can cost."""


class Tokens:
    """A folder's tokenizer with its prefix and length limit set; safe to use from several threads."""

    def __init__(self, folder: ModelFolder) -> None:
        with quiet():
            from transformers import AutoTokenizer

            tokenizer = AutoTokenizer.from_pretrained(str(folder.path), local_files_only=True)
        self.pad: int = tokenizer.pad_token_id or 0
        self._prefix = folder.prefix
        self.backend: Any = tokenizer.backend_tokenizer
        self.backend.no_padding()
        self.backend.enable_truncation(max_length=folder.limit)

    def ids(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of each text, special ones included; never empty, never longer than the model's limit."""
        return [self.backend.encode(self._prefix + readable(text)).ids or [self.pad] for text in texts]


def readable(text: str) -> str:
    """`text` cut to a length worth reading, with U+FFFD where half of a surrogate pair stands alone."""
    text = text[:LONGEST_TEXT]
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


@contextmanager
def quiet() -> Iterator[None]:
    """Keeps `transformers` from announcing on every import that torch is not installed, which is no fault here."""
    source = logging.getLogger("transformers")

    def other(record: logging.LogRecord) -> bool:
        return "PyTorch was not found" not in record.getMessage()

    source.addFilter(other)
    try:
        yield
    finally:
        source.removeFilter(other)
