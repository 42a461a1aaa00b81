"""Decides what people are told of an alert: one closed vocabulary, from its state and what a team said of it.

Every face reads this; none has words of its own. Programs are given the state as it is. Pure.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, get_args

from services.analysis.times import clock

Course = Literal["goes on", "over"]
COURSES: tuple[Course, ...] = get_args(Course)
_OF_STATE: dict[str, Course] = {"firing": "goes on", "escalated": "goes on", "resolved": "over"}
KINDS = {"burst": "Burst", "coordinated": "Wave", "gap": "Gap", "outage": "Outage"}
"""What each kind of alert is called at the head of a message."""


def course(state: str) -> Course:
    """Whether an alert of this state goes on or is over; what is no state of an alert is not over."""
    return _OF_STATE.get(state, "goes on")


def marks(
    state: str, *, acked: bool, snoozed_until: datetime | None, now: datetime | None = None, zone: str = "UTC"
) -> tuple[str, ...]:
    """What is told beside the word: that it has grown, who is to be left alone. Nothing once it is over.

    A snooze that is over by `now` is not told; without `now` it is one that still holds.
    """
    if course(state) == "over":
        return ()
    snoozed = snoozed_until is not None and (now is None or snoozed_until > now)
    told = (
        "has grown" if state == "escalated" else "",
        "acknowledged" if acked else "",
        f"snoozed until {clock(snoozed_until, zone)}" if snoozed and snoozed_until else "",
    )
    return tuple(filter(None, told))


def as_told(alert: Mapping[str, Any], now: datetime) -> str:
    """The word of an alert's row with its marks, times in UTC: `goes on, acknowledged`."""
    about = {"acked": alert["acked_at"] is not None, "snoozed_until": alert["snoozed_until"]}
    return ", ".join((course(alert["state"]), *marks(alert["state"], now=now, **about)))


STEPS = {
    "raised": "raised", "escalated": "has grown", "acknowledged": "acknowledged", "snoozed": "snoozed",
    "muted": "frame muted", "unmuted": "frame spoken of again", "resolved": "over", "delivered": "told",
    "waiting": "still to be told", "parked": "set aside", "silenced": "not told",
}  # fmt: skip
"""What happened to an alert, by the step of its history, in a word or two."""
MESSAGES = {"firing": "the alert", "escalated": "that it has grown", "resolved": "that it is over"}
"""What each message of an alert tells, by its step."""
