"""An ONNX graph as it grows: nodes and constants, known by their names. Knows nothing about networks.

Constants of a page or more go into a second file beside the graph, from the start of a page, so that they can be
mapped instead of read.
"""

from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

OPSET = 20
IR = 9
PAGE = 4_096
CONTRIB = "com.microsoft"
"""The domain of the operators that only onnxruntime has."""


class Nodes:
    """Nodes and constants of a graph; every method that adds one returns the name of its value."""

    def __init__(self, data: BinaryIO) -> None:
        from onnx import TensorProto, helper, numpy_helper

        self._helper, self._arrays, self._tensor_type = helper, numpy_helper, TensorProto
        self._data = data
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def constant(self, array: NDArray[Any]) -> str:
        """A value that is part of the graph."""
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
        """A constant list of whole numbers: a shape, axes."""
        return self.constant(np.array(values, np.int64))

    def number(self, value: float) -> str:
        """A constant float32."""
        return self.constant(np.array(value, np.float32))

    def ops(self, kind: str, inputs: list[str], outputs: int, **attributes: Any) -> list[str]:
        """The names of the values that one operator gives."""
        names = [f"t{len(self._nodes)}_{i}" for i in range(outputs)]
        self._nodes.append(self._helper.make_node(kind, inputs, names, **attributes))
        return names

    def op(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """The name of the one value that an operator gives."""
        return self.ops(kind, list(inputs), 1, **attributes)[0]

    def finish(self, result: str, width: int) -> Any:
        """The model: `input_ids` and `attention_mask` in, `result` (b × width) as `embedding` out."""
        kinds = self._helper.np_dtype_to_tensor_dtype
        int64, float32 = kinds(np.dtype(np.int64)), kinds(np.dtype(np.float32))
        self._nodes.append(self._helper.make_node("Identity", [result], ["embedding"]))
        value = self._helper.make_tensor_value_info
        inputs = [value("input_ids", int64, ["b", "s"]), value("attention_mask", int64, ["mb", "ms"])]
        outputs = [value("embedding", float32, ["b", width])]
        graph = self._helper.make_graph(self._nodes, "bert", inputs, outputs, self._constants)
        opsets = [self._helper.make_opsetid(domain, version) for domain, version in (("", OPSET), (CONTRIB, 1))]
        return self._helper.make_model(graph, opset_imports=opsets, ir_version=IR)
