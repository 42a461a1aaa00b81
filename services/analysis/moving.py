"""How strongly a frame moves, from its judged hours: what was heard against what the past explains. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from services.analysis.evidence import ratio_interval


class Judged(Protocol):
    """One judged hour."""

    @property
    def at(self) -> datetime:
        """When it began."""

    @property
    def units(self) -> int | None:
        """Independent voices; None when nothing was heard."""

    @property
    def expected(self) -> float | None:
        """What the past explains; None while nothing is known."""

    @property
    def state(self) -> str | None:
        """What was judged."""


@dataclass(frozen=True, slots=True)
class Movement:
    """Voices of some hours against what the past explains for the same hours."""

    units: int
    """Independent voices, hour by hour: who speaks in two hours counts in both."""
    expected: float
    ratio: float
    low: float
    high: float
    """The 95 % interval of the ratio, for Poisson counts (Garwood 1936)."""
    hours: int
    """Hours that were judged."""
    bursts: int
    """Hours of burst among them."""
    last_burst: datetime | None


def movement(hours: Iterable[Judged]) -> Movement | None:
    """The movement over those of `hours` that were judged; None when none was."""
    judged = [h for h in hours if h.state in ("ok", "burst") and h.units is not None and h.expected is not None]
    if not judged:
        return None
    units, expected = sum(h.units or 0 for h in judged), sum(h.expected or 0.0 for h in judged)
    low, high = ratio_interval(units, expected)
    bursts = [h.at for h in judged if h.state == "burst"]
    ratio = units / max(expected, 1e-9)
    return Movement(units, expected, ratio, low, high, len(judged), len(bursts), max(bursts, default=None))
