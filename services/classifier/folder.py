"""What a model folder says about itself: which network, how to pool, what to put before a text, how long it may be.

Reads the files of `transformers` and `sentence-transformers`; loads no weights.
"""

import hashlib
import json
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from schemas.errors import PermanentError, Reason

Pooling = Literal["mean", "cls"]

LONGEST = 256
"""Tokens read of a text. Posts are shorter; a longer limit costs time for articles and changes little."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A readable folder with a model in it, and the choices that belong to it."""

    path: Path
    title: str
    """What the operator calls it."""
    revision: str
    """8 digits that change when the weights change."""
    config: Mapping[str, Any]
    pooling: Pooling
    prefix: str
    """Put before every text; the model was trained with it."""
    limit: int
    """Tokens of the longest input, special ones included."""


def read_folder(path: Path, title: str, revision: str = "") -> ModelFolder:
    """Read a model's own description; `revision` is taken from the weights when it is not known.

    Raises PermanentError(MODEL_UNAVAILABLE) naming the file that is missing or unreadable.
    """
    config = _json(path / "config.json")
    if not config:
        raise _unusable(title, f"{path / 'config.json'} is missing or is not JSON")
    _warn_of_layers(path, title)
    return ModelFolder(
        path=path,
        title=title,
        revision=(revision or _digest(path))[:8],
        config=config,
        pooling=_pooling(path, title),
        prefix=_prefix(path, title),
        limit=_limit(path, config),
    )


def _pooling(path: Path, title: str) -> Pooling:
    stated = _json(path / "1_Pooling" / "config.json")
    modes = {key for key, value in stated.items() if key.startswith("pooling_mode") and value is True}
    modes |= {f"pooling_mode_{stated['pooling_mode']}"} if "pooling_mode" in stated else set()
    if modes <= {"pooling_mode_mean_tokens", "pooling_mode_mean"}:
        return "mean"
    if modes <= {"pooling_mode_cls_token", "pooling_mode_cls"}:
        return "cls"
    raise _unusable(title, f"its pooling {sorted(modes)} is not supported; mean and cls are")


def _prefix(path: Path, title: str) -> str:
    stated = _json(path / "config_sentence_transformers.json")
    prompts = stated.get("prompts") or {}
    chosen = stated.get("default_prompt_name") or "query"
    if prompts.get(chosen):
        return str(prompts[chosen])
    return "query: " if re.search(r"(?<![a-z0-9])e5(?![a-z0-9])", title.lower()) else ""


def _limit(path: Path, config: Mapping[str, Any]) -> int:
    stated = _json(path / "sentence_bert_config.json").get("max_seq_length")
    places = config.get("max_position_embeddings")
    return min([LONGEST, *(value for value in (stated, places) if isinstance(value, int) and value > 0)])


def _warn_of_layers(path: Path, title: str) -> None:
    modules = _json(path / "modules.json")
    kinds = [str(m.get("type", "")).rpartition(".")[2] for m in modules] if isinstance(modules, list) else []
    extra = sorted(set(kinds) - {"Transformer", "Pooling", "Normalize"})
    if extra:
        log.warning("model_layers_ignored", extra={"model": title, "layers": extra})


def _digest(path: Path) -> str:
    total = hashlib.sha256()
    for file in sorted([*path.glob("*.safetensors"), path / "config.json"]):
        with file.open("rb") as stream:
            total.update(hashlib.file_digest(stream, "sha256").digest())
    return total.hexdigest()


def _json(file: Path) -> Any:
    """The file's content; an empty mapping when it is missing or is not JSON."""
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _unusable(title: str, why: str) -> PermanentError:
    return PermanentError(Reason.MODEL_UNAVAILABLE, f"the model {title} cannot be used: {why}.")
