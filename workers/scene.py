"""What judging frames and telling of them share: a codebook version, the buckets looked at, how well each was heard."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from services.analysis.budget import Schedule
from services.store.pool import Row


@dataclass(frozen=True, slots=True)
class Scene:
    """What judging the frames of one codebook version needs besides their counts."""

    version: Row
    titles: dict[str, Row]
    since: datetime
    start: datetime
    """The first bucket not yet judged of the frame that is furthest behind."""
    until: datetime
    starts: NDArray[np.float64]
    coverage: NDArray[np.float64]
    sources_heard: int
    held: Schedule
    """What replays over all frames asked for, and from when on."""
