"""Builds an ONNX graph of a BERT encoder from its safetensors: token ids in, unit vectors out. Needs no torch.

`fp32` computes as the weights are stored; `int8` multiplies 8-bit activations with 8-bit weights (one scale per
output column, which is what keeps the vectors right) and keeps everything between the products in float32.
Knows only BERT: token, position and type embeddings, post-norm layers, exact GELU.

Inside, the order is position × text × feature: a head's part of it is then a strided matrix, which attention can
multiply where it lies instead of copying it three times (docs/decisions/0011-the-cpu-runtime.md).
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np
from numpy.typing import NDArray

from services.classifier.folder import ModelFolder
from services.classifier.nodes import CONTRIB, PAGE, Nodes
from services.classifier.thinning import Tensor, Thinning

Precision = Literal["fp32", "int8"]

BUILDER = 3
"""Raised whenever a graph built from the same weights gives other vectors."""


def fits(folder: ModelFolder) -> bool:
    """Whether this builder knows the folder's network."""
    config = folder.config
    return (
        config.get("model_type") == "bert"
        and config.get("hidden_act") == "gelu"
        and config.get("position_embedding_type", "absolute") == "absolute"
        and not config.get("is_decoder", False)
        and (folder.path / "model.safetensors").is_file()
    )


def build_graph(folder: ModelFolder, target: Path, precision: Precision, thinning: Thinning | None = None) -> None:
    """Write `target`: inputs `input_ids` and `attention_mask` (int64, b × s), output `embedding` (float32, b × d).

    `thinning` leaves out inner neurons; without it the network is whole.
    A batch without padding may come with b × 1 ones as its mask, which is quicker than b × s of them.

    The constants go into a second file beside it, `.data`: it is written tensor by tensor and mapped when loaded,
    so that neither takes more memory than it must and several processes share one copy of the big table.
    Raises KeyError naming the tensor that the folder's weights lack.
    """
    from safetensors import safe_open

    with (
        safe_open(folder.path / "model.safetensors", framework="numpy") as weights,
        target.with_suffix(".data").open("wb") as data,
    ):
        names = {name.removeprefix("bert."): name for name in weights.keys()}  # noqa: SIM118 - not a mapping

        def tensor(name: str) -> NDArray[Any]:
            found: NDArray[Any] = weights.get_tensor(names[name])
            return found

        source = tensor if thinning is None else thinning.applied(tensor)
        network = _Network(source, folder.config, precision, data)
        model = network.assemble(folder.pooling)
    target.write_bytes(model.SerializeToString())


