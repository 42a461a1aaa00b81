"""An encoder that knows nothing: vectors drawn from each text's hash.

For benchmarks and load tests of the pipeline around the model, where the transformer would hide everything else.
Never for real posts: texts that mean the same land far apart.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class NoopEncoder:
    """Deterministic on every machine: the same text always gives the same unit vector."""

    name: str = "noop@1"
    dimensions: int = 384

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors n × dimensions that depend on nothing but each text."""
        vectors = np.empty((len(texts), self.dimensions), np.float32)
        for row, text in enumerate(texts):
            vectors[row] = self._drawn(text)
        return vectors

    def _drawn(self, text: str) -> NDArray[np.float32]:
        seed = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        chance = np.random.Generator(np.random.PCG64(int.from_bytes(seed, "little")))
        vector = chance.standard_normal(self.dimensions, dtype=np.float32)
        return vector / np.linalg.norm(vector)
