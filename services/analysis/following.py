"""What happened to an alert, told as one story of steps by the clock. Pure; how a step is worded is the reader's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

What = Literal[
    "raised", "delivered", "waiting", "parked", "silenced", "escalated", "acknowledged", "snoozed", "muted", "unmuted",
    "resolved",
]  # fmt: skip
_FATES: dict[str, What] = {"sent": "delivered", "pending": "waiting", "parked": "parked", "silenced": "silenced"}
_BEFORE_ALL = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened; what is not known or does not belong to it is None."""

    what: What
    at: datetime | None
    """By the clock; None where it was not kept."""
    by: str | None = None
    """Who did it; None: framewatch itself."""
    message: str | None = None
    """Which message: firing, escalated or resolved."""
    channel: str | None = None
    """Where it went."""
    why: str | None = None
    until: datetime | None = None
    """Of a snooze or a mute: when it ends; of a message that waits: when it is tried next."""
    attempts: int | None = None


def follow(
    moves: Sequence[Mapping[str, Any]], messages: Sequence[Mapping[str, Any]], mutes: Sequence[Mapping[str, Any]]
) -> tuple[Step, ...]:
    """All steps, oldest first; of one moment the move before its messages. A step of unknown time keeps its place."""
    told = _placed(moves) + [(_at(m), 1, _message(m)) for m in messages]
    made = {mute["made_at"] for mute in mutes}
    for mute in mutes:
        told.append((mute["made_at"], 2, Step("muted", mute["made_at"], by=mute["made_by"], until=mute["until"])))
        # A mute that another took the place of did not end.
        if mute["ended_at"] is not None and mute["ended_at"] not in made:
            told.append((mute["ended_at"], 2, Step("unmuted", mute["ended_at"], by=mute["ended_by"])))
    return tuple(step for *_, step in sorted(told, key=lambda t: t[:2]))


def _placed(moves: Sequence[Mapping[str, Any]]) -> list[tuple[datetime, int, Step]]:
    """Moves in their order, those without a time at that of the one before."""
    told, last = [], _BEFORE_ALL
    for move in moves:
        last = max(last, move["at"] or last)
        step = Step(move["move"], move["at"], by=move["moved_by"], why=move["why"], until=move["until"])
        told.append((last, 0, step))
    return told


def _at(message: Mapping[str, Any]) -> datetime:
    at: datetime = message["sent_at"] or message["created_at"]
    return at


def _message(m: Mapping[str, Any]) -> Step:
    state: str = m["state"]
    why = m["reason"] if state == "silenced" else (m["last_error"] or m["reason"]) if state != "sent" else None
    return Step(
        _FATES[state], _at(m), message=m["step"], channel=m["channel"],
        why="together with another message" if m["carried"] and state == "sent" else why,
        until=m["next_attempt_at"] if state == "pending" else None, attempts=m["attempts"],
    )  # fmt: skip
