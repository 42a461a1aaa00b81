"""Runs encoders that are not BERT-shaped through `transformers.AutoModel`. Needs the extra `torch`.

Weights are read from safetensors only, and a model's own code is never run.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas.errors import PermanentError, Reason
from services.classifier.batches import batches, padded
from services.classifier.folder import ModelFolder
from services.classifier.tokens import Tokens

BUILDER = 1
"""Raised whenever the same weights give other vectors."""
BATCH = 768
"""Tokens in a batch, padding included."""


@dataclass(frozen=True, slots=True)
class TorchEncoder:
    """An Encoder on PyTorch, on the first GPU when there is one."""

    name: str
    dimensions: int
    tokens: Tokens
    network: Any
    pooling: str

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors n × dimensions in the order of `texts`. Raises RuntimeError for vectors that are not finite."""
        vectors = np.full((len(texts), self.dimensions), np.nan, np.float32)
        ids = self.tokens.ids(texts)
        for batch in batches([len(i) for i in ids], BATCH, BATCH):
            vectors[batch] = self._run([ids[i] for i in batch])
        if not np.isfinite(vectors).all():
            raise RuntimeError(f"{self.name} gave no finite vector for some of {len(texts)} texts")
        return vectors

    def _run(self, ids: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        import torch

        tokens, mask = (torch.from_numpy(a).to(self.network.device) for a in padded(ids, self.tokens.pad))
        with torch.inference_mode():
            states = self.network(input_ids=tokens, attention_mask=mask).last_hidden_state.float()
            weights = mask.unsqueeze(-1).float()
            pooled = states[:, 0] if self.pooling == "cls" else (states * weights).sum(1) / weights.sum(1)
            unit = torch.nn.functional.normalize(pooled, dim=-1)
        found: NDArray[np.float32] = unit.cpu().numpy()
        return found


def load_torch(folder: ModelFolder, threads: int, device: str = "") -> TorchEncoder:
    """The folder's encoder on PyTorch with `threads` cores, on `device` or else on a card when there is one.

    Raises PermanentError(MODEL_UNAVAILABLE) naming the extra when PyTorch is not installed.
    """
    try:
        import torch
    except ImportError as error:
        raise PermanentError(
            Reason.MODEL_UNAVAILABLE,
            f"the model {folder.title} ({folder.config.get('model_type')}) needs PyTorch, which is not installed: "
            "pip install 'framewatch[torch]', or choose a BERT-shaped model.",
        ) from error
    from transformers import AutoModel

    torch.set_num_threads(threads)
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    network = AutoModel.from_pretrained(str(folder.path), local_files_only=True, use_safetensors=True, dtype="float32")
    return TorchEncoder(
        name=f"{folder.title}@{folder.revision}/torch-{BUILDER}",
        dimensions=network.config.hidden_size,
        tokens=Tokens(folder),
        network=network.eval().to(device),
        pooling=folder.pooling,
    )
