"""A frame's trend as it is and as it would be: the geometry of the small chart of a preview. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from schemas.wire_codebooks import RedrawnPoint

WIDTH, HEIGHT = 1000, 100
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Redrawn:
    """All that a template needs to draw one."""

    before: str
    after: str
    top: int
    since: datetime
    last: datetime
    summary: str
    rows: tuple[RedrawnPoint, ...]
    width: int = WIDTH
    height: int = HEIGHT


def draw(points: Sequence[RedrawnPoint]) -> Redrawn | None:
    """Voices a day: bars as they would be, a line as they are; None of nothing."""
    if not points:
        return None
    first, last = points[0].at, points[-1].at
    days = int((last - first) / DAY) + 1
    wide = WIDTH / days
    top = max(1, *(max(p.units_before, p.units_after) for p in points))
    at = {int((p.at - first) / DAY): p for p in points}
    was = [at[i].units_before if i in at else 0 for i in range(days)]
    bars = [(i, p.units_after) for i, p in at.items() if p.units_after]
    told = (
        f"Voices a day from {first:%d %b %Y} to {last:%d %b %Y}, as it is and as it would be;"
        f" {sum(p.units_before for p in points):,} in all now, {sum(p.units_after for p in points):,} then."
    )
    steps = "".join(f"V{_y(v, top):.1f}h{wide:.2f}" for v in was)
    inset, width = wide * 0.1, wide * 0.8
    drawn = (f"M{i * wide + inset:.2f} {HEIGHT}V{_y(v, top):.1f}h{width:.2f}V{HEIGHT}z" for i, v in bars)
    return Redrawn(
        before=f"M0 {_y(was[0], top):.1f}{steps}", after="".join(drawn),
        top=top, since=first, last=last, summary=told, rows=tuple(points),
    )  # fmt: skip


def _y(value: int, top: int) -> float:
    return HEIGHT - HEIGHT * value / top