class _Network(Nodes):
    """BERT, layer by layer, in the words of its weights' names."""

    def __init__(self, tensor: Tensor, config: Mapping[str, Any], precision: Precision, data: BinaryIO) -> None:
        super().__init__(data)
        self._tensor = tensor
        self._config = config
        self._precision = precision
        self._width: int = config["hidden_size"]
        self._heads: int = config["num_attention_heads"]
        self._joined = ""
        """The shape s × b × width, which attention takes apart and restores."""

    def assemble(self, pooling: str) -> Any:
        """The whole model."""
        mask = self.op("Cast", "attention_mask", to=1)
        bias = self._bias(mask)
        x = self._embed()
        self._joined = self.op("Shape", x)
        for layer in range(self._config["num_hidden_layers"]):
            x = self._layer(x, f"encoder.layer.{layer}.", bias)
        pooled = self._sum(x, mask) if pooling == "mean" else self._first(x)
        return self.finish(self.op("LpNormalization", pooled, axis=-1, p=2), self._width)

    def _bias(self, mask: str) -> str:
        """What is added to the scores of every head of every text: (b · heads) × 1 × s, or × 1 without padding."""
        absent = self.op("Mul", self.op("Sub", self.number(1), mask), self.number(-10_000))
        for_heads = self.op("Tile", self.op("Unsqueeze", absent, self.numbers(1)), self.numbers(1, self._heads, 1))
        last = self.op("Shape", for_heads, start=2, end=3)
        return self.op("Reshape", for_heads, self.op("Concat", self.numbers(-1, 1), last, axis=0))

    def _embed(self) -> str:
        words = self._tensor("embeddings.word_embeddings.weight")
        places = self._weights("embeddings.position_embeddings.weight")
        places = places + self._weights("embeddings.token_type_embeddings.weight")[0]
        # The length comes from Shape(1:2), not from Gather(Shape): onnxruntime 1.31 fuses the latter wrongly.
        length = self.op("Shape", "input_ids", start=1, end=2)
        used = self.op("Slice", self.constant(places), self.numbers(0), length, self.numbers(0))
        ids = self.op("Transpose", "input_ids", perm=[1, 0])
        found = self.op("Add", self._looked_up(words, ids), self.op("Unsqueeze", used, self.numbers(1)))
        return self._norm(found, "embeddings.LayerNorm")

    def _looked_up(self, words: NDArray[Any], ids: str) -> str:
        if self._precision == "fp32":
            return self.op("Cast", self.op("Gather", self.constant(words), ids), to=1)
        table, scales = _rounded_rows(words)
        rows = self.op("Cast", self.op("Gather", self.constant(table), ids), to=1)
        return self.op("Mul", rows, self.op("Gather", self.constant(scales), ids))

    def _layer(self, x: str, name: str, bias: str) -> str:
        seen = self._attention(x, name + "attention.self.", bias)
        attended = self._dense(seen, name + "attention.output.dense")
        x = self._norm(self.op("Add", attended, x), name + "attention.output.LayerNorm")
        inner = self._gelu(self._dense(x, name + "intermediate.dense"))
        return self._norm(self.op("Add", self._dense(inner, name + "output.dense"), x), name + "output.LayerNorm")

    def _attention(self, x: str, name: str, bias: str) -> str:
        levels, size = self._levels(x), self._width // self._heads
        apart = self.numbers(0, -1, size)
        query, key, value = (self.op("Reshape", self._dense(levels, name + part), apart) for part in _PARTS)
        scores = self.op("FusedMatMul", query, key, alpha=float(size**-0.5), transBatchA=1, transB=1, **_STRIDED)
        shares = self.op("Softmax", self.op("Add", scores, bias), axis=-1)
        seen = self.op("Transpose", self.op("FusedMatMul", shares, value, **_STRIDED), perm=[1, 0, 2])
        return self.op("Reshape", seen, self._joined)

    def _gelu(self, x: str) -> str:
        return self.op("Gelu", x) if self._precision == "fp32" else self.op("FastGelu", x, domain=CONTRIB)

    def _dense(self, x: str | tuple[str, ...], name: str) -> str:
        """x · weightᵀ + bias; the weight is out × in, as torch keeps it. `x` may come as its `_levels`."""
        weight, offset = self._weights(f"{name}.weight"), self.constant(self._weights(f"{name}.bias"))
        levels = self._levels(x) if isinstance(x, str) else x
        if self._precision == "fp32":
            return self.op("Add", self.op("MatMul", *levels, self.constant(weight.T)), offset)
        level, step, zero = levels
        table, scales = _rounded(weight.T, axis=0)
        inputs = [level, self.constant(table), step, self.constant(scales[0]), zero, "", offset]
        return self.op("MatMulIntegerToFloat", *inputs, domain=CONTRIB)

    def _levels(self, x: str) -> tuple[str, ...]:
        """`x` as products take it: itself, or as 8-bit levels with their step and zero. Made once for q, k and v."""
        return (x,) if self._precision == "fp32" else tuple(self.ops("DynamicQuantizeLinear", [x], 3))

    def _norm(self, x: str, name: str) -> str:
        weight, offset = (self.constant(self._weights(f"{name}.{part}")) for part in ("weight", "bias"))
        return self.op("LayerNormalization", x, weight, offset, axis=-1, epsilon=self._config["layer_norm_eps"])

    def _sum(self, x: str, mask: str) -> str:
        """The mean but for its length, which the result does not keep anyway."""
        weight = self.op("Unsqueeze", self.op("Transpose", mask, perm=[1, 0]), self.numbers(2))
        return self.op("ReduceSum", self.op("Mul", x, weight), self.numbers(0), keepdims=0)

    def _first(self, x: str) -> str:
        return self.op("Squeeze", self.op("Slice", x, *(self.numbers(n) for n in (0, 1, 0))), self.numbers(0))

    def _weights(self, name: str) -> NDArray[np.float32]:
        weights: NDArray[np.float32] = self._tensor(name).astype(np.float32)
        return weights


_PARTS = ("query", "key", "value")
_STRIDED: dict[str, Any] = {"transBatchB": 1, "domain": CONTRIB}


def _rounded(weights: NDArray[np.float32], axis: int) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Weights as whole numbers in -127..127 and the scale of each line along `axis`, which is kept with length 1."""
    scales = np.maximum(np.abs(weights).max(axis=axis, keepdims=True), np.float32(1e-8)) / np.float32(127)
    return np.clip(np.rint(weights / scales), -127, 127).astype(np.int8), scales


def _rounded_rows(table: NDArray[Any]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """`_rounded` row by row, some thousand rows at a time: the word table is most of the model."""
    starts = range(0, len(table), PAGE)
    parts = [_rounded(table[start : start + PAGE].astype(np.float32), axis=1) for start in starts]
    return np.concatenate([rows for rows, _ in parts]), np.concatenate([scales for _, scales in parts])
