"""Decides which runs of verdicts a team is told about, under which id, and when they are over."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

CALM = timedelta(days=1)
"""How long a frame must stay calm for its episode to be over: a story that sleeps at night is one story."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What a burst must have behind it before anybody is told."""

    name: str = "burst"
    min_posts: int = 5
    min_authors: int = 3
    budget: float = 1.0
    """False alarms a week accepted over all frames."""
    learning: timedelta = timedelta(days=7)
    step: timedelta = timedelta(hours=1)

    def alpha(self, frames: int) -> float:
        """Accepted probability of a false alarm for one bucket of one of `frames` frames."""
        return self.budget / (max(frames, 1) * (timedelta(weeks=1) / self.step))


@dataclass(frozen=True, slots=True)
class Episode:
    """A run of verdicts from its first burst until it has been calm, or until the newest verdict."""

    onset: datetime
    last: datetime
    """Start of the newest bucket that was a burst."""
    over: datetime | None
    """End of the bucket in which it was judged over; None while it goes on."""


def alert_id(*parts: str) -> str:
    """The id of an alert for ever: the same rule, frame and onset give the same."""
    return sha256("\0".join(parts).encode()).hexdigest()[:20]


def episodes(verdicts: Sequence[Mapping[str, Any]], step: timedelta) -> list[Episode]:
    """The episodes in verdicts (rows of bucket and state) in order of time. What was not heard ends nothing."""
    found: list[Episode] = []
    run: Episode | None = None
    calm, enough = 0, max(int(CALM / step), 1)
    for verdict in verdicts:
        if verdict["state"] == "burst":
            run, calm = Episode(run.onset if run else verdict["bucket"], verdict["bucket"], None), 0
        elif run is not None and verdict["state"] == "ok":
            calm += 1
            if calm == enough:
                found.append(Episode(run.onset, run.last, verdict["bucket"] + step))
                run, calm = None, 0
    return [*found, run] if run else found


def supported(rule: Rule, counts: Mapping[str, int], *, sources: int, sources_heard: int) -> bool:
    """Whether enough independent posts stand behind a burst: posts, authors, and not one source alone."""
    enough = counts["posts"] >= rule.min_posts and counts["authors"] >= rule.min_authors
    return enough and (sources > 1 or sources_heard <= 1)
