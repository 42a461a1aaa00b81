"""The thinned int8 graph: right shapes and values, a list that belongs to the weights, the drift check on top."""

import json

import numpy as np
import onnx
import pytest
from scipy.special import erf

from schemas.errors import PermanentError, Reason
from services.classifier import bundled, drift, load_encoder, thinning
from services.classifier.bundled import SHA256
from services.classifier.folder import read_folder
from services.classifier.graph import build_graph
from services.classifier.onnx_encoder import open_session
from services.classifier.thinning import FILE, STEP, Thinning, read_thinning, write_thinning

SHAPE = {"num_hidden_layers": 12, "intermediate_size": 1536, "hidden_size": 384}


@pytest.fixture(scope="module")
def shipped():
    return read_thinning(SHAPE, SHA256)


def half(layers=2, inner=64, width=32):
    """Every second neuron stays."""
    kept = np.tile(np.arange(inner) % 2 == 0, (layers, 1))
    return Thinning(kept, np.zeros((layers, width), np.float32))


def products(file):
    """Shapes of the weights of all products, in their order."""
    model = onnx.load(file, load_external_data=False)
    shapes = {c.name: tuple(c.dims) for c in model.graph.initializer}
    return [shapes[node.input[1]] for node in model.graph.node if node.op_type == "MatMulIntegerToFloat"]


def test_the_shipped_list_is_small_and_kept_in_whole_blocks(shipped):
    counts = shipped.kept.sum(1)
    assert FILE.stat().st_size < 100_000
    assert not (counts % STEP).any()
    assert counts.min() >= STEP
    assert 0.05 < 1 - shipped.kept.mean() < 0.4


def test_the_bundled_graph_has_what_the_list_keeps(converted, shipped):
    (graph,) = converted.cache.rglob("int8.onnx")
    found = products(graph)
    assert len(found) == 12 * 6
    for layer, count in enumerate(shipped.kept.sum(1).tolist()):
        assert found[6 * layer + 4 : 6 * layer + 6] == [(384, count), (count, 384)]


def test_the_folder_for_other_programs_stays_whole(converted):
    from safetensors import safe_open

    (file,) = converted.cache.rglob("model.safetensors")
    with safe_open(file, framework="numpy") as weights:
        assert weights.get_slice("encoder.layer.11.intermediate.dense.weight").get_shape() == [1536, 384]


def test_dropping_what_never_moves_changes_nothing(tiny, tiny_weights, tmp_path):
    """Odd neurons see no input, so they are constants, which the offsets hold exactly."""
    from safetensors.numpy import save_file

    weights = {name: tensor.copy() for name, tensor in tiny_weights.items()}
    offsets = []
    for name in ("encoder.layer.0.", "encoder.layer.1."):
        weights[f"{name}intermediate.dense.weight"][1::2] = 0
        still = weights[f"{name}intermediate.dense.bias"][1::2]
        offsets.append(weights[f"{name}output.dense.weight"][:, 1::2] @ (still * 0.5 * (1 + erf(still / np.sqrt(2)))))
    save_file(weights, tiny / "model.safetensors")
    folder, thin = read_folder(tiny, "tiny"), Thinning(half().kept, np.stack(offsets).astype(np.float32))
    build_graph(folder, tmp_path / "whole.onnx", "fp32")
    build_graph(folder, tmp_path / "thin.onnx", "fp32", thin)
    build_graph(folder, tmp_path / "int8.onnx", "int8", thin)
    feed = {"input_ids": np.array([[5, 6, 7], [8, 9, 10]]), "attention_mask": np.ones((2, 1), np.int64)}
    whole, same, near = (open_session(tmp_path / f"{n}.onnx").run(None, feed)[0] for n in ("whole", "thin", "int8"))
    assert np.allclose(whole, same, atol=2e-5)
    assert drift.drift(near, whole)[1] < 0.01
    assert set(products(tmp_path / "int8.onnx")) == {(32, 32)}


