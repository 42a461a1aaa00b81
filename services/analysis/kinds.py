"""Finds out whether a series counts something or measures something. Knows nothing of time.

Counts are whole, not negative, and no steadier than chance allows: of Poisson counts, the squared steps from one to the
next are twice the mean. A speed or a load in whole numbers is steadier.
"""

import numpy as np
from numpy.typing import NDArray

from services.analysis.windows import Windows

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

FOUND_OUT = 100
"""Rows after which a series steadier than chance is no series of counts."""


def counted(seen: Floats, windows: Windows) -> Flags:
    """Whether the rows of each window, of which none is empty, look like counts."""
    whole = windows.sums(((seen >= 0) & (seen == np.floor(seen))).astype(float)) == windows.sizes
    steps = Windows(windows.begin, windows.end - 1).sums(np.diff(seen) ** 2)
    return np.asarray(whole & ((windows.sizes < FOUND_OUT) | (steps >= windows.sums(seen))))


class Kind:
    """The same as a series comes, one by one; what is once found to be no count stays so."""

    def __init__(self, *, counts: bool | None) -> None:
        """`counts`: what is known of it; None when that is to be found out."""
        self.known, self._counts = counts is not None, counts is not False
        self._rows, self._before, self._sum, self._steps = 0, 0.0, 0.0, 0.0

    def counts(self, seen: Floats) -> int:
        """How many of the next rows are taken for counts, each seen too: those after them no longer are."""
        if self.known or not len(seen):
            return len(seen) if self._counts else 0
        steps = np.diff(seen, prepend=self._before if self._rows else seen[0])
        sums = np.cumsum(np.append(self._sum, seen))[1:]
        squares = np.cumsum(np.append(self._steps, steps**2))[1:]
        whole, few = (seen >= 0) & (seen == np.floor(seen)), self._rows + 1 + np.arange(len(seen)) < FOUND_OUT
        fails = np.flatnonzero(~(whole & (few | (squares >= sums))))
        if len(fails):
            self.known, self._counts = True, False
            return int(fails[0])
        self._rows, self._before = self._rows + len(seen), float(seen[-1])
        self._sum, self._steps = float(sums[-1]), float(squares[-1])
        return len(seen)
