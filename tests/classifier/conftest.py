"""One converted model for the whole folder (made by two processes at once), and a tiny one made of chance."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from services.classifier import Encoder, load_encoder

ROOT = Path(__file__).parents[2]
LOAD = "import sys, pathlib; from services.classifier import load_encoder; print(load_encoder('', pathlib.Path(sys.argv[1]), 1).name)"


@dataclass(frozen=True)
class Converted:
    cache: Path
    names: tuple[str, ...]
    """What each of the two processes called the encoder it loaded."""


@pytest.fixture(scope="session")
def converted(tmp_path_factory) -> Converted:
    cache = tmp_path_factory.mktemp("models")
    both = [
        subprocess.Popen([sys.executable, "-c", LOAD, str(cache)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    names = tuple(process.communicate(timeout=150)[0].strip() for process in both)
    assert [process.returncode for process in both] == [0, 0]
    return Converted(cache, names)


@pytest.fixture(scope="session")
def encoder(converted) -> Encoder:
    return load_encoder("", converted.cache, 2)


@pytest.fixture(scope="session")
def tiny_weights() -> dict[str, np.ndarray]:
    """BertModel with 2 layers of 4 heads over 32 dimensions; large enough weights to make mistakes visible."""
    chance = np.random.default_rng(7)
    shapes = {
        f"embeddings.{kind}_embeddings.weight": (n, 32)
        for kind, n in (("word", 40), ("position", 64), ("token_type", 2))
    }
    norms = ["embeddings.LayerNorm"]
    for layer in ("encoder.layer.0.", "encoder.layer.1."):
        for name, (rows, columns) in {
            "attention.self.query": (32, 32),
            "attention.self.key": (32, 32),
            "attention.self.value": (32, 32),
            "attention.output.dense": (32, 32),
            "intermediate.dense": (64, 32),
            "output.dense": (32, 64),
        }.items():
            shapes |= {f"{layer}{name}.weight": (rows, columns), f"{layer}{name}.bias": (rows,)}
        norms += [layer + "attention.output.LayerNorm", layer + "output.LayerNorm"]
    weights = {name: chance.normal(0, 0.3, shape).astype(np.float32) for name, shape in shapes.items()}
    for norm in norms:
        weights[f"{norm}.weight"] = chance.normal(1, 0.2, 32).astype(np.float32)
        weights[f"{norm}.bias"] = chance.normal(0, 0.2, 32).astype(np.float32)
    return weights


@pytest.fixture
def tiny(tmp_path, tiny_weights) -> Path:
    """A folder as `save_pretrained` leaves it."""
    from safetensors.numpy import save_file
    from tokenizers import Tokenizer, models, pre_tokenizers

    folder = tmp_path / "tiny"
    folder.mkdir()
    save_file({f"bert.{name}": weight for name, weight in tiny_weights.items()}, folder / "model.safetensors")
    config = {
        "model_type": "bert",
        "hidden_act": "gelu",
        "hidden_size": 32,
        "intermediate_size": 64,
        "layer_norm_eps": 1e-12,
        "max_position_embeddings": 64,
        "num_attention_heads": 4,
        "num_hidden_layers": 2,
        "type_vocab_size": 2,
        "vocab_size": 40,
    }
    (folder / "config.json").write_text(json.dumps(config))
    words = ["[PAD]", "[UNK]", *"abcdefghijklmnopqrstuvwxyz0123456789.!"]
    backend = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="[UNK]"))
    backend.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    backend.save(str(folder / "tokenizer.json"))
    special = {"tokenizer_class": "PreTrainedTokenizerFast", "pad_token": "[PAD]", "unk_token": "[UNK]"}
    (folder / "tokenizer_config.json").write_text(json.dumps(special))
    return folder
