"""Where an encoder runs: what cannot be had is said clearly, with the way out; no card is needed here."""

import sys
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from schemas.errors import PermanentError, Reason
from services.classifier import load_encoder
from services.cli.classify import classify


@pytest.fixture
def without_torch(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)


@pytest.fixture
def without_card(monkeypatch):
    torch = SimpleNamespace(
        cuda=SimpleNamespace(is_available=lambda: False), version=SimpleNamespace(cuda=None), __version__="2.13.0+cpu"
    )
    monkeypatch.setitem(sys.modules, "torch", torch)


def test_another_word_is_refused(tmp_path):
    with pytest.raises(
        PermanentError, match=r'FRAMEWATCH_DEVICE .* must be "cpu", "cuda" or empty, not .gpu.'
    ) as caught:
        load_encoder("", tmp_path, 1, "gpu")
    assert caught.value.reason == Reason.BAD_CONFIG


def test_a_card_needs_the_extra(tmp_path, without_torch):
    with pytest.raises(PermanentError, match=r"pip install 'framewatch\[torch\]'") as caught:
        load_encoder("", tmp_path, 1, "cuda")
    assert caught.value.reason == Reason.MODEL_UNAVAILABLE
    assert not list(tmp_path.iterdir())


def test_no_card_is_said_and_so_is_a_build_without_cuda(tmp_path, without_card):
    with pytest.raises(PermanentError, match=r"finds no CUDA card here \(this PyTorch, 2.13.0\+cpu, is built without"):
        load_encoder("", tmp_path, 1, "cuda")


def test_the_cpu_never_needs_torch(converted, without_torch):
    assert load_encoder("", converted.cache, 1, "cpu").name == load_encoder("", converted.cache, 1).name


def test_classify_says_it_on_the_command_line(tmp_path, without_torch):
    (tmp_path / "book.yaml").write_text("codebook: x\n")
    (tmp_path / "posts.jsonl").write_text("")
    files = ["--codebook", str(tmp_path / "book.yaml"), "--input", str(tmp_path / "posts.jsonl")]
    result = CliRunner().invoke(classify, [*files, "--device", "cuda"])
    assert result.exit_code != 0
    assert "framewatch[torch]" in str(result.exception)
