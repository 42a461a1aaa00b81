"""A trend as columns of numbers for the script that draws it with a cursor. Pure; the template escapes it as any text.

The same points as the drawing of services/console/chart.py: what was not heard is null, never nought.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from schemas.wire import TrendPoint
from services.console.chart import WELL, Measure, each, heeded, ranges

DIGITS = 7
"""Decimals: a rare frame's share of all posts has five noughts."""


def columns(
    points: Sequence[TrendPoint], *, measure: Measure, step: timedelta, alerts: Sequence[Mapping[str, Any]] = ()
) -> str:
    """JSON: at (epoch seconds), value, posts, coverage, expected, upper, burst, and alerts that began (at, told)."""
    shown = heeded(points)
    told: dict[str, Any] = {
        "step": int(step.total_seconds()),
        "each": each(step),
        "measure": measure,
        "well": WELL,
        "at": [int(p.at.timestamp()) for p in shown],
        "value": [_short(getattr(p, measure)) for p in shown],
        "posts": [p.posts for p in shown],
        "coverage": [_short(p.coverage) for p in shown],
        "burst": [int(p.state == "burst") for p in shown],
        "alerts": [{"at": int(a["onset"].timestamp()), "told": a["told"]} for a in alerts],
    }
    usual = ranges(shown, measure)
    if any(usual):
        told["expected"] = [_short(r and r[0]) for r in usual]
        told["upper"] = [_short(r and r[1]) for r in usual]
    return json.dumps(told, separators=(",", ":"))


def _short(value: float | None) -> float | int | None:
    return value if value is None or isinstance(value, int) else round(value, DIGITS)
