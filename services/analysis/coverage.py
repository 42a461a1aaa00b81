"""Which share of the feeds that should have been heard were heard, bucket by bucket. A gap is unknown, never zero."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
SENDER_STAYS = timedelta(days=1)
"""How long whoever has sent us posts is taken to be there: nobody tells us of a silence, so a day of it is unknown."""


def coverage(starts: Floats, step_s: float, spans: Iterable[Mapping[str, Any]]) -> Floats:
    """Coverage in [0, 1] of buckets [start, start + step), NaN where no feed was expected.

    `starts` are epoch seconds; `spans` are rows of feed_id, kind (`expected`, `heard` or `sent`), starts_at, ends_at,
    disjoint within a feed and kind. Coverage is feed-seconds heard over feed-seconds expected. Posts that are sent
    to us are expected at no time: a bucket in which nothing else is expected is heard while a sender is there.
    """
    by_feed: dict[int, dict[str, list[tuple[float, float]]]] = {}
    for span in spans:
        kinds = by_feed.setdefault(span["feed_id"], {"expected": [], "heard": [], "sent": []})
        kinds[span["kind"]].append((_epoch(span["starts_at"]), _epoch(span["ends_at"])))
    expected = np.zeros(len(starts))
    heard = np.zeros(len(starts))
    sent = np.zeros(len(starts), bool)
    for kinds in by_feed.values():
        expected += overlap(starts, step_s, kinds["expected"])
        heard += overlap(starts, step_s, intersect(kinds["expected"], kinds["heard"]))
        sent |= overlap(starts, step_s, kinds["sent"]) > 0
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(expected > 0, np.minimum(heard / expected, 1.0), np.where(sent, 1.0, np.nan))


def overlap(starts: Floats, step_s: float, spans: Iterable[tuple[float, float]]) -> Floats:
    """Seconds of each bucket that lie inside disjoint spans."""
    total = np.zeros(len(starts))
    for begin, end in spans:
        total += np.clip(np.minimum(starts + step_s, end) - np.maximum(starts, begin), 0, None)
    return total


def intersect(a: Iterable[tuple[float, float]], b: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """What two sets of disjoint spans share."""
    b = list(b)
    pairs = [(max(s, t), min(e, f)) for s, e in a for t, f in b]
    return [(s, e) for s, e in pairs if e > s]


def gaps(spans: Iterable[Mapping[str, Any]], tolerance_s: float) -> list[tuple[int, datetime, datetime]]:
    """(feed_id, from, until) of every stretch longer than `tolerance_s` in which a feed was expected and not heard."""
    by_feed: dict[int, dict[str, list[tuple[datetime, datetime]]]] = {}
    for span in spans:
        kinds = by_feed.setdefault(span["feed_id"], {"expected": [], "heard": [], "sent": []})
        kinds[span["kind"]].append((span["starts_at"], span["ends_at"]))
    found = []
    for feed_id, kinds in by_feed.items():
        for begin, end in kinds["expected"]:
            at = begin
            for s, e in [*sorted(kinds["heard"]), (end, end)]:
                if e < at:
                    continue
                if min(s, end) > at and (min(s, end) - at).total_seconds() > tolerance_s:
                    found.append((feed_id, at, min(s, end)))
                at = max(at, e)
    return found


@dataclass(frozen=True, slots=True)
class Run:
    """Buckets in a row in which too little was heard: [begin, end) in epoch seconds."""

    begin: float
    end: float
    covered: float
    """Mean coverage of its buckets."""
    over: bool
    """Whether enough buckets with enough heard have followed."""


def uncovered(starts: Floats, heard: Floats, *, covered: float, least: int) -> list[Run]:
    """Runs of at least `least` buckets with coverage below `covered`; `least` good ones in a row end a run.

    A run that is there when the series begins began earlier and is left out; where nothing was expected is no gap.
    """
    step = float(starts[1] - starts[0]) if len(starts) > 1 else 0.0
    low = np.nan_to_num(heard, nan=1.0) < covered
    found: list[Run] = []
    at: list[int] = []
    good = 0
    for i, is_low in enumerate(low):
        if is_low:
            at, good = [*at, i], 0
        elif at:
            good += 1
        if at and (good == least or i == len(low) - 1):
            run = Run(float(starts[at[0]]), float(starts[at[-1]]) + step, float(np.mean(heard[at])), good >= least)
            if at[0] > 0 and len(at) >= least:
                found.append(run)
            at, good = [], 0
    return found


def _epoch(value: datetime) -> float:
    return value.timestamp()
