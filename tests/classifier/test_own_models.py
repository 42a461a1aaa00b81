"""Folders and hub ids that the operator names instead of the bundled model."""

import json
import logging

import numpy as np
import pytest

from schemas.errors import PermanentError, Reason
from services.classifier import drift, load_encoder
from services.classifier.folder import read_folder
from services.classifier.graph import BUILDER


def describe(folder, file, **content):
    (folder / file).parent.mkdir(exist_ok=True)
    (folder / file).write_text(json.dumps(content))


def test_a_bert_folder_is_built_once(tiny, tmp_path):
    encoder = load_encoder(str(tiny), tmp_path / "cache", 1)
    built = {file: file.stat().st_mtime_ns for file in (tmp_path / "cache").rglob("*.*")}
    assert encoder.name.startswith("tiny@")
    assert encoder.name.endswith(f"/int8-{BUILDER}")
    assert encoder.encode(["abc", "", "ж"]).shape == (3, encoder.dimensions)
    assert np.array_equal(load_encoder(str(tiny), tmp_path / "cache", 1).encode(["abc"]), encoder.encode(["abc"]))
    assert {file: file.stat().st_mtime_ns for file in (tmp_path / "cache").rglob("*.*")} == built


def test_other_weights_are_another_encoder(tiny, tiny_weights, tmp_path):
    from safetensors.numpy import save_file

    before = load_encoder(str(tiny), tmp_path / "cache", 1).name
    save_file({name: -weight for name, weight in tiny_weights.items()}, tiny / "model.safetensors")
    assert load_encoder(str(tiny), tmp_path / "cache", 1).name != before


def test_int8_that_drifts_is_refused(tiny, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(drift, "MEAN_DRIFT", 0.0)
    with caplog.at_level(logging.WARNING):
        encoder = load_encoder(str(tiny), tmp_path / "cache", 1)
    assert encoder.name.endswith(f"/fp32-{BUILDER}")
    assert "int8_graph_refused_using_fp32" in caplog.messages
    assert encoder.encode(["abc"]).shape == (1, 32)
    assert not list((tmp_path / "cache").rglob("int8.*"))


@pytest.mark.parametrize("file", ["int8.onnx", "int8.data", "check.json"])
def test_damaged_graphs_say_what_to_do(tiny, tmp_path, file):
    load_encoder(str(tiny), tmp_path / "cache", 1)
    (found,) = (tmp_path / "cache").rglob(file)
    found.write_bytes(found.read_bytes()[: found.stat().st_size // 2])
    with pytest.raises(PermanentError, match=r"damaged, remove .* built again") as caught:
        load_encoder(str(tiny), tmp_path / "cache", 1)
    assert caught.value.reason == Reason.MODEL_UNAVAILABLE


@pytest.mark.parametrize("damage", ["config.json", "tokenizer.json", "model.safetensors"])
def test_damaged_folders_are_refused(tiny, tmp_path, damage):
    (tiny / damage).write_text("{not what it was")
    with pytest.raises(PermanentError, match="tiny") as caught:
        load_encoder(str(tiny), tmp_path / "cache", 1)
    assert caught.value.reason == Reason.MODEL_UNAVAILABLE


@pytest.mark.parametrize("model", ["/no/such/folder", "./nowhere", "~/nowhere-at-all"])
def test_a_folder_that_is_not_there(model, tmp_path):
    with pytest.raises(PermanentError, match="does not exist"):
        load_encoder(model, tmp_path, 1)


def test_a_hub_that_cannot_be_reached(tmp_path, monkeypatch):
    import huggingface_hub

    def offline(*_, **__):
        raise OSError("no route")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", offline)
    with pytest.raises(PermanentError, match="some/model is neither a folder here"):
        load_encoder("some/model@abc", tmp_path, 1)


def test_a_hub_model_is_named_by_its_commit(tiny, tmp_path, monkeypatch):
    import huggingface_hub

    commit = tiny.rename(tmp_path / "0123456789abcdef")
    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda name, revision, allow_patterns: str(commit))
    assert load_encoder("some/model", tmp_path / "cache", 1).name == f"some/model@01234567/int8-{BUILDER}"


def test_other_networks_need_the_torch_extra(tiny, tmp_path, monkeypatch):
    config = json.loads((tiny / "config.json").read_text())
    describe(tiny, "config.json", **{**config, "model_type": "distilbert"})
    monkeypatch.setitem(__import__("sys").modules, "torch", None)
    with pytest.raises(PermanentError, match=r"framewatch\[torch\]"):
        load_encoder(str(tiny), tmp_path, 1)


def test_torch_gives_what_the_graph_gives(tiny, tmp_path):
    pytest.importorskip("torch")
    from services.classifier.graph import build_graph
    from services.classifier.onnx_encoder import OnnxEncoder, open_session
    from services.classifier.torch_encoder import load_torch

    folder = read_folder(tiny, "tiny")
    by_torch = load_torch(folder, 1)
    build_graph(folder, tmp_path / "fp32.onnx", "fp32")
    by_graph = OnnxEncoder("g", 32, by_torch.tokens, open_session(tmp_path / "fp32.onnx"), 1)
    texts = ["abc", "a long one ending in z", "q"]
    assert np.allclose(by_torch.encode(texts), by_graph.encode(texts), atol=1e-5)


def test_defaults_of_a_folder_that_says_nothing(tiny):
    folder = read_folder(tiny, "tiny")
    assert (folder.pooling, folder.prefix, folder.limit) == ("mean", "", 64)
    assert read_folder(tiny, "intfloat/multilingual-e5-base").prefix == "query: "


def test_a_folder_is_taken_at_its_word(tiny):
    describe(tiny, "1_Pooling/config.json", pooling_mode_cls_token=True, pooling_mode_mean_tokens=False)
    describe(tiny, "config_sentence_transformers.json", prompts={"query": "ask: ", "x": "X "}, default_prompt_name="x")
    describe(tiny, "sentence_bert_config.json", max_seq_length=16)
    folder = read_folder(tiny, "tiny")
    assert (folder.pooling, folder.prefix, folder.limit) == ("cls", "X ", 16)


def test_pooling_we_cannot_do_is_refused(tiny):
    describe(tiny, "1_Pooling/config.json", pooling_mode_max_tokens=True)
    with pytest.raises(PermanentError, match="pooling"):
        read_folder(tiny, "tiny")


def test_layers_we_leave_out_are_logged(tiny, caplog):
    (tiny / "modules.json").write_text(json.dumps([{"type": "sentence_transformers.models.Dense"}]))
    read_folder(tiny, "tiny")
    assert "model_layers_ignored" in caplog.messages
