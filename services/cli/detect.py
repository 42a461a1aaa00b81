"""framewatch detect: the detector of the pipeline, on a CSV of counts or values, a portion of rows at a time."""

import csv
import sys
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from math import isnan, nan
from pathlib import Path
from typing import Any, NamedTuple, TextIO

import click
import numpy as np

from schemas.errors import PermanentError, Reason
from services.analysis import bursts

WEEK_S = 7 * 86_400.0
PORTION = 2048
"""Rows judged and written at a time; the answers do not depend on it."""
SET_BACK_S = 3600.0
"""How far back a row may lie behind the one before: local clocks are set back an hour in autumn."""


MOST = 1e12
"""Larger than anything that is counted; what is beyond is a slip of the pen."""
_MISSING = frozenset(("", "nan", "na", "n/a", "null", "none", "-"))
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - times that name no zone are compared with it, as UTC
_FARTHEST_S = 253_402_300_800.0


class Row(NamedTuple):
    """A row as written, with its time in epoch seconds and its number: NaN where none was heard."""

    written: str
    at: float
    seen: float


@click.command()
@click.option("--input", "source", type=click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True),
              required=True, help="A CSV file, or - for standard input.")  # fmt: skip
@click.option("--output", type=click.File("w", encoding="utf-8", lazy=True), default="-", show_default=True)
@click.option("--budget", default=1.0, show_default=True, help="False alarms a week accepted over all series.")
@click.option("--series", default=1, show_default=True, type=click.IntRange(1), help="How many series share it.")
@click.option("--learning-days", default=7.0, show_default=True, help="Days before anything is called a burst.")
def detect(*, source: Path, output: TextIO, budget: float, series: int, learning_days: float) -> None:
    """Find the bursts in a series: `timestamp,count[,total]` in, `timestamp,count,expected,score,state` out.

    The score, in [0, 1], says how much a row looks like the beginning of something; one threshold serves any series.
    """
    lines = read(source)
    detector = bursts.Detector(bursts.Asked(budget / series / WEEK_S, learning_days * 86_400))
    table = csv.writer(output, lineterminator="\n")
    table.writerow(["timestamp", "count", "expected", "score", "state"])
    while rows := list(islice(lines, PORTION)):
        table.writerows(told(rows, detector))
        output.flush()


def told(rows: list[Row], detector: bursts.Detector) -> Iterator[tuple[str, ...]]:
    """One line a row of what the detector says of it."""
    seen = np.array([row.seen for row in rows])
    heard = ~np.isnan(seen)
    verdicts = detector.feed(np.array([row.at for row in rows]), np.nan_to_num(seen), heard.astype(float))
    columns = zip(rows, verdicts.expected.tolist(), verdicts.score.tolist(), verdicts.state, strict=True)
    for row, expected, score, state in columns:
        yield row.written, _shown(row.seen, ".15g"), _shown(expected, ".4g"), f"{score:.5f}", state


def read(path: Path) -> Iterator[Row]:
    """The rows, in order of time. Raises PermanentError(BAD_INPUT) naming the line."""
    with sys.stdin if str(path) == "-" else path.open(encoding="utf-8-sig", newline="") as text:
        lines = csv.reader(text)
        header = [name.strip().lower() for name in next(lines, [])]
        if header[:1] != ["timestamp"] or not {"count", "value"} & set(header):
            raise PermanentError(Reason.BAD_INPUT, f"{path}:1: the first line must be timestamp,count[,total]")
        counts = "count" in header
        column = header.index("count" if counts else "value")
        before: Row | None = None
        for number, line in enumerate(lines, start=2):
            if not line:
                continue
            row = _row(f"{path}:{number}", line, column, counts=counts)
            if before and row.at < before.at - SET_BACK_S:
                told = f"{path}:{number}: {row.written} comes after {before.written}; sort the rows by time"
                raise PermanentError(Reason.BAD_INPUT, told)
            yield row
            before = row


def _row(place: str, line: list[str], column: int, *, counts: bool) -> Row:
    try:
        at, written = _time(line[0]), line[column].strip()
        seen = nan if written.lower() in _MISSING else float(written)
    except (ValueError, IndexError) as error:
        raise PermanentError(Reason.BAD_INPUT, f"{place}: not a time and a count: {','.join(line)!r}") from error
    if abs(seen) > MOST or (counts and seen < 0) or (isnan(seen) and written.lower() not in _MISSING):
        usual = f"a count is 0 to {MOST:.0e}" if counts else f"a value is at most {MOST:.0e} either way"
        raise PermanentError(Reason.BAD_INPUT, f"{place}: {usual}, not {written}")
    return Row(line[0], at, seen)


def _time(written: str) -> float:
    """Epoch seconds of an ISO 8601 time (UTC unless it says otherwise), or of the number that it already is."""
    try:
        at = datetime.fromisoformat(written.strip())
    except ValueError:
        seconds = float(written)
        if not 0 < seconds < _FARTHEST_S:
            raise
        return seconds
    return (at - _EPOCH).total_seconds() if at.tzinfo is None else at.timestamp()


def _shown(number: Any, form: str) -> str:
    return "" if isnan(number) else format(number, form)
