"""Decides what becomes of a suggestion that is seen again: what the team said of it holds. Pure."""

from collections.abc import Mapping
from typing import Any

AGAIN = 3
"""A dismissed suggestion comes back when it has this many times the units it had when it was dismissed."""


def next_state(before: Mapping[str, Any] | None, units: int) -> str:
    """The state of a group today, given what it was or was split from: state, decided_units; None when it is new.

    Adopted stays adopted, dismissed stays dismissed unless it has grown, and what is split off from either is it too.
    """
    if before is None:
        return "open"
    if before["state"] == "dismissed":
        return "open" if units >= AGAIN * max(before["decided_units"] or 0, 1) else "dismissed"
    return "adopted" if before["state"] == "adopted" else "open"
