"""The encoder for a card, run on the CPU: the same code but for pinned memory and events. Needs PyTorch."""

import logging
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from services.classifier import card_encoder
from services.classifier.folder import read_folder
from services.classifier.graph import build_graph
from services.classifier.onnx_encoder import OnnxEncoder, open_session
from services.classifier.tokens import Tokens

torch = pytest.importorskip("torch", reason="the extra `torch` is not installed")
TEXTS = ["abc", "a long one ending in z", "q", "", "1" * 90, "two.", "q"]


def made(folder, dtype="float32"):
    return card_encoder._made(folder, "cpu", 1, dtype)


@pytest.mark.parametrize("pooling", ["mean", "cls"])
@pytest.mark.parametrize("tokens", [8, 100, 100_000])
def test_it_gives_what_the_graph_gives_in_batches_of_any_size(tiny, tmp_path, pooling, tokens):
    if pooling == "cls":
        (tiny / "1_Pooling").mkdir()
        (tiny / "1_Pooling/config.json").write_text('{"pooling_mode_cls_token": true}')
    folder = read_folder(tiny, "tiny")
    build_graph(folder, tmp_path / "fp32.onnx", "fp32")
    graph = OnnxEncoder("g", 32, Tokens(folder), open_session(tmp_path / "fp32.onnx"), 1)
    card = made(folder)
    card.tokens, card.chunk = tokens, 3
    found = card.encode(TEXTS)
    assert found.dtype == np.float32
    assert np.allclose(found, graph.encode(TEXTS), atol=1e-5)
    assert card.encode([]).shape == (0, 32)


def test_the_bundled_model_in_bfloat16_stays_with_float32(converted):
    folder = read_folder(next(converted.cache.glob("multilingual-e5-small-*")), "multilingual-e5-small")
    card = card_encoder.load_card(folder, "cpu", 1)
    assert "/bfloat16-" in card.name
    raw = card.encode(["RT @a: The army left #Palmyra https://t.co/x"], raw=True)
    assert np.allclose(raw, card.encode(["The army left Palmyra"]), atol=1e-6)
    assert np.allclose(np.linalg.norm(raw, axis=1), 1, atol=1e-3)


def test_bfloat16_that_drifts_is_refused(tiny, monkeypatch, caplog):
    monkeypatch.setattr(card_encoder, "MEAN_DRIFT", -1.0)
    with caplog.at_level(logging.WARNING):
        card = card_encoder.load_card(read_folder(tiny, "tiny"), "cpu", 1)
    assert "/float32-" in card.name
    assert "bfloat16_refused_using_float32" in caplog.messages


def test_several_threads_take_turns(tiny):
    card = made(read_folder(tiny, "tiny"))
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: card.encode(TEXTS), range(8)))
    assert all(np.array_equal(result, results[0]) for result in results)


def test_vectors_that_are_not_finite_are_a_bug(tiny):
    card = made(read_folder(tiny, "tiny"))
    card.network._word.fill_(float("nan"))
    with pytest.raises(RuntimeError, match="finite"):
        card.encode(["abc"])


def test_missing_weights_are_named(tiny, tiny_weights):
    from safetensors.numpy import save_file

    missing = "encoder.layer.1.output.dense.bias"
    save_file({name: w for name, w in tiny_weights.items() if name != missing}, tiny / "model.safetensors")
    with pytest.raises(KeyError, match=missing):
        made(read_folder(tiny, "tiny"))


def test_posts_are_cleaned_by_the_encoder_itself(tiny):
    card = made(read_folder(tiny, "tiny"))
    found = card.encode(["RT @a: abc", "q", "abc https://t.co/x"], raw=True)
    assert np.allclose(found, card.encode(["abc", "q", "abc"]), atol=1e-5)
