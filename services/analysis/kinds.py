"""Finds out whether a series counts something or measures something. Knows nothing of time.

Counts are whole, not negative, and no steadier than chance allows: of Poisson counts, the squared steps from one to the
next are twice the mean. A speed or a load in whole numbers is steadier.
"""

import numpy as np
from numpy.typing import NDArray

FOUND_OUT = 100
"""Rows after which a series steadier than chance is no series of counts."""


def counted(seen: NDArray[np.float64]) -> bool:
    """Whether these look like counts."""
    if not (seen.min() >= 0 and np.all(seen == np.floor(seen))):
        return False
    return len(seen) < FOUND_OUT or bool((np.diff(seen) ** 2).sum() >= seen.sum())


class Kind:
    """The same as a series comes, one by one; what is once found to be no count stays so."""

    def __init__(self, *, counts: bool | None) -> None:
        """`counts`: what is known of it; None when that is to be found out."""
        self.known, self._counts = counts is not None, counts is not False
        self._rows, self._before, self._sum, self._steps = 0, 0.0, 0.0, 0.0

    def counts(self, x: float) -> bool:
        """Whether it is taken for counts, this one seen too."""
        if self.known:
            return self._counts
        self._rows += 1
        self._sum += x
        self._steps += (x - self._before) ** 2 if self._rows > 1 else 0.0
        self._before = x
        whole = x >= 0 and x == x // 1
        chancy = self._rows < FOUND_OUT or self._steps >= self._sum
        if not whole or not chancy:
            self.known, self._counts = True, False
        return self._counts
