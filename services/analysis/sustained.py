"""An e-detector for rises that last: Shiryaev-Roberts on a mixture.

After Shin, Ramdas & Rinaldo 2024, doi:10.51387/23-NEJSDS51. Were the baseline true, the first alarm at A would come
after A buckets or more on average, whatever the dependence. Old starts are forgotten, which only lowers the evidence.
Once it has passed its threshold most of it is spent, so that a rise that is over does not go on being told.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FORGET_S = 3 * 86_400.0
FORGET_BUCKETS = 14.0
"""Half of a start's weight is gone after so long, or so many buckets where those take longer."""
KEPT = 0.1
"""Share of the threshold that is left after it was passed: a rise that goes on is told again, soon."""


@dataclass(slots=True)
class Sustained:
    """The running evidence of one series."""

    sums: list[float] = field(default_factory=lambda: [0.0] * 4)

    def follow(self, ratios: Floats, *, step_s: float, limit: float) -> Floats:
        """The evidence after each bucket. `ratios`: one row of four a bucket; `limit`: its threshold."""
        keep = 0.5 ** (1.0 / max(FORGET_S / step_s, FORGET_BUCKETS))
        a, b, c, d = self.sums
        found, most = [], 4.0 * limit
        # Each bucket builds on the one before: a plain loop over plain numbers.
        rows: Sequence[Sequence[float]] = ratios.tolist()
        for p, q, r, s in rows:
            a, b, c, d = (keep * a + 1) * p, (keep * b + 1) * q, (keep * c + 1) * r, (keep * d + 1) * s
            total = a + b + c + d
            found.append(total)
            if total >= most:
                spent = KEPT * most / total
                a, b, c, d = a * spent, b * spent, c * spent, d * spent
        self.sums = [a, b, c, d]
        return np.array(found) / 4.0
