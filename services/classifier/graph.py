"""Builds an ONNX graph of a BERT encoder from its safetensors: token ids in, unit vectors out. Needs no torch.

`fp32` computes as the weights are stored; `int8` multiplies 8-bit activations with 8-bit weights (one scale per
output column, which is what keeps the vectors right) and keeps everything between the products in float32.
Knows only BERT: token, position and type embeddings, post-norm layers, exact GELU.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np
from numpy.typing import NDArray

from services.classifier.folder import ModelFolder

Precision = Literal["fp32", "int8"]

BUILDER = 1
"""Raised whenever a graph built from the same weights gives other vectors."""
OPSET = 20
IR = 9
PAGE = 4_096


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


def build_graph(folder: ModelFolder, target: Path, precision: Precision) -> None:
    """Write `target`: inputs `input_ids` and `attention_mask` (int64, b × s), output `embedding` (float32, b × d).

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
        network = _Network(lambda name: weights.get_tensor(names[name]), folder.config, precision, data)
        network.assemble(folder.pooling)
    target.write_bytes(network.model().SerializeToString())


class _Graph:
    """Nodes and constants of a graph as it grows; values are known by their names."""

    def __init__(self, data: BinaryIO) -> None:
        from onnx import TensorProto, helper, numpy_helper

        self._helper, self._arrays, self._tensor_type = helper, numpy_helper, TensorProto
        self._data = data
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def constant(self, array: NDArray[Any]) -> str:
        name = f"c{len(self._constants)}"
        small = array.nbytes < PAGE
        self._constants.append(self._arrays.from_array(array, name) if small else self._outside(array, name))
        return name

    def _outside(self, array: NDArray[Any], name: str) -> Any:
        """A constant whose values are in the data file, from the start of a page."""
        self._data.write(bytes(-self._data.tell() % PAGE))
        place = {"location": Path(self._data.name).name, "offset": self._data.tell(), "length": array.nbytes}
        self._data.write(np.ascontiguousarray(array).data)
        kind = self._helper.np_dtype_to_tensor_dtype(array.dtype)
        tensor = self._tensor_type(name=name, data_type=kind, dims=array.shape)
        tensor.data_location = tensor.EXTERNAL
        for key, value in place.items():
            tensor.external_data.add(key=key, value=str(value))
        return tensor

    def numbers(self, *values: int) -> str:
        return self.constant(np.array(values, np.int64))

    def ops(self, kind: str, inputs: list[str], outputs: int, **attributes: Any) -> list[str]:
        names = [f"t{len(self._nodes)}_{i}" for i in range(outputs)]
        self._nodes.append(self._helper.make_node(kind, inputs, names, **attributes))
        return names

    def op(self, kind: str, *inputs: str, **attributes: Any) -> str:
        return self.ops(kind, list(inputs), 1, **attributes)[0]

    def finish(self, result: str, width: int) -> Any:
        kinds = self._helper.np_dtype_to_tensor_dtype
        int64, float32 = kinds(np.dtype(np.int64)), kinds(np.dtype(np.float32))
        self._nodes.append(self._helper.make_node("LpNormalization", [result], ["embedding"], axis=-1, p=2))
        value = self._helper.make_tensor_value_info
        inputs = [value(name, int64, ["b", "s"]) for name in ("input_ids", "attention_mask")]
        outputs = [value("embedding", float32, ["b", width])]
        graph = self._helper.make_graph(self._nodes, "bert", inputs, outputs, self._constants)
        opset = self._helper.make_opsetid("", OPSET)
        return self._helper.make_model(graph, opset_imports=[opset], ir_version=IR)