def test_models_of_ones_own_are_never_thinned(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(thinning, "FILE", tmp_path / "none")
    load_encoder(str(tiny), tmp_path / "cache", 1)
    (graph,) = (tmp_path / "cache").rglob("int8.onnx")
    assert products(graph)[4:6] == [(32, 64), (64, 32)]


def test_a_list_is_read_as_it_was_written_and_the_same_bytes_each_time(tmp_path):
    for name in ("a.npz", "b.npz"):
        write_thinning(half(12, 1536, 384), "f" * 64, tmp_path / name)
    found = read_thinning(SHAPE, "f" * 64, tmp_path / "a.npz")
    assert np.array_equal(found.kept, half(12, 1536, 384).kept)
    assert not found.offsets.any()
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


@pytest.mark.parametrize("size", [0, 10, FILE.stat().st_size // 2, FILE.stat().st_size - 30])
def test_a_list_cut_short_is_refused(tmp_path, size):
    (tmp_path / "cut.npz").write_bytes(FILE.read_bytes()[:size])
    refused(tmp_path / "cut.npz", "damaged")


@pytest.mark.parametrize("place", [0.1, 0.3, 0.5, 0.7])
def test_a_list_with_a_wrong_byte_is_refused(tmp_path, place):
    content = bytearray(FILE.read_bytes())
    content[int(len(content) * place)] ^= 0xFF
    (tmp_path / "wrong.npz").write_bytes(content)
    refused(tmp_path / "wrong.npz", "damaged")


def test_a_missing_list_is_named(tmp_path):
    refused(tmp_path / "none.npz", r"none\.npz.*missing.*Install framewatch again")


def test_a_list_for_other_weights_is_refused(tmp_path):
    write_thinning(half(12, 1536, 384), "e" * 64, tmp_path / "other.npz")
    refused(tmp_path / "other.npz", "other weights|weights eeee")


@pytest.mark.parametrize("wrong", [half(11, 1536, 384), half(12, 1528, 384), half(12, 1536, 383)])
def test_a_list_of_another_shape_is_refused(tmp_path, wrong):
    write_thinning(wrong, SHA256, tmp_path / "shape.npz")
    refused(tmp_path / "shape.npz", "does not fit")


def test_a_list_without_numbers_or_neurons_is_refused(tmp_path):
    nothing = half(12, 1536, 384)
    nothing.kept[3] = False
    write_thinning(nothing, SHA256, tmp_path / "nothing.npz")
    refused(tmp_path / "nothing.npz", "fit")
    write_thinning(Thinning(half(12, 1536).kept, np.full((12, 384), np.nan, np.float32)), SHA256, tmp_path / "nan.npz")
    refused(tmp_path / "nan.npz", "fit")


def refused(file, why):
    with pytest.raises(PermanentError, match=why) as caught:
        read_thinning(SHAPE, SHA256, file)
    assert caught.value.reason == Reason.MODEL_UNAVAILABLE


def test_the_drift_check_still_decides(tiny, tmp_path):
    """A list that takes too much makes the fp32 graph the chosen one, and that one is whole."""
    folder, work = read_folder(tiny, "tiny"), tmp_path / "work"
    work.mkdir()
    drift.prepare_graphs(folder, work, half())
    found = json.loads((work / drift.CHECK).read_text())
    assert found["graph"] == "fp32"
    assert found["worst_drift"] > drift.WORST_DRIFT
    assert not (work / "int8.onnx").exists()
    model = onnx.load(work / "fp32.onnx", load_external_data=False)
    assert (32, 64) in [tuple(c.dims) for c in model.graph.initializer]


def test_a_first_use_with_a_foreign_list_leaves_nothing_behind(tmp_path, monkeypatch):
    write_thinning(half(12, 1536, 384), "e" * 64, tmp_path / "other.npz")
    monkeypatch.setattr(thinning, "FILE", tmp_path / "other.npz")
    monkeypatch.setattr(
        bundled, "convert", lambda source, folder: (folder / "config.json").write_text(json.dumps(SHAPE))
    )
    with pytest.raises(PermanentError, match="Install framewatch again"):
        load_encoder("", tmp_path / "cache", 1)
    assert not [p for p in (tmp_path / "cache").iterdir() if not p.name.endswith(".lock")]
