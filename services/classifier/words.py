"""Token ids word by word, each distinct word through the tokenizer once: the same ids, many times faster.

Posts repeat their words. Where a tokenizer looks at every word alone (Unigram behind Metaspace, as in multilingual-e5),
a dictionary from word to ids answers almost all of a text, and the tokenizer itself only what is new. Anything that
could reach across a blank goes through the tokenizer whole. Knows nothing about vectors.
"""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.classifier.tokens import readable

MOST_WORDS = 400_000
"""Words remembered (about 100 MB); a full memory is emptied."""
LONGEST_WORD = 64
"""Characters of a word worth remembering."""
BLANK = "▁"

Ragged = tuple[NDArray[np.int32], NDArray[np.int32]]
"""Token ids of all texts behind one another, and the number of ids of each text."""


def fits(backend: Any) -> bool:
    """Whether this `tokenizers.Tokenizer` looks at every word alone, so that its answers can be put together."""
    stated = json.loads(backend.to_str())
    splitter = stated["pre_tokenizer"] or {}
    return (
        stated["model"]["type"] == "Unigram"
        and splitter.get("type") == "Metaspace"
        and (splitter.get("prepend_scheme"), splitter.get("split")) == ("always", True)
        and all(token["special"] and not token["normalized"] for token in stated["added_tokens"])
        and backend.num_special_tokens_to_add(is_pair=False) == 2
        and len(backend.encode("").ids) == 2
    )


class Words:
    """A tokenizer's answers, remembered by word. Not safe to use from several threads."""

    def __init__(self, backend: Any, prefix: str, pad: int) -> None:
        self._backend, self._model, self._normalizer = backend, backend.model, backend.normalizer
        self._prefix, self._pad = prefix, pad
        self._whole = not fits(backend)
        limit = (backend.truncation or {}).get("max_length", 1 << 30)
        self._room = limit - 1
        self._known: dict[str, tuple[int, ...] | None] = {}
        self._special = tuple(token.content for token in backend.get_added_tokens_decoder().values())
        self._begin, self._end = ([], []) if self._whole else ([i] for i in backend.encode("").ids)

    def ragged(self, texts: Sequence[str]) -> Ragged:
        """Exactly what the tokenizer says of prefix + text, cut to its limit; never empty for a text."""
        flat: list[int] = []
        lengths = np.empty(len(texts), np.int32)
        for row, text in enumerate(texts):
            start = len(flat)
            self._add(self._prefix + readable(text), flat)
            lengths[row] = len(flat) - start
        return np.array(flat, np.int32), lengths

    def _add(self, text: str, flat: list[int]) -> None:
        start = len(flat)
        if self._whole or text.endswith(" ") or not self._by_words(text, flat):
            del flat[start:]
            flat += self._backend.encode(text).ids or [self._pad]

    def _by_words(self, text: str, flat: list[int]) -> bool:
        """Add the ids of `text` to `flat`; False when some word of it could touch its neighbours."""
        start, known = len(flat), self._known
        flat += self._begin
        for word in text.split(" "):
            ids = known[word] if word in known else self._learn(word)
            if ids is None:
                return False
            flat += ids
        del flat[start + self._room :]
        flat += self._end
        return True

    def _learn(self, word: str) -> tuple[int, ...] | None:
        ids = self._ids(word)
        if len(self._known) >= MOST_WORDS:
            self._known.clear()
        if len(word) <= LONGEST_WORD:
            self._known[word] = ids
        return ids

    def _ids(self, word: str) -> tuple[int, ...] | None:
        """The word's ids in any company; None when it holds a special token, or is lost or blank at its end."""
        if not word:
            return ()
        read = self._normalizer.normalize_str(word) if self._normalizer else word
        if not read or read[-1] == " " or BLANK in read or any(special in word for special in self._special):
            return None
        if " " in read:
            return tuple(self._backend.encode(word, add_special_tokens=False).ids)
        return tuple(token.id for token in self._model.tokenize(BLANK + read))
