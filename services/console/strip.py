"""Coverage hour by hour as one row of shades. Pure; it knows no page and no colour."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby

from services.analysis.naming import many
from services.console.chart import WIDTH, dated, mean


@dataclass(frozen=True, slots=True)
class Strip:
    """Coverage bucket by bucket, as one row of shades."""

    cells: tuple[tuple[str, str], ...]
    """Class (`heard`, `partly`, `gap`) and path of what was expected."""
    gaps: int
    """Buckets of which nothing was heard."""
    mean: float | None
    summary: str
    since: datetime
    rows: tuple[tuple[datetime, float | None], ...]
    """Day and its mean coverage."""


def strip(starts: Sequence[datetime], heard: Sequence[float | None], *, full: float = 0.995) -> Strip | None:
    """The coverage strip of hours; None where nobody was expected to listen."""
    known = [h for h in heard if h is not None]
    if not known:
        return None
    wide = WIDTH / len(starts)
    shades = ["" if h is None else "gap" if h == 0 else "heard" if h >= full else "partly" for h in heard]
    cells = []
    for shade, run in groupby(enumerate(shades), key=lambda item: item[1]):
        at = [i for i, _ in run]
        if shade:
            cells.append((shade, f"M{at[0] * wide:.1f} 0h{wide * len(at):.1f}v10h-{wide * len(at):.1f}z"))
    days = [
        (day, [h for _, h in run]) for day, run in groupby(zip(starts, heard, strict=True), key=lambda i: i[0].date())
    ]
    gaps = sum(h == 0 for h in known)
    told = f"{sum(known) / len(known):.0%} of what the feeds should say was heard since {dated(starts[0])}"
    told += f"; {many(gaps, 'hour')} not heard at all" if gaps else ""
    rows = tuple(
        (datetime(d.year, d.month, d.day, tzinfo=UTC), mean([h for h in run if h is not None])) for d, run in days
    )
    return Strip(tuple(cells), gaps, mean(known), told + ".", starts[0], rows)
