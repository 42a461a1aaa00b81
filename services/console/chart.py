"""Turns trend points into the geometry of a chart: paths, gaps and words for it. Pure; it knows no page and no colour.

Gaps are drawn as gaps: a bucket that was not heard has no bar, not a bar of nought. The drawing stands without a
script; where one runs, services/console/plot.py gives it the same points.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
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
Range = tuple[float, float]
"""What the past explains of a bucket, and the most that is usual."""
LIMITS: dict[Measure, tuple[str, str]] = {"units": ("expected", "upper"), "share": ("expected_share", "upper_share")}
"""Where points tell the usual range of what is drawn; of posts none is known."""
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
    usual: float | None = None
    """The most that would have been usual in the bucket of the largest value."""


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
    usual = ranges(points, measure)
    top = _top(points, usual, measure)
    wide = WIDTH / len(points)
    at = [(i * wide, p) for i, p in enumerate(points)]
    burst = [(x, p) for x, p in at if p.state == "burst"]
    calm = [(x, p) for x, p in at if p.state != "burst"]
    runs = _runs([x for x, _ in at], usual)
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


def ranges(points: Sequence[Point], measure: Measure) -> list[Range | None]:
    """The usual range of each bucket; None where none is known, and in a gap."""
    if measure not in LIMITS:
        return [None] * len(points)
    expected, upper = LIMITS[measure]
    told = [(getattr(p, expected, None), p) for p in points]
    return [None if e is None or p.coverage == 0 else (e, getattr(p, upper) or 0.0) for e, p in told]


def _top(points: Sequence[Point], usual: Sequence[Range | None], measure: Measure) -> float:
    """The scale: all values fit, and the usual range as far as it does not make them small."""
    most = max((float(getattr(p, measure) or 0) for p in points), default=0.0)
    wanted = max(most, min(max((r[1] for r in usual if r), default=0.0), 1.5 * most))
    return wanted or 0.01 if measure == "share" else float(ceil(max(1.0, wanted)))


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


def _runs(starts: Sequence[float], usual: Sequence[Range | None]) -> list[list[tuple[float, Range]]]:
    """Stretches of neighbouring buckets of which the usual range is known."""
    grouped = groupby(zip(starts, usual, strict=True), key=lambda item: item[1] is not None)
    return [[(x, r) for x, r in group if r] for there, group in grouped if there]


def _line(run: list[tuple[float, Range]], wide: float, top: float) -> str:
    heights = [_y(expected, top) for _, (expected, _) in run]
    return f"M{run[0][0]:.2f} {heights[0]:.1f}{_steps(heights, wide)}"


def _area(run: list[tuple[float, Range]], wide: float, top: float) -> str:
    heights = [_y(upper, top) for _, (_, upper) in run]
    return f"M{run[0][0]:.2f} {HEIGHT}{_steps(heights, wide)}V{HEIGHT}z"


def _steps(heights: Sequence[float], wide: float) -> str:
    """A line of steps; neighbours of one height are one step."""
    told = groupby(f"V{y:.1f}" for y in heights)
    return "".join(f"{to}h{wide * sum(1 for _ in same):.2f}" for to, same in told)


def _spans(at: Sequence[Place], wide: float, wanted: Callable[[Point], bool]) -> tuple[Span, ...]:
    runs = (list(group) for there, group in groupby(at, key=lambda item: wanted(item[1])) if there)
    return tuple(Span(round(run[0][0], 1), round(wide * len(run), 1)) for run in runs)


def dated(at: datetime) -> str:
    """14 Dec 2016."""
    return f"{at.day} {at:%b %Y}"


def _day(points: Sequence[Point], measure: Measure) -> Day:
    known = [p for p in points if getattr(p, measure) is not None]
    largest = max(known, key=lambda p: getattr(p, measure), default=None)
    usual = ranges([largest], measure)[0] if largest else None
    return Day(
        day=points[0].at,
        posts=None if all(p.posts is None for p in points) else sum(p.posts or 0 for p in points),
        most=getattr(largest, measure) if largest else None,
        coverage=mean([p.coverage for p in points if p.coverage is not None]),
        bursts=sum(p.state == "burst" for p in points),
        usual=usual[1] if usual else None,
    )


def mean(values: Sequence[float]) -> float | None:
    """The mean; None of nothing."""
    return sum(values) / len(values) if values else None


def _summary(points: Sequence[Point], measure: Measure, step: timedelta) -> str:
    bursts, gaps = sum(p.state == "burst" for p in points), sum(p.coverage == 0 for p in points)
    values = [value for p in points if (value := getattr(p, measure)) is not None]
    until = points[-1].at + step
    told = [f"{NAMES[measure]} {each(step)} from {dated(points[0].at)} to {dated(until)}"]
    most = f"{max(values):.1%}" if values and measure == "share" else f"{max(values, default=0)}"
    told.append(f"at most {most}" if values else "nothing was heard")
    told += [many(bursts, "hour in a burst", "hours in a burst")] if bursts else []
    told += [f"{many(gaps * step // timedelta(hours=1), 'hour')} not heard"] if gaps else []
    return "; ".join(told) + "."
