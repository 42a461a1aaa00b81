"""framewatch trends: a frame over time, also as an old version of its codebook saw it. It decides nothing."""

from typing import Any

import click
from rich.console import Console
from rich.table import Table

from schemas import wire
from schemas.stance import ANSWERS
from services.analysis.tabling import csv_table
from services.cli import house
from services.cli.alert_rules import default_rule, moment
from services.sources import SOURCES
from services.store import over_time
from services.usecases.shares import with_usual_share

COLUMNS = ("at", "posts", "units", "authors", "share", "coverage", "expected", "upper", "state")
OF_SHARES = ("expected_share", "upper_share")
WORDS = {
    "at": "from, UTC", "units": "voices", "upper": "usual at most", "expected_share": "share expected",
    "upper_share": "usual share at most",
}  # fmt: skip
"""Heads of the table for people, where a field is called otherwise for programs."""
OPTIONS = (
    click.option("--codebook", default=None, help="Whose frame; needed when two codebooks have one of that id."),
    click.option(
        "--version", type=click.IntRange(1, 2**31 - 1), help="An old version of it.  [default: the current one]"
    ),
    click.option("--since", default=None, help="Start, such as 2016-12-10T00:00Z."),
    click.option("--until", default=None, help="End, not included."),
    click.option("--source", type=click.Choice(sorted(SOURCES)), help="Only posts of this source."),
    click.option("--lang", default=None, help="Only posts in this language."),
    click.option("--stance", type=click.Choice(ANSWERS), help="Only posts that stand so to the frame (experimental)."),
)
"""What trends and posts can be narrowed by."""


def narrowed(command: Any) -> Any:
    """A command with OPTIONS."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def period(asked: dict[str, Any]) -> dict[str, Any]:
    """The same options, times read. Raises PermanentError(BAD_INPUT) for one that is none."""
    now = house.now()
    return {**asked, **{k: moment(asked[k], now) for k in ("since", "until") if asked[k]}}


@click.command()
@click.argument("frame")
@click.option("--step", default="1d", show_default=True, help="How long a step is: 15m, 1h, 6h, 1d, 2w, …")
@narrowed
@click.option("--usual-share", is_flag=True, help="With the share that the past explains, of steps of whole hours.")
@click.option("--json", "as_json", is_flag=True, help="For another program to read.")
@click.option("--csv", "as_csv", is_flag=True, help="The same as a table for a spreadsheet.")
def trends(*, frame: str, step: str, usual_share: bool, as_json: bool, as_csv: bool, **asked: Any) -> None:
    """FRAME over time ('*': all posts). An old version ends where posts were no longer scored under it."""
    with house.transaction() as tx:
        told = over_time.read_trend(tx, house.now(), frame=frame, step=step, **period(asked))
        told = with_usual_share(tx, told, rule=default_rule()) if usual_share else told
    if as_json:
        click.echo(told.model_dump_json(indent=2, serialize_as_any=True))
    elif as_csv:
        click.echo(csv_table(_columns(told, usual_share=usual_share), map(_row, told.points)), nl=False)
    else:
        _show(told, step, _columns(told, usual_share=usual_share))


def _columns(told: wire.Trend, *, usual_share: bool) -> list[str]:
    return [*COLUMNS, *(OF_SHARES if usual_share else ()), *(ANSWERS if any(p.stances for p in told.points) else ())]


def _row(point: wire.TrendPoint) -> dict[str, Any]:
    return {**dict(point), **{str(stance): posts for stance, posts in (point.stances or {}).items()}}


def _show(told: wire.Trend, step: str, columns: list[str]) -> None:
    click.echo(f"{told.title}, {told.codebook} version {told.version}, by {step}")
    names = [name for name in columns if any(_row(p).get(name) is not None for p in told.points)]
    table = Table(box=None, pad_edge=False)
    for name in names:
        table.add_column(WORDS.get(name, name), justify="left" if name in ("at", "state") else "right", no_wrap=True)
    for point in told.points:
        row = _row(point)
        table.add_row(f"{point.at:%d %b %Y %H:%M}", *(_cell(name, row.get(name)) for name in names[1:]))
    Console(width=max(Console().width, 120)).print(table)


def _cell(name: str, value: Any) -> str:
    if value is None:
        return "–"
    if name in ("share", "coverage", *OF_SHARES):
        return f"{value:.1%}"
    return f"{value:,.1f}".removesuffix(".0") if isinstance(value, float) else str(value)
