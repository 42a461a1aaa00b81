"""Turns trend points into the geometry of a chart: paths, gaps and words for it. Pure; it knows no page and no colour.

Gaps are drawn as gaps: a bucket that was not heard has no bar, not a bar of nought.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from schemas.wire import TrendPoint

Place = tuple[float, TrendPoint]
"""Where a bucket starts on the chart, and the bucket."""
WIDTH = 1000
HEIGHT = 100
LEAST = 72
STRIP = 4
"""Height of the strip below the bars that marks bursts without colour."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the chart, in its own units."""

    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Day:
    """One day of a chart as a row of its table."""

    day: datetime
    posts: int | None
    most: int | None
    coverage: float | None
    bursts: int


@dataclass(frozen=True, slots=True)
class Chart:
    """All that a template needs to draw one trend."""

    bars: str
    bursts: str
    strip: str
    band: str
    expected: str
    gaps: tuple[Span, ...]
    unheeded: tuple[Span, ...]
    """Where nobody listened."""
    days: tuple[float, ...]
    """Where days begin."""
    top: float
    since: datetime
    last: datetime
    summary: str
    rows: tuple[Day, ...]
    width: int = WIDTH
    height: int = HEIGHT
    strip_height: int = STRIP


def draw(points: Sequence[TrendPoint]) -> Chart | None:
    """The chart of a trend of hours; None of nothing."""
    points = _heeded(points)
    if not points:
        return None
    top = float(max([1.0, *(p.units or 0 for p in points), *(p.upper or 0.0 for p in points)]))
    wide = WIDTH / len(points)
    at = [(i * wide, p) for i, p in enumerate(points)]
    burst = [(x, p) for x, p in at if p.state == "burst"]
    calm = [(x, p) for x, p in at if p.state != "burst"]
    return Chart(
        bars="".join(_bar(x, p.units, wide, top) for x, p in calm),
        bursts="".join(_bar(x, p.units, wide, top) for x, p in burst),
        strip="".join(f"M{x:.1f} {HEIGHT}h{wide:.2f}v{STRIP}h-{wide:.2f}z" for x, _ in burst),
        band="".join(_area(run, wide, top) for run in _runs(at)),
        expected="".join(_line(run, wide, top) for run in _runs(at)),
        gaps=_spans(at, wide, lambda p: p.coverage == 0),
        unheeded=_spans(at, wide, _nobody_listened),
        days=tuple(round(x, 1) for x, p in at if x and p.at.hour == 0 and p.at.minute == 0),
        top=top,
        since=points[0].at,
        last=points[-1].at,
        summary=_summary(points),
        rows=tuple(_day(list(group)) for _, group in groupby(points, key=lambda p: p.at.date())),
    )


def _heeded(points: Sequence[TrendPoint]) -> Sequence[TrendPoint]:
    """From when somebody listened, but at least the last LEAST buckets."""
    first = next((i for i, p in enumerate(points) if not _nobody_listened(p)), len(points))
    return points[max(min(first, len(points) - LEAST), 0) :]


def _nobody_listened(point: TrendPoint) -> bool:
    return point.coverage is None and not point.posts


def _y(value: float, top: float) -> float:
    return HEIGHT - HEIGHT * value / top


def _bar(x: float, units: int | None, wide: float, top: float) -> str:
    if not units:
        return ""
    return f"M{x + wide * 0.08:.2f} {HEIGHT}V{_y(units, top):.1f}h{wide * 0.84:.2f}V{HEIGHT}z"


def _runs(at: Sequence[Place]) -> list[list[Place]]:
    """Stretches of neighbouring buckets of which the expected is known."""
    grouped = groupby(at, key=lambda item: item[1].expected is not None and item[1].coverage != 0)
    return [list(group) for there, group in grouped if there]


def _line(run: Sequence[Place], wide: float, top: float) -> str:
    steps = "".join(f"V{_y(p.expected or 0.0, top):.1f}h{wide:.2f}" for _, p in run)
    return f"M{run[0][0]:.2f} {_y(run[0][1].expected or 0.0, top):.1f}{steps}"


def _area(run: Sequence[Place], wide: float, top: float) -> str:
    steps = "".join(f"V{_y(p.upper or 0.0, top):.1f}h{wide:.2f}" for _, p in run)
    return f"M{run[0][0]:.2f} {HEIGHT}{steps}V{HEIGHT}z"


def _spans(at: Sequence[Place], wide: float, wanted: Callable[[TrendPoint], bool]) -> tuple[Span, ...]:
    runs = (list(group) for there, group in groupby(at, key=lambda item: wanted(item[1])) if there)
    return tuple(Span(round(run[0][0], 1), round(wide * len(run), 1)) for run in runs)


def _day(points: Sequence[TrendPoint]) -> Day:
    return Day(
        day=points[0].at,
        posts=None if all(p.posts is None for p in points) else sum(p.posts or 0 for p in points),
        most=max((p.units for p in points if p.units is not None), default=None),
        coverage=_mean([p.coverage for p in points if p.coverage is not None]),
        bursts=sum(p.state == "burst" for p in points),
    )


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _summary(points: Sequence[TrendPoint]) -> str:
    bursts, gaps = sum(p.state == "burst" for p in points), sum(p.coverage == 0 for p in points)
    most = max((p.units for p in points if p.units is not None), default=None)
    step = points[1].at - points[0].at if len(points) > 1 else timedelta(hours=1)
    until = points[-1].at + step
    told = [f"Independent voices an hour from {points[0].at:%d %b %Y} to {until:%d %b %Y}"]
    told.append("nothing was heard" if most is None else f"at most {most}")
    told += [f"{bursts} hours of burst"] if bursts else []
    told += [f"{gaps} hours not heard"] if gaps else []
    return "; ".join(told) + "."
