"""Turns trend points into the geometry of a chart: paths, gaps and words for it. Pure; it knows no page and no colour.

Gaps are drawn as gaps: a bucket that was not heard has no bar, not a bar of nought. The drawing stands without a
script; where one runs, services/console/plot.py gives it the same points.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from math import ceil
from typing import Literal, Protocol, TypeVar

from services.analysis.naming import many

Measure = Literal["units", "posts", "share"]
NAMES: dict[Measure, str] = {"units": "Voices", "posts": "Posts", "share": "Share of all posts"}


class Point(Protocol):
    """One bucket of a trend, whatever read it."""

    @property
    def at(self) -> datetime:
        """When it began."""

    @property
    def posts(self) -> int | None:
        """Posts; None when nothing was heard."""

    @property
    def units(self) -> int | None:
        """Independent voices."""

    @property
    def share(self) -> float | None:
        """Part of all posts."""

    @property
    def coverage(self) -> float | None:
        """Part of the expected feed time that was heard; None where none was expected."""

    @property
    def expected(self) -> float | None:
        """What the past explains."""

    @property
    def upper(self) -> float | None:
        """The most that it explains."""

    @property
    def state(self) -> str | None:
        """What was judged."""


P = TypeVar("P", bound=Point)
Place = tuple[float, Point]
"""Where a bucket starts on the chart, and the bucket."""
WIDTH = 1000
HEIGHT = 100
LEAST = 72
MANY_DAYS = 45
"""So many lines between days would only be noise."""
WELL = 0.9
"""Coverage below which a bucket is drawn as heard in part only."""
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
    most: float | None
    """The largest value of one of its buckets."""
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
    partly: tuple[Span, ...]
    """Where much was not heard."""
    days: tuple[float, ...]
    """Where days begin."""
    top: float
    since: datetime
    last: datetime
    summary: str
    rows: tuple[Day, ...]
    each: str
    """What a bucket is: `an hour`."""
    measure: Measure
    marks: tuple[float, ...] = ()
    """Where alerts began."""
    width: int = WIDTH
    height: int = HEIGHT
    strip_height: int = STRIP


def draw(
    points: Sequence[Point], *, measure: Measure = "units", step: timedelta = timedelta(hours=1),
    alerts: Sequence[datetime] = (),
) -> Chart | None:  # fmt: skip
    """The chart of a trend in steps of `step`, marked where `alerts` began; None of nothing."""
    points = heeded(points)
    if not points:
        return None
    top, banded = _top(points, measure), measure == "units"
    wide = WIDTH / len(points)
    at = [(i * wide, p) for i, p in enumerate(points)]
    burst = [(x, p) for x, p in at if p.state == "burst"]
    calm = [(x, p) for x, p in at if p.state != "burst"]
    runs = _runs(at) if banded else []
    return Chart(
        bars="".join(_bar(x, getattr(p, measure), wide, top) for x, p in calm),
        bursts="".join(_bar(x, getattr(p, measure), wide, top) for x, p in burst),
        strip="".join(f"M{x:.1f} {HEIGHT}h{wide:.2f}v{STRIP}h-{wide:.2f}z" for x, _ in burst),
        band="".join(_area(run, wide, top) for run in runs),
        expected="".join(_line(run, wide, top) for run in runs),
        gaps=_spans(at, wide, lambda p: p.coverage == 0),
        unheeded=_spans(at, wide, _nobody_listened),
        partly=_spans(at, wide, lambda p: p.coverage is not None and 0 < p.coverage < WELL),
        days=_days(at),
        top=top,
        since=points[0].at,
        last=points[-1].at,
        summary=_summary(points, measure, step),
        rows=tuple(_day(list(group), measure) for _, group in groupby(points, key=_rows_by(points))),
        each=each(step),
        measure=measure,
        marks=tuple(round(WIDTH * (a - points[0].at) / (len(points) * step), 1) for a in alerts if a >= points[0].at),
    )


def each(step: timedelta) -> str:
    """`an hour`: what a bucket of a step is, in words."""
    minutes, hour = timedelta(minutes=1), timedelta(hours=1)
    named = {5 * minutes: "in 5 minutes", 15 * minutes: "in 15 minutes", hour: "an hour", 6 * hour: "in 6 hours"}
    return (named | {24 * hour: "a day", 168 * hour: "a week"})[step]


def heeded(points: Sequence[P]) -> Sequence[P]:
    """From when somebody listened, but at least the last LEAST buckets."""
    first = next((i for i, p in enumerate(points) if not _nobody_listened(p)), len(points))
    return points[max(min(first, len(points) - LEAST), 0) :]


def _top(points: Sequence[Point], measure: Measure) -> float:
    """The scale: all values fit, and the usual range as far as it does not make them small."""
    most = max((float(getattr(p, measure) or 0) for p in points), default=0.0)
    if measure == "share":
        return most or 0.01
    usual = max((p.upper or 0.0 for p in points), default=0.0) if measure == "units" else 0.0
    return float(ceil(max(1.0, most, min(usual, 1.5 * most))))


def _days(at: Sequence[Place]) -> tuple[float, ...]:
    midnights = tuple(round(x, 1) for x, p in at if x and p.at.hour == 0 and p.at.minute == 0)
    return midnights if len(midnights) <= MANY_DAYS else ()


def _rows_by(points: Sequence[Point]) -> Callable[[Point], object]:
    """How buckets become rows of the table: by day, a short period by hour."""
    if points[-1].at - points[0].at < timedelta(hours=36):
        return lambda p: (p.at.date(), p.at.hour)
    return lambda p: p.at.date()


def _nobody_listened(point: Point) -> bool:
    return point.coverage is None and not point.posts


def _y(value: float, top: float) -> float:
    return HEIGHT - HEIGHT * value / top if value < top else 0.0


def _bar(x: float, value: float | None, wide: float, top: float) -> str:
    if not value:
        return ""
    return f"M{x + wide * 0.08:.1f} {HEIGHT}V{_y(value, top):.1f}h{wide * 0.84:.2f}V{HEIGHT}z"


def _runs(at: Sequence[Place]) -> list[list[Place]]:
    """Stretches of neighbouring buckets of which the expected is known."""
    grouped = groupby(at, key=lambda item: item[1].expected is not None and item[1].coverage != 0)
    return [list(group) for there, group in grouped if there]


def _line(run: list[Place], wide: float, top: float) -> str:
    heights = [_y(p.expected or 0.0, top) for _, p in run]
    return f"M{run[0][0]:.2f} {heights[0]:.1f}{_steps(heights, wide)}"


def _area(run: list[Place], wide: float, top: float) -> str:
    heights = [_y(p.upper or 0.0, top) for _, p in run]
    return f"M{run[0][0]:.2f} {HEIGHT}{_steps(heights, wide)}V{HEIGHT}z"


def _steps(heights: Sequence[float], wide: float) -> str:
    """A line of steps; neighbours of one height are one step."""
    told = groupby(f"V{y:.1f}" for y in heights)
    return "".join(f"{to}h{wide * sum(1 for _ in same):.2f}" for to, same in told)


def _spans(at: Sequence[Place], wide: float, wanted: Callable[[Point], bool]) -> tuple[Span, ...]:
    runs = (list(group) for there, group in groupby(at, key=lambda item: wanted(item[1])) if there)
    return tuple(Span(round(run[0][0], 1), round(wide * len(run), 1)) for run in runs)


def _dated(at: datetime) -> str:
    return f"{at.day} {at:%b %Y}"


def _day(points: Sequence[Point], measure: Measure) -> Day:
    values = [value for p in points if (value := getattr(p, measure)) is not None]
    return Day(
        day=points[0].at,
        posts=None if all(p.posts is None for p in points) else sum(p.posts or 0 for p in points),
        most=max(values, default=None),
        coverage=_mean([p.coverage for p in points if p.coverage is not None]),
        bursts=sum(p.state == "burst" for p in points),
    )


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _summary(points: Sequence[Point], measure: Measure, step: timedelta) -> str:
    bursts, gaps = sum(p.state == "burst" for p in points), sum(p.coverage == 0 for p in points)
    values = [value for p in points if (value := getattr(p, measure)) is not None]
    until = points[-1].at + step
    told = [f"{NAMES[measure]} {each(step)} from {_dated(points[0].at)} to {_dated(until)}"]
    most = f"{max(values):.1%}" if values and measure == "share" else f"{max(values, default=0)}"
    told.append(f"at most {most}" if values else "nothing was heard")
    told += [many(bursts, "hour of burst", "hours of burst")] if bursts else []
    told += [f"{many(gaps * step // timedelta(hours=1), 'hour')} not heard"] if gaps else []
    return "; ".join(told) + "."


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
    told = f"{sum(known) / len(known):.0%} of what the feeds should say was heard since {_dated(starts[0])}"
    told += f"; {many(gaps, 'hour')} not heard at all" if gaps else ""
    rows = tuple(
        (datetime(d.year, d.month, d.day, tzinfo=UTC), _mean([h for h in run if h is not None])) for d, run in days
    )
    return Strip(tuple(cells), gaps, _mean(known), told + ".", starts[0], rows)
