"""framewatch detect: the detector of the pipeline, on a CSV of counts."""

import csv
import sys
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import TextIO

import click
import numpy as np

from schemas.errors import PermanentError, Reason
from services.analysis import bursts
from services.analysis.alerting import Rule

Row = tuple[str, float, float]


@click.command()
@click.option("--input", "source", type=click.Path(path_type=Path, exists=True, dir_okay=False), required=True)
@click.option("--output", type=click.File("w", encoding="utf-8", lazy=True), default="-", show_default=True)
@click.option("--budget", default=1.0, show_default=True, help="False alarms a week accepted in this series.")
@click.option("--learning-days", default=7.0, show_default=True, help="Days before anything is called a burst.")
def detect(*, source: Path, output: TextIO, budget: float, learning_days: float) -> None:
    """Find the bursts in a series: `timestamp,count[,total]` in, `timestamp,count,expected,score,state` out."""
    rows = read(source)
    starts = np.array([at for _, at, _ in rows])
    counts = np.array([count for _, _, count in rows])
    step = float(np.median(np.diff(starts))) if len(starts) > 1 else 3600.0
    rule = Rule(budget=budget, step=timedelta(seconds=step))
    series = bursts.Series(starts, step, counts, np.ones(len(starts)))
    verdicts = bursts.judge(series, alpha=rule.alpha(1), learning_s=learning_days * 86_400)
    write(output, rows, verdicts)


def read(path: Path) -> list[Row]:
    """(timestamp as written, epoch seconds, count) of each row. Raises PermanentError(BAD_INPUT) naming the line."""
    with path.open(encoding="utf-8", newline="") as text:
        lines = csv.reader(text)
        header = [name.strip().lower() for name in next(lines, [])]
        if header[:1] != ["timestamp"] or not {"count", "value"} & set(header):
            raise PermanentError(Reason.BAD_INPUT, f"{path}:1: the first line must be timestamp,count[,total]")
        column = header.index("count" if "count" in header else "value")
        rows = [_row(path, number, line, column) for number, line in enumerate(lines, start=2) if line]
    for (earlier, a, _), (later, b, _) in pairwise(rows):
        if b <= a:
            raise PermanentError(Reason.BAD_INPUT, f"{path}: {later} comes after {earlier}; sort the rows by time")
    return rows


def write(output: TextIO, rows: Iterable[Row], verdicts: bursts.Verdicts) -> None:
    """One line a row; `score` in [0, 1] grows with the evidence, `state` is learning, ok or burst."""
    table = csv.writer(output, lineterminator="\n")
    table.writerow(["timestamp", "count", "expected", "score", "state"])
    scores = bursts.evidence_score(verdicts.probability)
    for i, (written, _, count) in enumerate(rows):
        expected = verdicts.expected[i]
        shown = "" if np.isnan(expected) else f"{expected:.4g}"
        table.writerow([written, f"{count:g}", shown, f"{scores[i]:.4f}", verdicts.state[i]])
    if output is sys.stdout:
        output.flush()


def _row(path: Path, number: int, line: list[str], column: int) -> Row:
    try:
        at = datetime.fromisoformat(line[0].strip())
        count = float(line[column])
    except (ValueError, IndexError) as error:
        raise PermanentError(Reason.BAD_INPUT, f"{path}:{number}: not a time and a count: {','.join(line)}") from error
    if not np.isfinite(count) or count < 0:
        raise PermanentError(Reason.BAD_INPUT, f"{path}:{number}: a count is 0 or more, not {line[column]}")
    return line[0], (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp(), count