class _Network(_Graph):
    """BERT, layer by layer, in the words of its weights' names."""

    def __init__(self, tensor: Any, config: Mapping[str, Any], precision: Precision, data: BinaryIO) -> None:
        super().__init__(data)
        self._tensor = tensor
        self._config = config
        self._precision = precision
        self._width: int = config["hidden_size"]
        self._result = ""
        self._shapes: dict[str, str] = {}

    def assemble(self, pooling: str) -> None:
        mask = self.op("Cast", "attention_mask", to=1)
        absent = self.op("Sub", self._number(1), self.op("Unsqueeze", mask, self.numbers(1, 2)))
        bias = self.op("Mul", absent, self._number(-10_000))
        x = self._embed()
        for layer in range(self._config["num_hidden_layers"]):
            x = self._layer(x, f"encoder.layer.{layer}.", bias)
        self._result = self._mean(x, mask) if pooling == "mean" else self._first(x)

    def model(self) -> Any:
        return self.finish(self._result, self._width)

    def _embed(self) -> str:
        words = self._tensor("embeddings.word_embeddings.weight")
        places = self._weights("embeddings.position_embeddings.weight")
        places = places + self._weights("embeddings.token_type_embeddings.weight")[0]
        # The length comes from Shape(1:2), not from Gather(Shape): onnxruntime 1.31 fuses the latter wrongly.
        length = self.op("Shape", "input_ids", start=1, end=2)
        used = self.op("Slice", self.constant(places), self.numbers(0), length, self.numbers(0))
        return self._norm(self.op("Add", self._looked_up(words), used), "embeddings.LayerNorm")

    def _looked_up(self, words: NDArray[Any]) -> str:
        if self._precision == "fp32":
            return self.op("Cast", self.op("Gather", self.constant(words), "input_ids"), to=1)
        table, scales = _rounded_rows(words)
        rows = self.op("Cast", self.op("Gather", self.constant(table), "input_ids"), to=1)
        return self.op("Mul", rows, self.op("Gather", self.constant(scales), "input_ids"))

    def _layer(self, x: str, name: str, bias: str) -> str:
        attended = self._dense(self._attention(x, name + "attention.self.", bias), name + "attention.output.dense")
        x = self._norm(self.op("Add", attended, x), name + "attention.output.LayerNorm")
        inner = self.op("Gelu", self._dense(x, name + "intermediate.dense"))
        return self._norm(self.op("Add", self._dense(inner, name + "output.dense"), x), name + "output.LayerNorm")

    def _attention(self, x: str, name: str, bias: str) -> str:
        heads = self._config["num_attention_heads"]
        size = self._width // heads
        scale = np.float32(1 / np.sqrt(size))
        parts = [(self._weights(f"{name}{p}.weight"), self._weights(f"{name}{p}.bias")) for p in _PARTS]
        parts[0] = (parts[0][0] * scale, parts[0][1] * scale)
        weight, offset = (np.concatenate(of_all) for of_all in zip(*parts, strict=True))
        joined = self._product(x, weight, offset)
        query, key, value = self.ops("Split", [joined], 3, axis=-1, num_outputs=3)
        split = self.numbers(0, 0, heads, size)
        query, value = (self._turned(part, split, [0, 2, 1, 3]) for part in (query, value))
        scores = self.op("MatMul", query, self._turned(key, split, [0, 2, 3, 1]))
        shares = self.op("Softmax", self.op("Add", scores, bias), axis=-1)
        seen = self.op("Transpose", self.op("MatMul", shares, value), perm=[0, 2, 1, 3])
        return self.op("Reshape", seen, self.numbers(0, 0, self._width))

    def _turned(self, x: str, shape: str, order: list[int]) -> str:
        return self.op("Transpose", self.op("Reshape", x, shape), perm=order)

    def _dense(self, x: str, name: str) -> str:
        return self._product(x, self._weights(name + ".weight"), self._weights(name + ".bias"))

    def _product(self, x: str, weight: NDArray[np.float32], offset: NDArray[np.float32]) -> str:
        """x · weightᵀ + offset; `weight` is out × in, as torch keeps it."""
        if self._precision == "fp32":
            return self.op("Add", self.op("MatMul", x, self.constant(weight.T)), self.constant(offset))
        table, scales = _rounded(weight.T, axis=0)
        level, step, zero = self.ops("DynamicQuantizeLinear", [x], 3)
        whole = self.op("MatMulInteger", level, self.constant(table), zero)
        scale = self.op("Mul", step, self.constant(scales[0]))
        return self.op("Add", self.op("Mul", self.op("Cast", whole, to=1), scale), self.constant(offset))

    def _norm(self, x: str, name: str) -> str:
        weight, offset = (self.constant(self._weights(f"{name}.{part}")) for part in ("weight", "bias"))
        return self.op("LayerNormalization", x, weight, offset, axis=-1, epsilon=self._config["layer_norm_eps"])

    def _mean(self, x: str, mask: str) -> str:
        weight = self.op("Unsqueeze", mask, self.numbers(2))
        total = self.op("ReduceSum", self.op("Mul", x, weight), self.numbers(1), keepdims=0)
        return self.op("Div", total, self.op("ReduceSum", weight, self.numbers(1), keepdims=0))

    def _first(self, x: str) -> str:
        return self.op("Squeeze", self.op("Slice", x, *(self.numbers(n) for n in (0, 1, 1))), self.numbers(1))

    def _weights(self, name: str) -> NDArray[np.float32]:
        weights: NDArray[np.float32] = self._tensor(name).astype(np.float32)
        return weights

    def _number(self, value: float) -> str:
        return self.constant(np.array(value, np.float32))


_PARTS = ("query", "key", "value")


def _rounded(weights: NDArray[np.float32], axis: int) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Weights as whole numbers in -127..127 and the scale of each line along `axis`, which is kept with length 1."""
    scales = np.maximum(np.abs(weights).max(axis=axis, keepdims=True), np.float32(1e-8)) / np.float32(127)
    return np.clip(np.rint(weights / scales), -127, 127).astype(np.int8), scales


def _rounded_rows(table: NDArray[Any]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """`_rounded` row by row, some thousand rows at a time: the word table is most of the model."""
    starts = range(0, len(table), PAGE)
    parts = [_rounded(table[start : start + PAGE].astype(np.float32), axis=1) for start in starts]
    return np.concatenate([rows for rows, _ in parts]), np.concatenate([scales for _, scales in parts])
