"""Leaves out the inner neurons of the bundled model that its int8 graph can do without, as a list made beforehand says.

A neuron of a feed-forward layer that hardly moves is a constant: it is dropped, and its mean goes into the bias of the
layer. Which those are was found by `bench/thin.py` and ships as a file. Measures nothing, touches no other model.
"""

import re
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas.errors import PermanentError, Reason

FILE = Path(__file__).with_name("data") / "multilingual-e5-small-thin.npz"
STEP = 16
"""Kept neurons a layer are a multiple of this: products come in blocks of 16 columns."""

_INNER = re.compile(r"encoder\.layer\.(\d+)\.(intermediate|output)\.dense\.(weight|bias)")

Tensor = Callable[[str], NDArray[Any]]
"""A weight by its name in BertModel."""


@dataclass(frozen=True, slots=True)
class Thinning:
    """What is left of each feed-forward layer."""

    kept: NDArray[np.bool_]
    """Layers × inner neurons."""
    offsets: NDArray[np.float32]
    """Layers × width: what the dropped neurons add on average."""

    def applied(self, tensor: Tensor) -> Tensor:
        """The weights that `tensor` gives, without the dropped neurons."""

        def thinned(name: str) -> NDArray[Any]:
            weights, found = tensor(name), _INNER.fullmatch(name)
            if not found:
                return weights
            layer, side, part = int(found[1]), found[2], found[3]
            if side == "intermediate":
                return np.compress(self.kept[layer], weights, axis=0)
            if part == "weight":
                return np.compress(self.kept[layer], weights, axis=1)
            return np.asarray(weights + self.offsets[layer], np.float32)

        return thinned


def read_thinning(config: Mapping[str, Any], weights: str, file: Path | None = None) -> Thinning:
    """The shipped list for the weights whose sha256 is `weights`, of a network with that `config`.

    Raises PermanentError(MODEL_UNAVAILABLE) when the file is missing, damaged or made for other weights: a graph
    without it would give other vectors under the same name.
    """
    file = file or FILE
    layers, inner, width = (config[key] for key in ("num_hidden_layers", "intermediate_size", "hidden_size"))
    try:
        with file.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
            made_for = str(stored["weights"])
            packed, offsets = stored["kept"], stored["offsets"].astype(np.float32)
    except (OSError, ValueError, KeyError, EOFError, SyntaxError, zipfile.BadZipFile) as error:
        raise _unusable(file, f"is missing or damaged ({type(error).__name__})") from error
    if made_for != weights:
        raise _unusable(file, f"was made for the weights {made_for[:16]}…, not for {weights[:16]}…")
    whole = packed.shape == (layers, (inner + 7) // 8) and offsets.shape == (layers, width)
    if not whole or not packed.any(axis=1).all() or not np.isfinite(offsets).all():
        raise _unusable(file, "does not fit the model's layers")
    return Thinning(np.unpackbits(packed, axis=1, count=inner).astype(bool), offsets)


def write_thinning(thinning: Thinning, weights: str, file: Path = FILE) -> None:
    """Write `file` for the weights whose sha256 is `weights`; the same bytes for the same thinning."""
    packed, offsets = np.packbits(thinning.kept, axis=1), thinning.offsets.astype(np.float16)
    np.savez(file, weights=np.array(weights), kept=packed, offsets=offsets)


def _unusable(file: Path, why: str) -> PermanentError:
    return PermanentError(
        Reason.MODEL_UNAVAILABLE,
        f"{file.name}, which belongs to framewatch and its bundled model, {why}. Install framewatch again.",
    )
