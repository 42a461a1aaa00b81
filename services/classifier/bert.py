"""A BERT encoder on PyTorch, from its safetensors: ragged token ids in, unit vectors out, on any device and dtype.

Ids come behind one another and are laid out in rows on the device itself, so that the host neither pads nor copies
padding. Queries, keys and values are one product. Knows only what `graph.fits` accepts. Needs the extra `torch`.
"""

from collections.abc import Callable
from typing import Any

from services.classifier.folder import ModelFolder

STEP = 8
"""Rows are as wide as the longest text, rounded up to this: what fused attention kernels ask of a mask."""


class Bert:
    """The network of a folder; called with tensors that are on its device."""

    def __init__(self, folder: ModelFolder, device: str, dtype: str) -> None:
        """Read the weights. Raises KeyError naming the tensor that the folder's weights lack."""
        import torch
        from safetensors.torch import load_file

        kind = getattr(torch, dtype)
        stored = load_file(folder.path / "model.safetensors", device="cpu")
        tensors = {name.removeprefix("bert."): tensor for name, tensor in stored.items()}
        self._torch, self._config, self._pooling = torch, folder.config, folder.pooling
        self._get: Callable[[str], Any] = lambda name: tensors[name].to(device, kind)
        self._word, self._place = (self._get(f"embeddings.{n}_embeddings.weight") for n in ("word", "position"))
        self.positions = len(self._place)
        self._type = self._get("embeddings.token_type_embeddings.weight")[0]
        self._norm = self._pair("embeddings.LayerNorm")
        self._layers = [self._layer(f"encoder.layer.{i}.") for i in range(folder.config["num_hidden_layers"])]
        del self._get

    def __call__(self, flat: Any, starts: Any, lengths: Any, width: int) -> Any:
        """Unit vectors float32 n × d of n texts: their ids lie in `flat` from `starts`, `lengths` many each.

        `width` is at least the longest length and at most the model's positions.
        """
        torch = self._torch
        places = torch.arange(width, device=flat.device)
        mask = places < lengths[:, None]
        # Behind its end a row holds its neighbour's ids: attention and pooling do not look there.
        ids = flat[(starts[:, None] + places).clamp_(max=len(flat) - 1)]
        x = self._normed(self._word[ids] + (self._place[:width] + self._type), self._norm)
        for layer in self._layers:
            x = self._through(x, mask[:, None, None], layer)
        return torch.nn.functional.normalize(self._pooled(x, mask), dim=-1)

    def _through(self, x: Any, mask: Any, layer: dict[str, tuple[Any, Any]]) -> Any:
        of = self._torch.nn.functional
        n, width, size = x.shape
        heads = self._config["num_attention_heads"]
        q, k, v = of.linear(x, *layer["qkv"]).view(n, width, 3, heads, size // heads).permute(2, 0, 3, 1, 4)
        mixed = of.scaled_dot_product_attention(q, k, v, attn_mask=mask).transpose(1, 2).reshape(n, width, size)
        x = self._normed(x + of.linear(mixed, *layer["mixed"]), layer["norm"])
        inner = of.gelu(of.linear(x, *layer["inner"]))
        return self._normed(x + of.linear(inner, *layer["outer"]), layer["last"])

    def _pooled(self, x: Any, mask: Any) -> Any:
        if self._pooling == "cls":
            return x[:, 0].float()
        weights = mask.unsqueeze(-1)
        return (x * weights).sum(1, dtype=self._torch.float32) / weights.sum(1)

    def _normed(self, x: Any, norm: tuple[Any, Any]) -> Any:
        return self._torch.nn.functional.layer_norm(x, x.shape[-1:], *norm, self._config.get("layer_norm_eps", 1e-12))

    def _pair(self, name: str) -> tuple[Any, Any]:
        return self._get(f"{name}.weight"), self._get(f"{name}.bias")

    def _layer(self, name: str) -> dict[str, tuple[Any, Any]]:
        parts = [self._pair(f"{name}attention.self.{part}") for part in ("query", "key", "value")]
        weights, biases = zip(*parts, strict=True)
        return {
            "qkv": (self._torch.cat(weights), self._torch.cat(biases)),
            "mixed": self._pair(f"{name}attention.output.dense"),
            "norm": self._pair(f"{name}attention.output.LayerNorm"),
            "inner": self._pair(f"{name}intermediate.dense"),
            "outer": self._pair(f"{name}output.dense"),
            "last": self._pair(f"{name}output.LayerNorm"),
        }
