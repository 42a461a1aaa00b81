"""Decides what people are told of a frame: one closed vocabulary, from its last verdict and the alert that goes on.

Every face reads this; none has words of its own. Pure.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import get_args

from schemas.wire_detection import Condition, State
from services.analysis.courses import marks
from services.analysis.times import clock

CONDITIONS: tuple[Condition, ...] = get_args(Condition)

_OF_STATE: dict[State, tuple[Condition, str]] = {
    "burst": ("burst", "its last judged hour has more voices than the past explains, and no alert goes on"),
    "ok": ("calm", "within what the past explains"),
    "learning": ("learning", "too little history to judge"),
    "insufficient coverage": ("too little heard", "too little was heard to judge"),
}
"""Of a frame without an alert."""


@dataclass(frozen=True, slots=True)
class Open:
    """An alert of a frame that goes on."""

    kind: str
    """burst, or coordinated: one text by many authors."""
    onset: datetime
    last: datetime
    """Start of its newest hour of burst, or when the wave was seen last."""
    acked: bool = False
    snoozed_until: datetime | None = None
    """None also where that time has passed."""


@dataclass(frozen=True, slots=True)
class Told:
    """What people are told of a frame."""

    condition: Condition
    """One word of CONDITIONS."""
    detail: str
    """What stands behind it, as a clause; times in the zone asked for."""


def condition(state: State, judged: datetime | None, alert: Open | None, zone: str = "UTC") -> Told:
    """What a frame's verdict (`state` of the hour that began at `judged`) and its alert mean, together.

    An alert outranks the verdict: the frame is `on alert` until the alert is over, whatever one hour says.
    """
    word, clause = _OF_STATE[state]
    if alert is None:
        return Told(word, clause)
    since = f"since {clock(alert.onset, zone)}"
    if alert.kind == "coordinated":
        told = f"{since}: one text by many authors"
    elif state == "burst" or (judged is not None and alert.last >= judged):
        told = f"{since}, and in a burst in its last judged hour"
    else:
        told = f"{since}; last burst {clock(alert.last, zone)}, since then {clause}"
    beside = marks("firing", acked=alert.acked, snoozed_until=alert.snoozed_until, zone=zone)
    return Told("on alert", "; ".join((told, *beside)))


def place(told: Condition, state: State) -> int:
    """Where a frame stands in a list, the foremost first: alerts that are in a burst, alerts, bursts, the rest."""
    if told == "on alert":
        return 0 if state == "burst" else 1
    return 2 if told == "burst" else 3
