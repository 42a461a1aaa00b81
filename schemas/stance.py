"""The four answers to how a post stands to what it tells. A name a thing; nothing is decided here."""

from typing import Final, Literal

Stance = Literal["promotes", "disputes", "reports", "unclear"]

PROMOTES: Final = "promotes"
"""Says it as its own, also by insinuation or sarcasm."""
DISPUTES: Final = "disputes"
"""Denies, debunks or mocks it."""
REPORTS: Final = "reports"
"""Tells that others say it, or asks, without taking a side."""
UNCLEAR: Final = "unclear"
"""Nothing of the three is likely enough."""

STANCES: Final[tuple[Stance, ...]] = (PROMOTES, DISPUTES, REPORTS)
"""Those that are told apart."""
ANSWERS: Final[tuple[Stance, ...]] = (*STANCES, UNCLEAR)
