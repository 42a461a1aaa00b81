"""Decides what a team is told of an alert: learning, firing, escalated, resolved, as a pure function.

A message is news or it is not sent: the first one, a step up, the end. What is silenced says why.
"""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Literal

from services.analysis.naming import many
from services.analysis.quiet import Quiet

State = Literal["learning", "ok", "firing", "escalated", "resolved"]
ACTIVE = ("firing", "escalated")


@dataclass(frozen=True, slots=True)
class Measure:
    """How far an alert has come."""

    units: int = 0
    """Independent voices since its onset."""
    level: int = 0
    """Voices in its largest bucket."""
    weight: float = 0.0
    """−log10 of its smallest probability: how hard the past finds it to explain."""


@dataclass(frozen=True, slots=True)
class Growth:
    """What counts as news after the first message."""

    factor: float = 2.0
    """The level or the weight of evidence has grown by this factor ..."""
    floor: int = 5
    """... and at least so many voices came to it;"""
    more_voices: int = 25
    """or so many independent voices came to it."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an alert stands."""

    state: State = "learning"
    escalations: int = 0
    told: Measure | None = None
    """As it was when the team was last told; None while it was kept from them."""
    considered: Measure = Measure()
    """As it was at the last message, even if that was silenced."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What an evaluation found."""

    measure: Measure
    known: bool = True
    """False while the frame is still learning."""
    supported: bool = True
    """Whether a burst with enough behind it is there."""
    over: bool = False
    """Whether it has been calm for long enough, or was ended by hand."""


@dataclass(frozen=True, slots=True)
class Move:
    """What follows: the state from now on, and the message to send, if any."""

    state: State
    message: Literal["firing", "escalated", "resolved"] | None = None
    number: int = 0
    why: str = ""

    def message_id(self, alert_id: str) -> str:
        """Stable for ever: `alert:firing`, `alert:escalated:N`, `alert:resolved`."""
        return f"{alert_id}:{self.message}" + (f":{self.number}" if self.message == "escalated" else "")


def advance(standing: Standing, seen: Seen, growth: Growth, *, silent: bool = False) -> Move:
    """The next move. While `silent`, news is measured against what was last silenced, so that it is noted once."""
    if standing.state in ACTIVE:
        if seen.over:
            return Move("resolved", "resolved")
        base = standing.considered if silent else standing.told
        why = news(base, seen.measure, growth)
        number = standing.escalations + 1
        return Move("escalated", "escalated", number, why) if why else Move(standing.state)
    if standing.state == "resolved":
        return Move("resolved")
    if not seen.known:
        return Move("learning")
    return Move("firing", "firing") if seen.supported else Move("ok")


def news(base: Measure | None, now: Measure, growth: Growth) -> str:
    """What is new since `base`, in words; empty when nothing is."""
    if base is None:
        return f"it still goes on, with {many(now.units, 'voice')}, and nobody was told yet"
    more = now.units - base.units
    if more >= growth.more_voices:
        return f"{many(more, 'more independent voice')} since the last message"
    if more >= growth.floor and now.level >= growth.factor * max(base.level, 1):
        return f"its largest hour has grown from {base.level:,} to {many(now.level, 'voice')}"
    if more >= growth.floor and now.weight >= growth.factor * max(base.weight, 1.0):
        return f"the past explains it far less: from 1 in 10^{base.weight:.0f} to 1 in 10^{now.weight:.0f}"
    return ""


def after(standing: Standing, move: Move, measure: Measure, *, told: bool) -> Standing:
    """The standing once the messages of a move are made; `told` says whether any of them is to be sent."""
    if move.message is None:
        return replace(standing, state=move.state)
    return Standing(
        state=move.state,
        escalations=move.number if move.message == "escalated" else standing.escalations,
        told=measure if told else standing.told,
        considered=measure,
    )


def measure(run: Sequence[Mapping[str, Any]], units: int) -> Measure:
    """The measure of a run of verdicts with so many voices behind it."""
    smallest = min((v["probability"] for v in run if v["probability"] is not None), default=1.0)
    return Measure(units, max((v["units"] for v in run), default=0), -math.log10(max(smallest, 1e-300)))


def to_row(standing: Standing) -> dict[str, Any]:
    """What of a standing is kept beside the state, as JSON."""
    told = asdict(standing)
    told.pop("state")
    return told


def from_row(state: State, kept: Mapping[str, Any]) -> Standing:
    """A standing as it was kept."""
    told = kept.get("told")
    considered = Measure(**kept.get("considered", {}))
    return Standing(state, int(kept.get("escalations", 0)), Measure(**told) if told else None, considered)


@dataclass(frozen=True, slots=True)
class Target:
    """A channel that is switched on."""

    channel_id: int
    name: str
    quiet: Quiet | None = None


@dataclass(frozen=True, slots=True)
class Addressed:
    """One message to one channel, or to nobody (`channel_id` None)."""

    channel_id: int | None
    name: str
    state: Literal["pending", "silenced"]
    reason: str | None
    due: datetime


@dataclass(frozen=True, slots=True)
class Hush:
    """What speaks against telling."""

    muted: bool = False
    snoozed_until: datetime | None = None
    acknowledged: bool = False

    def reason(self, message: str | None, now: datetime) -> str | None:
        """Why a message is silenced; None when it is not. The end of what was acknowledged is told all the same."""
        if self.muted:
            return "muted"
        if self.snoozed_until is not None and self.snoozed_until > now:
            return f"snoozed until {self.snoozed_until:%d %b %Y %H:%M} UTC"
        return "acknowledged" if self.acknowledged and message != "resolved" else None


def is_told(addressed: Iterable[Addressed]) -> bool:
    """Whether the team counts as told: somebody will be, or nobody is there to be told."""
    return any(a.state == "pending" or a.reason == "no channel" for a in addressed)


def address(
    targets: Iterable[Target], *, now: datetime, silence: str | None, quiet: Quiet | None, waiting: Collection[int] = ()
) -> list[Addressed]:
    """One row a channel. In quiet hours a message waits for their end; where one waits already, a newer one is spared.

    With no channel there is one silenced row, so that no alert is without one.
    """
    found = []
    for target in targets:
        ends = [end for q in (quiet, target.quiet) if q is not None and (end := q.until(now))]
        due = max(ends, default=now)
        state: Literal["pending", "silenced"] = "pending"
        reason = f"quiet hours until {due:%d %b %Y %H:%M} UTC" if ends else None
        if ends and target.channel_id in waiting:
            state, reason, due = "silenced", "an earlier message waits for the end of quiet hours", now
        if silence is not None:
            state, reason, due = "silenced", silence, now
        found.append(Addressed(target.channel_id, target.name, state, reason, due))
    return found or [Addressed(None, "none", "silenced", silence or "no channel", now)]
