"""How strongly a frame moves, from its judged hours: what was heard against what the past explains. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from services.analysis.evidence import MUCH, ratio_interval
from services.analysis.naming import many


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
    """Hours in a burst among them."""
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


def against(moved: Movement | None) -> str:
    """What was heard against what was expected, and in which hours, in one line."""
    if moved is None:
        return "no hour could be judged"
    told = f"{many(moved.units, 'voice')} hour by hour, {measure(moved.expected)} expected"
    return f"{told}, in {many(moved.hours, 'judged hour')}"


def times(moved: Movement | None) -> str:
    """How many times the usual, with its interval; nothing of nothing or nearly nothing."""
    if moved is None or not moved.units or (moved.units < 2 and moved.expected < 1):
        return ""
    much = f"{measure(moved.ratio)}×" if moved.ratio < MUCH else f"over {MUCH}×"
    return f"{much} the usual ({measure(moved.low)} to {measure(moved.high)})"


def measure(value: float | None) -> str:
    """A measure with two digits that mean something: 0.026, 3.4, 190."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 10 else f"{value:.2g}"
