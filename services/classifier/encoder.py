"""Texts to vectors: what an encoder is, and how one is loaded by name.

Loading is the slow part (seconds, hundreds of MB) and belongs after a fork, in the process that will encode;
importing this module loads nothing.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from schemas.errors import FramewatchError, PermanentError, Reason
from services.classifier import bundled
from services.classifier.card_encoder import load_card
from services.classifier.cores import usable_cores
from services.classifier.device import checked
from services.classifier.drift import chosen_graph, prepare_graphs
from services.classifier.folder import ModelFolder, read_folder
from services.classifier.graph import BUILDER, fits
from services.classifier.hub import found_folder
from services.classifier.noop import NoopEncoder
from services.classifier.once import built_once
from services.classifier.onnx_encoder import OnnxEncoder, open_session
from services.classifier.thinning import read_thinning
from services.classifier.tokens import Tokens
from services.classifier.torch_encoder import load_torch

NOOP = "noop"
"""The model name for load tests of everything around the model."""


class Encoder(Protocol):
    """Turns texts into vectors whose cosine says how close their meanings are."""

    @property
    def name(self) -> str:
        """Model, revision and runtime; vectors of different names must never be compared."""

    @property
    def dimensions(self) -> int:
        """Length d of a vector."""

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors n × d in the order of `texts`; any string is fine, and so is n = 0."""


def load_encoder(model: str, cache: Path, threads: int, device: str = "") -> Encoder:
    """The encoder called `model`, ready to use.

    `model` is "" for the bundled one, "noop" for a meaningless fast one, a folder, or a hub id (`id@revision` pins
    it). What has to be built (once, about ten seconds) goes into the folder `cache`. `threads` is the number of
    cores to use, 0 for all that this process may have. `device` is "cpu", "cuda", or "" for the CPU where the model
    runs well on it. Raises PermanentError(MODEL_UNAVAILABLE) with the way out.
    """
    checked(device)
    if model == NOOP:
        return NoopEncoder()
    with _explained(model or bundled.TITLE, cache):
        if not model:
            folder = _bundled(cache)
            return _on_card(folder, threads) if device == "cuda" else _load_onnx(folder, folder.path, threads)
        folder = found_folder(model)
        if not fits(folder):
            return load_torch(folder, threads or usable_cores(), device)
        if device == "cuda":
            return _on_card(folder, threads)
        graphs = cache / f"{re.sub(r'[^A-Za-z0-9.]+', '-', folder.title)}-{folder.revision}-{BUILDER}"
        return _load_onnx(folder, built_once(graphs, lambda work: prepare_graphs(folder, work)), threads)


def _on_card(folder: ModelFolder, threads: int) -> Encoder:
    return load_card(folder, "cuda", threads or usable_cores())


def _bundled(cache: Path) -> ModelFolder:
    def build(work: Path) -> None:
        bundled.convert(bundled.weight_file(), work)
        folder = read_folder(work, bundled.TITLE, bundled.SHA256)
        prepare_graphs(folder, work, read_thinning(folder.config, bundled.SHA256))

    target = cache / f"{bundled.TITLE}-{bundled.SHA256[:8]}-{BUILDER}"
    return read_folder(built_once(target, build), bundled.TITLE, bundled.SHA256)


def _load_onnx(folder: ModelFolder, graphs: Path, threads: int) -> Encoder:
    precision = chosen_graph(graphs, folder.title)
    return OnnxEncoder(
        name=f"{folder.title}@{folder.revision}/{precision}-{BUILDER}",
        dimensions=folder.config["hidden_size"],
        tokens=Tokens(folder),
        session=open_session(graphs / f"{precision}.onnx"),
        threads=threads or usable_cores(),
    )


@contextmanager
def _explained(title: str, cache: Path) -> Iterator[None]:
    """Whatever a damaged model makes its libraries raise becomes one error that says what to do."""
    try:
        yield
    except FramewatchError:
        raise
    except Exception as error:  # tokenizers and onnxruntime raise bare ones
        raise PermanentError(
            Reason.MODEL_UNAVAILABLE,
            f"the model {title} cannot be loaded ({type(error).__name__}: {error}). If its files are damaged, "
            f"remove what belongs to it in {cache} so that it is built again, or choose another model.",
        ) from error
