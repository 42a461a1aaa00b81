import json

import numpy as np
import pytest

from schemas.errors import PermanentError, Reason
from services.classifier import bundled, load_encoder
from services.classifier.drift import MEAN_DRIFT, WORST_DRIFT
from services.classifier.graph import BUILDER
from services.classifier.tokens import quiet


@pytest.fixture(scope="module")
def folder(converted):
    return next(converted.cache.glob("multilingual-e5-small-*"))


def test_two_processes_at_once_both_end_well(converted):
    assert converted.names == (f"multilingual-e5-small@1571fc98/int8-{BUILDER}",) * 2
    assert not list(converted.cache.glob("*building*"))


def test_the_folder_loads_in_transformers(folder):
    with quiet():
        from transformers import AutoConfig, AutoTokenizer
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    assert AutoConfig.from_pretrained(folder).hidden_size == 384
    assert tokenizer.convert_ids_to_tokens(tokenizer("Привет, мир")["input_ids"]) == [
        "<s>", "▁При", "вет", ",", "▁мир", "</s>",
    ]  # fmt: skip
    assert (tokenizer.pad_token_id, tokenizer.unk_token_id, tokenizer.mask_token_id) == (1, 3, 250001)


def test_weights_are_kept_for_other_runtimes(folder):
    from safetensors import safe_open

    with safe_open(folder / "model.safetensors", framework="numpy") as weights:
        words = weights.get_tensor("embeddings.word_embeddings.weight")
    assert words.shape == (250037, 384)
    assert words.dtype == np.float16
    assert np.isfinite(words[::1000]).all()


def test_int8_was_checked_once_and_stays_near_fp32(folder):
    result = json.loads((folder / "check.json").read_text())
    assert result["graph"] == "int8"
    assert 0 < result["mean_drift"] <= MEAN_DRIFT
    assert result["worst_drift"] <= WORST_DRIFT
    assert not (folder / "fp32.onnx").exists()


def test_files_are_readable_for_other_users(folder):
    assert all(file.stat().st_mode & 0o044 == 0o044 for file in [folder, *folder.rglob("*")])


def test_a_damaged_weight_file_is_refused(tmp_path, monkeypatch):
    damaged = tmp_path / bundled.FILE
    damaged.write_bytes(b"E5S1 but not for long")
    monkeypatch.setattr(bundled, "weight_file", lambda: damaged)
    with pytest.raises(PermanentError, match=r"damaged.*pip install") as caught:
        load_encoder("", tmp_path / "cache", 1)
    assert caught.value.reason == Reason.MODEL_UNAVAILABLE
    assert [p.name for p in (tmp_path / "cache").iterdir() if not p.name.endswith(".lock")] == []


def test_a_missing_package_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(bundled, "PACKAGE", "no_such_package_here")
    with pytest.raises(PermanentError, match="no_such_package_here"):
        load_encoder("", tmp_path, 1)


def test_a_cache_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(PermanentError, match="writable folder"):
        load_encoder("", tmp_path / "file", 1)
