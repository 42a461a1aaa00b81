"""Runs an encoder's ONNX graph on every core: one session, one single-threaded run per core at a time."""

from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.classifier.batches import batches, chunks, padded
from services.classifier.tokens import Tokens

_Running = list[tuple[NDArray[np.intp], Future[NDArray[np.float32]]]]


def open_session(graph: Path) -> Any:
    """An onnxruntime session for `graph` whose runs take one thread each and may overlap.

    Raises onnxruntime's own errors for a file that is not a graph.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.enable_mem_pattern = False  # batches differ in shape; remembering each shape only costs memory
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])


@dataclass(frozen=True, slots=True)
class OnnxEncoder:
    """An Encoder on onnxruntime. Safe to use from several threads; make it after forking, not before."""

    name: str
    dimensions: int
    tokens: Tokens
    session: Any
    threads: int

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors n × dimensions in the order of `texts`; n = 0 is fine.

        Raises what a worker thread raised, and RuntimeError when the model gave no finite vector for a text.
        """
        vectors = np.full((len(texts), self.dimensions), np.nan, np.float32)
        with ThreadPoolExecutor(self.threads, thread_name_prefix="encoder") as pool:
            try:
                self._encode(texts, vectors, pool)
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        if not np.isfinite(vectors).all():
            raise RuntimeError(f"{self.name} gave no finite vector for some of {len(texts)} texts")
        return vectors

    def _encode(self, texts: Sequence[str], vectors: NDArray[np.float32], pool: ThreadPoolExecutor) -> None:
        """Keep the pool busy: the next chunk is tokenised while this one is in the model."""
        running: _Running = []
        parts = [(part, [texts[i] for i in part]) for part in chunks(texts)]
        tokenised = [pool.submit(self.tokens.ids, parts[0][1])] if parts else []
        for k, (part, _) in enumerate(parts):
            ids = tokenised.pop().result()
            if k + 1 < len(parts):
                tokenised.append(pool.submit(self.tokens.ids, parts[k + 1][1]))
            started = self._start(np.array(part), ids, pool)
            _collect(running, vectors)
            running = started
        _collect(running, vectors)

    def _start(self, part: NDArray[np.intp], ids: Sequence[Sequence[int]], pool: ThreadPoolExecutor) -> _Running:
        return [
            (part[batch], pool.submit(self._run, [ids[i] for i in batch])) for batch in batches([len(i) for i in ids])
        ]

    def _run(self, ids: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        tokens, mask = padded(ids, self.tokens.pad)
        mask = mask[:, :1] if mask.all() else mask  # the graph is quicker where nothing has to be masked
        found: NDArray[np.float32] = self.session.run(["embedding"], {"input_ids": tokens, "attention_mask": mask})[0]
        return found


def _collect(
    running: Iterable[tuple[NDArray[np.intp], Future[NDArray[np.float32]]]], into: NDArray[np.float32]
) -> None:
    for rows, future in running:
        into[rows] = future.result()
