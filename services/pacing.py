"""How often each of many may ask, kept in this process alone. It decides nothing: services.analysis.limiting does."""

import math
from collections import OrderedDict
from datetime import datetime

from services.analysis.limiting import Bucket, Pace, take

GUESSES = Pace(per_second=0.5, burst=20)
"""Wrong tokens of one address that are looked up."""
REMEMBERED = 10_000
"""Those counted at a time; the one not seen longest is forgotten."""


class Paces:
    """The buckets of those who ask, by name."""

    def __init__(self) -> None:
        self.buckets: OrderedDict[str, Bucket] = OrderedDict()

    def wait(self, key: str, pace: Pace, now: datetime, *, peek: bool = False) -> float:
        """Seconds until `key` may ask again; 0: now. `peek` takes nothing."""
        after, wait = take(self.buckets.get(key), now.timestamp(), pace)
        if not peek:
            self.buckets[key] = after
            self.buckets.move_to_end(key)
            if len(self.buckets) > REMEMBERED:
                self.buckets.popitem(last=False)
        return math.ceil(wait)
