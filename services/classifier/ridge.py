"""Kernel ridge with answers for every post held out, both in closed form. Pure linear algebra; knows nothing of posts.

One inverse serves all columns; where a column says nothing of some rows, they are taken out of it exactly.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

EVEN = 0.01
"""How much evenness weighs against the last bit of likeness, where some rows tell what all were taught."""


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """n × F each."""

    pulls: NDArray[Any]
    """What each row adds to a column's answer, times its kernel with the row asked for."""
    held_out: NDArray[Any]
    """The answer for each row by a fit that did not see it."""


def fit(kernel: NDArray[Any], targets: NDArray[np.int8], softness: NDArray[Any]) -> Fit:
    """Fit `targets` (n × F of 1, -1, and 0 for unknown) on `kernel` (n × n), row i with softness[i] > 0."""
    from scipy.linalg import inv

    solid = kernel + np.diag(softness).astype(kernel.dtype)
    inverse = inv(solid, overwrite_a=True, check_finite=False)
    columns = [_column(kernel, inverse, column) for column in targets.T]
    pulls, held_out = (np.column_stack(part) for part in zip(*columns, strict=True))
    return Fit(pulls, held_out)


def told_by(kept: NDArray[np.intp], kernel: NDArray[Any], pulls: NDArray[Any]) -> NDArray[Any]:
    """Pulls (len(kept) × F) of some rows alone that say nearly what those of all rows (n × F) say, at every row."""
    from scipy.linalg import solve

    near = kernel[:, kept]
    moment = near.T @ near + EVEN * kernel[np.ix_(kept, kept)]
    # Two equal rows leave a direction that nothing holds.
    moment[np.diag_indices(len(kept))] += 1e-8 * np.trace(moment) / len(kept)
    found: NDArray[Any] = solve(moment, near.T @ (kernel @ pulls), assume_a="pos", check_finite=False)
    return found


def _column(kernel: NDArray[Any], inverse: NDArray[Any], target: NDArray[np.int8]) -> tuple[NDArray[Any], NDArray[Any]]:
    known = target != 0
    wanted = target.astype(kernel.dtype)
    pulls, diagonal = inverse @ wanted, np.diag(inverse).copy()
    if not known.all():
        # The inverse without some rows: subtract what went through them (a Schur complement).
        across = inverse[:, ~known] @ np.linalg.inv(inverse[np.ix_(~known, ~known)])
        pulls = pulls - across @ pulls[~known]
        pulls[~known] = 0
        diagonal -= np.einsum("nk,nk->n", across, inverse[:, ~known])
    held_out = kernel @ pulls
    held_out[known] = wanted[known] - pulls[known] / diagonal[known]
    return pulls, held_out
