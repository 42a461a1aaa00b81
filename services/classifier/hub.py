"""Finds the folder of a model that the operator named: a local folder, or an id on the Hugging Face hub."""

from pathlib import Path

from schemas.errors import PermanentError, Reason
from services.classifier.folder import ModelFolder, read_folder

FILES = ["*.json", "*.txt", "*.model", "*.safetensors", "*/config.json"]
"""What is taken from the hub: descriptions, vocabularies, weights. Never code, never pickles."""


def found_folder(model: str) -> ModelFolder:
    """The model's folder, fetched from the hub (or its local cache) when `model` is `id` or `id@revision`.

    Raises PermanentError(MODEL_UNAVAILABLE) when there is no such folder and no such id, or no way to reach it.
    """
    path = Path(model).expanduser()
    if path.is_dir():
        return read_folder(path.absolute(), path.absolute().name)
    if path.is_absolute() or model.startswith((".", "~")):
        raise PermanentError(Reason.MODEL_UNAVAILABLE, f"the model folder {path} does not exist.")
    name, _, revision = model.partition("@")
    fetched = _fetched(name, revision or None)
    return read_folder(fetched, name, fetched.name)


def _fetched(name: str, revision: str | None) -> Path:
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, revision=revision, allow_patterns=FILES))
    except (OSError, ValueError) as error:
        raise PermanentError(
            Reason.MODEL_UNAVAILABLE,
            f"{name} is neither a folder here nor a model that can be fetched from the hub "
            f"({type(error).__name__}). Check the name and the network, or download it to a folder and name that.",
        ) from error
