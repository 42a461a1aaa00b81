"""The graphs against the same network written in plain numpy, on weights made of chance."""

import numpy as np
import pytest
from scipy.special import erf, softmax

from services.classifier.drift import drift
from services.classifier.folder import read_folder
from services.classifier.graph import build_graph, fits
from services.classifier.onnx_encoder import open_session

IDS = [[5, 6, 7, 8, 9], [10], [11, 12, 13]]


def norm(x, w, name):
    return (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-12) * w[f"{name}.weight"] + w[
        f"{name}.bias"
    ]


def dense(x, w, name):
    return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]


def bert(ids, w):
    """States of one text without any padding, s × 32."""
    x = w["embeddings.word_embeddings.weight"][ids] + w["embeddings.position_embeddings.weight"][: len(ids)]
    x = norm(x + w["embeddings.token_type_embeddings.weight"][0], w, "embeddings.LayerNorm")
    for layer in ("encoder.layer.0.", "encoder.layer.1."):
        q, k, v = (
            dense(x, w, f"{layer}attention.self.{p}").reshape(-1, 4, 8).swapaxes(0, 1)
            for p in ("query", "key", "value")
        )
        seen = softmax(q @ k.swapaxes(1, 2) / np.sqrt(8), axis=-1) @ v
        seen = dense(seen.swapaxes(0, 1).reshape(-1, 32), w, f"{layer}attention.output.dense")
        x = norm(x + seen, w, f"{layer}attention.output.LayerNorm")
        inner = dense(x, w, f"{layer}intermediate.dense")
        inner = inner * 0.5 * (1 + erf(inner / np.sqrt(2)))
        x = norm(x + dense(inner, w, f"{layer}output.dense"), w, f"{layer}output.LayerNorm")
    return x


def unit(x):
    return x / np.linalg.norm(x)


def run(graph, ids):
    width = max(map(len, ids))
    tokens = np.array([[*i, *[0] * (width - len(i))] for i in ids], np.int64)
    mask = np.array([[1] * len(i) + [0] * (width - len(i)) for i in ids], np.int64)
    return open_session(graph).run(None, {"input_ids": tokens, "attention_mask": mask})[0]


@pytest.mark.parametrize(("pooling", "pooled"), [("mean", lambda x: x.mean(0)), ("cls", lambda x: x[0])])
def test_fp32_is_the_network(tiny, tiny_weights, tmp_path, pooling, pooled):
    (tiny / "1_Pooling").mkdir()
    mode = {"mean": "pooling_mode_mean_tokens", "cls": "pooling_mode_cls_token"}[pooling]
    (tiny / "1_Pooling" / "config.json").write_text(f'{{"{mode}": true, "pooling_mode_max_tokens": false}}')
    build_graph(read_folder(tiny, "tiny"), tmp_path / "fp32.onnx", "fp32")
    expected = np.stack([unit(pooled(bert(ids, tiny_weights))) for ids in IDS])
    assert np.allclose(run(tmp_path / "fp32.onnx", IDS), expected, atol=2e-5)


def test_int8_is_near_it(tiny, tiny_weights, tmp_path):
    build_graph(read_folder(tiny, "tiny"), tmp_path / "int8.onnx", "int8")
    expected = np.stack([unit(bert(ids, tiny_weights).mean(0)) for ids in IDS])
    _, worst = drift(run(tmp_path / "int8.onnx", IDS), expected)
    assert 0 < worst < 0.01


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_a_batch_without_padding_may_have_a_narrow_mask(tiny, tmp_path, precision):
    build_graph(read_folder(tiny, "tiny"), tmp_path / "graph.onnx", precision)
    session, ids = open_session(tmp_path / "graph.onnx"), np.array([[5, 6, 7], [8, 9, 10]])
    wide, narrow = (
        session.run(None, {"input_ids": ids, "attention_mask": np.ones((2, n), np.int64)})[0] for n in (3, 1)
    )
    assert np.allclose(wide, narrow, atol=1e-6)


@pytest.mark.parametrize("change", [{"model_type": "distilbert"}, {"hidden_act": "relu"}, {"is_decoder": True}])
def test_other_networks_do_not_fit(tiny, change):
    folder = read_folder(tiny, "tiny")
    assert fits(folder)
    folder.config.update(change)
    assert not fits(folder)
