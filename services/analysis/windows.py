"""Overlapping stretches of one series, worked on together: a loop over days costs more than what is done in it.

Every answer is that of its own stretch, to the last bit, whichever stand beside it. Knows nothing of what the rows are.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Windows:
    """The rows `begin` to before `end` of each stretch."""

    begin: Ints
    end: Ints

    def __len__(self) -> int:
        return len(self.begin)

    @property
    def sizes(self) -> Ints:
        """How many rows each has."""
        return self.end - self.begin

    def part(self, which: slice | Flags) -> "Windows":
        """Some of them."""
        return Windows(self.begin[which], self.end[which])

    def among(self, chosen: Flags) -> "Windows":
        """The same stretches in what is left when only the chosen rows stay."""
        before = np.append(0, np.cumsum(chosen))
        return Windows(before[self.begin], before[self.end])

    def flat(self) -> tuple[Ints, Ints]:
        """Every row of every stretch, one after the other: the number of the stretch, and that of the row."""
        sizes = self.sizes
        which = np.repeat(np.arange(len(self)), sizes)
        return which, np.arange(len(which)) + np.repeat(self.begin - np.cumsum(sizes) + sizes, sizes)

    def sums(self, every: Floats) -> Floats:
        """The sum of each stretch over the first axis; 0 of one without rows."""
        if not len(self):
            return np.zeros((0, *every.shape[1:]))
        padded = np.concatenate((every, np.zeros((1, *every.shape[1:]))))
        found = np.add.reduceat(padded, np.stack((self.begin, self.end), axis=1).ravel(), axis=0)[::2]
        found[self.sizes == 0] = 0.0
        return np.asarray(found)
