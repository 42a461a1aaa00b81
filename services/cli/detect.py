"""framewatch detect: the detector of the pipeline, on a CSV of counts or values, a portion of rows at a time."""

import csv
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice
from math import nan
from pathlib import Path
from typing import NamedTuple, TextIO

import click
import numpy as np
from numpy.typing import NDArray

from schemas.errors import PermanentError, Reason
from services.analysis import bursts
from services.cli.progress import progress

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


class Columns(NamedTuple):
    """Where the numbers stand in a line, and whether they count something."""

    number: int
    total: int | None
    counts: bool


class Rows(NamedTuple):
    """Rows as written, with their times in epoch seconds and their numbers: NaN where none was heard."""

    written: list[str]
    at: NDArray[np.float64]
    seen: NDArray[np.float64]
    total: NDArray[np.float64] | None


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

    `total` is how many posts there were of any kind. With it, a count is judged by its share: an hour in which all
    posts double is no burst of this series, and a count that stays where all others fall is one. A row without its
    total is not judged. A column `value` instead of `count` holds measurements, which are watched in both directions.
    """
    portions = read(source)
    first = next(portions, None)
    counts = True if first and first.total is not None else None
    detector = bursts.Detector(bursts.Asked(budget / series / WEEK_S, learning_days * 86_400, counts=counts))
    table = csv.writer(output, lineterminator="\n")
    table.writerow(["timestamp", "count", "expected", "score", "state"])
    done = 0
    with progress("rows", hidden=output.isatty()) as tell:
        while first:
            table.writerows(told(first, detector))
            output.flush()
            done += len(first.written)
            tell(done, None)
            first = next(portions, None)


def told(rows: Rows, detector: bursts.Detector) -> Iterator[tuple[str, ...]]:
    """One line a row of what the detector says of it."""
    heard = ~np.isnan(rows.seen)
    verdicts = detector.feed(rows.at, np.nan_to_num(rows.seen), heard.astype(float), rows.total)
    seen, expected = _shown(rows.seen, "%.15g"), _shown(verdicts.expected, "%.4g")
    yield from zip(
        rows.written, seen, expected, map("%.5f".__mod__, verdicts.score.tolist()), verdicts.state, strict=True
    )


def read(path: Path) -> Iterator[Rows]:
    """The rows, in order of time, a portion at a time. Raises PermanentError(BAD_INPUT) naming the line."""
    with sys.stdin if str(path) == "-" else path.open(encoding="utf-8-sig", newline="") as text:
        lines = csv.reader(text)
        columns = _columns(path, [name.strip().lower() for name in next(lines, [])])
        before, number = -np.inf, 2
        while block := list(islice(lines, PORTION)):
            rows = _rows(block, columns)
            if rows is None or np.any(np.diff(rows.at, prepend=before) < -SET_BACK_S):
                rows = _one_by_one(block, columns, (path, number), before)
            number += len(block)
            if rows.written:
                before = float(rows.at[-1])
                yield rows


def _columns(path: Path, header: Sequence[str]) -> Columns:
    if header[:1] != ["timestamp"] or not {"count", "value"} & set(header):
        raise PermanentError(Reason.BAD_INPUT, f"{path}:1: the first line must be timestamp,count[,total]")
    counts = "count" in header
    total = header.index("total") if counts and "total" in header else None
    return Columns(header.index("count" if counts else "value"), total, counts)


def _rows(block: list[list[str]], columns: Columns) -> Rows | None:
    """Rows that need no second look; None when one does."""
    lines = [line for line in block if line]
    try:
        at = np.array([_time(line[0]) for line in lines])
        seen = np.array([float(line[columns.number] or nan) for line in lines])
        total = columns.total
        totals = None if total is None else np.array([float(line[total] or nan) for line in lines])
    except (ValueError, IndexError):
        return None
    if np.any(np.abs(seen) > MOST) or (columns.counts and np.any(seen < 0)):
        return None
    if totals is not None and np.any((totals < seen) | (totals > MOST)):
        return None
    return Rows([line[0] for line in lines], at, seen, totals)


def _one_by_one(block: list[list[str]], columns: Columns, place: tuple[Path, int], before: float) -> Rows:
    """The same, each line looked at by itself, so that what is wrong is told with its line."""
    path, first = place
    written, last, rows = "the one before", before, []
    for number, line in enumerate(block, start=first):
        if not line:
            continue
        where = f"{path}:{number}"
        row = _row(where, line, columns)
        if row[0] < last - SET_BACK_S:
            raise PermanentError(Reason.BAD_INPUT, f"{where}: {line[0]} comes after {written}; sort the rows by time")
        rows.append(row)
        last, written = row[0], line[0]
    at, seen, total = np.array(rows).reshape(-1, 3).T
    return Rows([line[0] for line in block if line], at, seen, None if columns.total is None else total)


def _row(where: str, line: list[str], columns: Columns) -> tuple[float, float, float]:
    """Time, number and total of a line. Raises PermanentError(BAD_INPUT)."""
    try:
        at, seen = _time(line[0]), _number(line[columns.number])
        total = nan if columns.total is None or len(line) <= columns.total else _number(line[columns.total])
    except (ValueError, IndexError) as error:
        raise PermanentError(Reason.BAD_INPUT, f"{where}: not a time and a count: {','.join(line)!r}") from error
    for number, column in ((seen, columns.number), (total, columns.total or 0)):
        if abs(number) > MOST or (columns.counts and number < 0) or np.isinf(number):
            usual = f"a count is 0 to {MOST:.0e}" if columns.counts else f"a value is at most {MOST:.0e} either way"
            raise PermanentError(Reason.BAD_INPUT, f"{where}: {usual}, not {line[column].strip()}")
    if total < seen:
        raise PermanentError(Reason.BAD_INPUT, f"{where}: {seen:g} of {total:g} in all; the total counts every post")
    return at, seen, total


def _number(written: str) -> float:
    """A number; NaN where there is a word for none. Raises ValueError."""
    text = written.strip()
    return nan if text.lower() in _MISSING else float(text)


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


def _shown(numbers: NDArray[np.float64], form: str) -> list[str]:
    unknown = np.isnan(numbers).tolist()
    return ["" if none else form % number for number, none in zip(numbers.tolist(), unknown, strict=True)]
