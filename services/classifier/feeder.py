"""Keeps a fast encoder fed: texts cleaned and tokenised by several processes, in order, ahead of their use.

A card reads many times faster than one Python process can tokenise. A few texts are done in this process; only a long
run pays for the others, which are started when first needed and never after a fork into a daemon.
"""

import multiprocessing
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import islice

from services.analysis.text import clean_text, text_for_encoder
from services.classifier.tokens import Tokens
from services.classifier.words import Ragged, Words

FEW = 8_192
"""Up to so many texts this process is quicker than asking others."""
AHEAD = 4
"""Chunks a process that are under way or wait to be used."""


class Feeder:
    """A tokenizer in `processes` processes. Not safe to use from several threads."""

    def __init__(self, tokens: Tokens, prefix: str, processes: int) -> None:
        self._tokens, self._prefix, self.processes = tokens, prefix, processes
        self._here = Words(tokens.backend, prefix, tokens.pad)
        self._pool: ProcessPoolExecutor | None = None

    def ragged(self, chunks: Sequence[Sequence[str]], *, raw: bool) -> Iterator[Ragged]:
        """Ids of each chunk of texts, in order; `raw` texts are cleaned first. What a process raised is raised here."""
        alone = self.processes < 2 or multiprocessing.current_process().daemon  # a daemon may have no children
        if alone or sum(map(len, chunks)) <= FEW:
            return (_read(self._here, chunk, raw=raw) for chunk in chunks)
        return self._by_others(iter(chunks), raw=raw)

    def close(self) -> None:
        """End the processes; a later use starts them again."""
        if self._pool:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None

    def _by_others(self, chunks: Iterator[Sequence[str]], *, raw: bool) -> Iterator[Ragged]:
        self._pool = self._pool or ProcessPoolExecutor(
            self.processes,
            multiprocessing.get_context("spawn"),  # a fork would copy threads and a card's context half
            initializer=_start,
            initargs=(self._tokens.backend.to_str(), self._prefix, self._tokens.pad),
        )
        waiting = [self._pool.submit(_work, list(c), raw=raw) for c in islice(chunks, AHEAD * self.processes)]
        return self._collected(self._pool, waiting, chunks, raw=raw)

    @staticmethod
    def _collected(
        pool: ProcessPoolExecutor, waiting: list[Future[Ragged]], chunks: Iterable[Sequence[str]], *, raw: bool
    ) -> Iterator[Ragged]:
        more = iter(chunks)
        while waiting:
            found = waiting.pop(0).result()
            waiting += [pool.submit(_work, list(chunk), raw=raw) for chunk in islice(more, 1)]
            yield found


_words: list[Words] = []
"""In a feeding process: its tokenizer."""


def _start(tokenizer: str, prefix: str, pad: int) -> None:
    from tokenizers import Tokenizer

    _words[:] = [Words(Tokenizer.from_str(tokenizer), prefix, pad)]


def _work(texts: Sequence[str], *, raw: bool) -> Ragged:
    return _read(_words[0], texts, raw=raw)


def _read(words: Words, texts: Sequence[str], *, raw: bool) -> Ragged:
    return words.ragged([text_for_encoder(clean_text(text)[0]) for text in texts] if raw else texts)
