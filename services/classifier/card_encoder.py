"""Runs a BERT-shaped encoder on a CUDA card: bfloat16, batches by tokens, the host one step ahead of the card.

While the card works on one chunk, the next is tokenised by other processes and copied; vectors come back a chunk at a
time. The same code runs on a CPU, slowly, which is how it is tested.
"""

import logging
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas.errors import PermanentError, Reason
from services.classifier.batches import batches, chunks
from services.classifier.bert import STEP, Bert
from services.classifier.drift import CHECK_TEXTS, MEAN_DRIFT, WORST_DRIFT, drift
from services.classifier.feeder import Feeder
from services.classifier.folder import ModelFolder
from services.classifier.tokens import Tokens
from services.classifier.words import Ragged

BUILDER = 1
"""Raised whenever the same weights give other vectors."""
CHUNK = 8_192
"""Texts of a chunk: a few batches, one copy there and one back."""
TOKENS = 32_768
"""Tokens of a batch, padding included: enough that launching kernels takes less time than running them."""

_Pending = tuple[NDArray[np.intp], Any, Any]
"""Rows of a chunk, where its vectors arrive, and the event that says they have."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class CardEncoder:
    """An Encoder on `device`. Several threads may use it; they take turns."""

    name: str
    dimensions: int
    feeder: Feeder
    network: Any
    device: str
    tokens: int = TOKENS
    chunk: int = CHUNK
    _turn: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def encode(self, texts: Sequence[str], *, raw: bool = False) -> NDArray[np.float32]:
        """Unit vectors n × dimensions in the order of `texts`; `raw` texts are first cleaned as posts are.

        Raises what a tokenising process raised, and RuntimeError for vectors that are not finite.
        """
        with self._turn:
            parts = [np.array(part, np.intp) for part in chunks(texts, self.chunk)]
            vectors = np.full((len(texts), self.dimensions), np.nan, np.float32)
            pending: list[_Pending] = []
            read = self.feeder.ragged([[texts[i] for i in part] for part in parts], raw=raw)
            for rows, ragged in zip(parts, read, strict=True):
                pending.append((rows, *self.run(ragged)))
                self._collect(pending, vectors, keep=1)
            self._collect(pending, vectors, keep=0)
        if not np.isfinite(vectors).all():
            raise RuntimeError(f"{self.name} gave no finite vector for some of {len(texts)} texts")
        return vectors

    def run(self, ragged: Ragged) -> tuple[Any, Any]:
        """Start the network on one chunk: the host tensor its vectors will arrive in, and the event to wait for."""
        import torch

        flat, lengths = ragged
        starts = np.cumsum(lengths, dtype=np.int64) - lengths
        with torch.inference_mode():
            on_card = [self._there(torch.from_numpy(array)) for array in (flat, starts, lengths)]
            found = torch.empty((len(lengths), self.dimensions), device=self.device)
            for batch, width in self._batches(lengths):
                rows = self._there(torch.from_numpy(batch))
                found[rows] = self.network(on_card[0], on_card[1][rows], on_card[2][rows], width)
            return self._back(found)

    def _batches(self, lengths: NDArray[np.int32]) -> Iterator[tuple[NDArray[np.int64], int]]:
        rounded = (-(-lengths // STEP) * STEP).tolist()
        for batch in batches(rounded, self.tokens, self.tokens):
            yield np.array(batch, np.int64), min(rounded[batch[0]], int(self.network.positions))

    def _there(self, tensor: Any) -> Any:
        if self.device == "cpu":
            return tensor
        return tensor.pin_memory().to(self.device, non_blocking=True)

    def _back(self, found: Any) -> tuple[Any, Any]:
        import torch

        if self.device == "cpu":
            return found, None
        host = torch.empty(found.shape, pin_memory=True)
        host.copy_(found, non_blocking=True)
        arrived = torch.cuda.Event()
        arrived.record()
        return host, arrived

    @staticmethod
    def _collect(pending: list[_Pending], into: NDArray[np.float32], keep: int) -> None:
        while len(pending) > keep:
            rows, host, arrived = pending.pop(0)
            if arrived is not None:
                arrived.synchronize()
            into[rows] = host.numpy()


def load_card(folder: ModelFolder, device: str, processes: int) -> CardEncoder:
    """The folder's encoder on `device`, in bfloat16 where its vectors stay with the float32 ones, else in float32.

    Raises PermanentError(MODEL_UNAVAILABLE) when the card has too little memory.
    """
    import torch

    try:
        exact, quick = (_made(folder, device, processes, dtype) for dtype in ("float32", "bfloat16"))
        mean, worst = drift(quick.encode(CHECK_TEXTS), exact.encode(CHECK_TEXTS))
    except torch.cuda.OutOfMemoryError as error:
        raise PermanentError(
            Reason.MODEL_UNAVAILABLE,
            f"the card has too little free memory for {folder.title}: {error}. End what else uses it "
            "(nvidia-smi shows it), or set FRAMEWATCH_DEVICE=cpu.",
        ) from error
    if mean <= MEAN_DRIFT and worst <= WORST_DRIFT:
        return quick
    log.warning("bfloat16_refused_using_float32", extra={"model": folder.title, "mean": mean, "worst": worst})
    return exact


def _made(folder: ModelFolder, device: str, processes: int, dtype: str) -> CardEncoder:
    return CardEncoder(
        name=f"{folder.title}@{folder.revision}/{dtype}-{BUILDER}",
        dimensions=folder.config["hidden_size"],
        feeder=Feeder(Tokens(folder), folder.prefix, processes),
        network=Bert(folder, device, dtype),
        device=device,
    )
