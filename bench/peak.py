"""What these cores can multiply at all in 8 bits, and where a run of the encoder's graph spends its time."""

import json
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

SIDE = 1_024
SECONDS = 0.6
GROUPS = {
    "DynamicQuantizeMatMul": "products, with the rounding of their input",
    "MatMulIntegerToFloat": "products, with the rounding of their input",
    "DynamicQuantizeLinear": "products, with the rounding of their input",
    "MatMul": "products, with the rounding of their input",
    "FusedMatMul": "attention",
    "Softmax": "attention",
    "Transpose": "attention",
    "FastGelu": "gelu",
    "Gelu": "gelu",
    "LayerNormalization": "layer norm",
}


def operations(config, inner_kept):
    """Operations of the dense layers for one token, of the inner neurons that are left only.

    Attention's own products come on top and are not counted.
    """
    width = config["hidden_size"]
    return 2 * (config["num_hidden_layers"] * 4 * width * width + 2 * width * inner_kept)


def products(rows, inner, columns):
    """A session that multiplies u8 (rows × inner) with s8 (inner × columns) on one thread, and its input."""
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper

    chance = np.random.default_rng(0)
    weight = chance.integers(-127, 127, (inner, columns), np.int8)
    info = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node("MatMulInteger", ["a", "w"], ["y"])],
        "peak",
        [info("a", TensorProto.UINT8, [rows, inner])],
        [info("y", TensorProto.INT32, [rows, columns])],
        [numpy_helper.from_array(weight, "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session, {"a": chance.integers(0, 255, (rows, inner), np.uint8)}


def peak(threads, shape=(SIDE, SIDE, SIDE)):
    """(operations a second, and a second of processor time times `threads`): the median run on all threads at once."""
    with ThreadPoolExecutor(threads) as pool:
        runs = list(pool.map(lambda _: _timed(*products(*shape)), range(threads)))
    each = 2 * np.prod(shape, dtype=np.int64)
    wall, cpu = (sum(each / np.median(times) for times in kind) for kind in zip(*runs, strict=True))
    return wall, cpu


def _timed(session, feed):
    wall, cpu, end = [], [], time.perf_counter() + SECONDS
    while time.perf_counter() < end:
        start, used = time.perf_counter(), time.thread_time()
        session.run(None, feed)
        wall.append(time.perf_counter() - start)
        cpu.append(time.thread_time() - used)
    return wall, cpu


def breakdown(graph, batches):
    """Share of each group of operators in a single-threaded run of `graph` over `batches`, by onnxruntime's profile."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_mem_pattern = False
    options.log_severity_level = 3
    options.enable_profiling = True
    with tempfile.TemporaryDirectory() as folder:
        options.profile_file_prefix = str(Path(folder) / "profile")
        session = onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
        for feed in batches:
            session.run(None, feed)
        events = json.loads(Path(session.end_profiling()).read_text())
    spent = Counter()
    for event in events:
        if event.get("cat") == "Node" and event["name"].endswith("kernel_time"):
            spent[GROUPS.get(event["args"]["op_name"], "other")] += event["dur"]
    return {group: time / spent.total() for group, time in spent.most_common()}
