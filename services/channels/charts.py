"""Draws the pictures of a digest: a series becomes SVG, and that a PNG of twice the size it is shown at.

No text is in a picture: words belong into the mail, where readers can enlarge, copy and hear them. Colours are of
middle lightness on a clear ground, so that they can be told apart on white and on black.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

import resvg_py

from services.analysis.naming import many, number
from services.channels.wording import line, local, moment

WIDTH, HEIGHT = 1136, 176
SHOWN = (WIDTH // 2, HEIGHT // 2)
"""Size in the mail, in CSS pixels; narrow screens shrink it."""
_FLOOR = HEIGHT - 12
_EARLIER, _NEW, _BURST, _USUAL, _GAP = "#94a3b3", "#57799b", "#d9541e", "#8b95a0", "#c2932f"

Chart = Mapping[str, Any]


def png(chart: Chart) -> bytes:
    """The picture; the same chart gives the same bytes."""
    return bytes(resvg_py.svg_to_bytes(svg_string=svg(chart), skip_system_fonts=True))


def svg(chart: Chart) -> str:
    """Units as bars, what the past explains as a band and a line, bursts struck out, gaps hatched, news underlined."""
    units = chart["units"]
    wide = WIDTH / max(len(units), 1)
    top = 1.25 * max([1.0, *(u or 0 for u in units), *(e or 0.0 for e in chart["expected"])])
    burst = set(chart["burst"])
    groups = (
        ([i for i in range(len(units)) if i not in burst and i < chart["new"]], _EARLIER),
        ([i for i in range(len(units)) if i not in burst and i >= chart["new"]], _NEW),
        (sorted(burst), _BURST),
    )
    bars = "".join(f'<path fill="{c}" d="{"".join(_bar(i, units[i], wide, top) for i in g)}"/>' for g, c in groups)
    strip = "".join(_rect(run, wide, _FLOOR + 4, 5, _BURST) for run in _runs(units, lambda i: i in burst))
    gaps = "".join(_rect(run, wide, 0, _FLOOR, "url(#gap)") for run in _runs(units, lambda i: units[i] is None))
    fresh = f'<path fill="{_NEW}" d="M{chart["new"] * wide:.1f} {HEIGHT - 2}H{WIDTH}v2H{chart["new"] * wide:.1f}z"/>'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}">'
        '<pattern id="gap" width="8" height="8" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        f'<path d="M0 0V8" stroke="{_GAP}" stroke-width="5" stroke-opacity="0.55"/></pattern>'
        f"{_usual(chart, wide, top)}{gaps}{bars}{strip}"
        f'<path fill="{_USUAL}" fill-opacity="0.6" d="M0 {_FLOOR}h{WIDTH}v1.5h-{WIDTH}z"/>{fresh}</svg>'
    )


def alt(title: str, chart: Chart, timezone: str) -> str:
    """What the picture shows, in words."""
    step = timedelta(seconds=chart["step_seconds"])
    begin = moment(chart["from"]) or datetime.min.replace(tzinfo=UTC)
    at = [begin + i * step for i in range(len(chart["units"]) + 1)]
    heard = [(u, i) for i, u in enumerate(chart["units"]) if u is not None]
    unit = "hour" if step <= timedelta(hours=1) else "day"
    begins, ends = local(at[0], timezone, "%-d %b"), local(at[-1], timezone, "%-d %b %Y")
    told = [f"Voices of {line(title)} by the {unit}, {begins} to {ends}"]
    if heard and max(heard)[0]:
        most, where = max(heard, key=lambda pair: (pair[0], -pair[1]))
        told.append(f"at most {number(most)}, on {local(at[where], timezone, '%-d %b %H:%M')}")
    else:
        told.append("none at all" if heard else "nothing was heard")
    if chart["burst"]:
        told.append(many(len(chart["burst"]), f"{unit} in a burst", f"{unit}s in a burst"))
    if missing := len(chart["units"]) - len(heard):
        told.append(f"{many(missing, unit)} not heard")
    return "; ".join(told)


def _y(value: float, top: float) -> float:
    """The band may go higher than any bar: what is out of sight is usual."""
    return max(_FLOOR - _FLOOR * value / top, 0.0)


def _bar(i: int, units: int | None, wide: float, top: float) -> str:
    return f"M{i * wide + wide * 0.1:.2f} {_FLOOR}V{_y(units, top):.1f}h{wide * 0.8:.2f}V{_FLOOR}z" if units else ""


def _rect(run: Sequence[int], wide: float, y: float, height: float, fill: str) -> str:
    return f'<rect x="{run[0] * wide:.1f}" y="{y}" width="{len(run) * wide:.1f}" height="{height}" fill="{fill}"/>'


def _runs(values: Sequence[Any], wanted: Callable[[int], bool]) -> list[list[int]]:
    return [list(group) for there, group in groupby(range(len(values)), key=wanted) if there]


def _usual(chart: Chart, wide: float, top: float) -> str:
    """The band up to the most that is usual, and the line of what is expected."""
    upper, expected = chart["upper"], chart["expected"]
    told = ""
    for run in _runs(upper, lambda i: upper[i] is not None and expected[i] is not None):
        x = run[0] * wide
        area = "".join(f"V{_y(upper[i], top):.1f}h{wide:.2f}" for i in run)
        curve = "".join(f"V{_y(expected[i], top):.1f}h{wide:.2f}" for i in run)
        told += f'<path fill="{_USUAL}" fill-opacity="0.16" d="M{x:.1f} {_FLOOR}{area}V{_FLOOR}z"/>'
        begin = f"M{x:.1f} {_y(expected[run[0]], top):.1f}"
        told += f'<path fill="none" stroke="{_USUAL}" stroke-width="2" d="{begin}{curve}"/>'
    return told
