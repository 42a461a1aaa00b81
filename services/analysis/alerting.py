"""Decides which runs of verdicts a team is told about, under which id, and when they are over."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from schemas.rule import RuleTerms
from services.analysis import quiet as hours
from services.analysis.budget import Schedule, in_force
from services.analysis.quiet import Quiet
from services.analysis.stance import promoting
from services.analysis.telling import Growth

CALM = timedelta(days=1)
"""How long a frame must stay calm for its episode to be over: a story that sleeps at night is one story."""


DAY_S = 86_400.0
"""A threshold holds for whole days."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What a burst must have behind it before anybody is told, and who is."""

    name: str = "burst"
    min_posts: int = 5
    min_authors: int = 3
    budget: float = 1.0
    """False alarms a week accepted over all frames."""
    learning: timedelta = timedelta(days=7)
    step: timedelta = timedelta(hours=1)
    frame: str | None = None
    """The one frame it is for; None: every frame that no rule names."""
    min_units: int = 0
    min_share: float = 0.0
    min_promotes: float = 0.0
    """Part that promotes, of the posts whose stance is known; asks nothing where none is."""
    one_source: bool = False
    """Whether one source alone is enough."""
    growth: Growth = field(default_factory=Growth)
    channels: tuple[str, ...] | None = None
    """Names of the channels it tells; None: every one."""
    quiet: Quiet | None = None
    enabled: bool = True

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


def supported(rule: Rule, counts: Mapping[str, Any], *, sources: int, sources_heard: int) -> bool:
    """Whether enough independent posts stand behind a burst: posts, authors, and not one source alone."""
    enough = counts["posts"] >= rule.min_posts and counts["authors"] >= rule.min_authors
    enough = enough and counts.get("units", rule.min_units) >= rule.min_units
    enough = enough and counts["posts"] >= rule.min_share * counts.get("scored", 0)
    enough = enough and promoting(counts.get("stances", {})) >= rule.min_promotes
    return enough and (rule.one_source or sources > 1 or sources_heard <= 1)


def with_terms(name: str, terms: RuleTerms, default: Rule) -> Rule:
    """The rule a saved one stands for; what it leaves out is as in `default`."""
    plain = ("budget", "min_posts", "min_authors", "min_units", "min_share", "min_promotes", "one_source")
    given = {k: value for k in plain if (value := getattr(terms, k)) is not None}
    growth = {k: value for k in ("factor", "more_voices") if (value := getattr(terms, k)) is not None}
    return replace(
        default, name=name, frame=terms.frame, channels=terms.channels, enabled=terms.enabled,
        quiet=hours.parse(terms.quiet) if terms.quiet else None, growth=replace(default.growth, **growth), **given,
    )  # fmt: skip


def rules_for(frame: str, rules: Sequence[Rule]) -> list[Rule]:
    """The rules that decide for a frame: those that name it; where none does, those for every frame."""
    named = [r for r in rules if r.frame == frame]
    return [r for r in (named or [r for r in rules if r.frame is None]) if r.enabled]


def judged_by(verdicts: Sequence[Mapping[str, Any]], alpha: float, held: Schedule = ()) -> list[Mapping[str, Any]]:
    """The verdicts at a threshold that is `alpha` in theory, and what replays asked for in practice.

    The state of what was not judged stays.
    """
    limits: dict[float, float] = {}
    told: list[Mapping[str, Any]] = []
    for verdict in verdicts:
        day, p = verdict["bucket"].timestamp() // DAY_S, verdict["probability"]
        limit = limits.get(day) or limits.setdefault(day, in_force(held, day * DAY_S).accept(alpha))
        if p is not None and verdict["state"] in ("ok", "burst"):
            verdict = {**verdict, "state": "burst" if p < limit else "ok", "alpha": limit}
        told.append(verdict)
    return told
