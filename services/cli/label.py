"""framewatch label: judge posts (blind), see how good frames are, carry labels in and out, use them."""

from typing import Any

import click

from services.cli import calling, house, judging
from services.cli.label_files import export_labels, import_labels
from services.cli.label_uses import examples, threshold
from services.store import feeds, labels, qualities


class Labelling(click.Group):
    """A group whose usual command need not be named: `framewatch label FRAME` is `framewatch label judge FRAME`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the usual command first where none is named."""
        if not args or (args[0] not in self.commands and args[0] not in ctx.help_option_names):
            args = ["judge", *args]
        return super().parse_args(ctx, args)


@click.group(cls=Labelling)
def label() -> None:
    """Judge posts, ten at a time, and see how good each frame is.

    `label FRAME` asks about posts drawn by chance: see `label judge --help`.
    """


@label.command()
@click.argument("frame", required=False)
@click.option("--codebook", default=None, help="Its codebook, where two have a frame of this id.")
@click.option("--judge", default=None, help="Your name, the same every time.  [default: your user name]")
@click.option("--count", type=click.IntRange(1, 1000), default=10, show_default=True, help="Posts to judge.")
def judge(*, frame: str | None, codebook: str | None, judge: str | None, count: int) -> None:
    """Judge posts drawn for FRAME, or for the frame that most wait for. What the model said is not shown.

    Keys: y yes, n no, u unsure, b back, q quit; each answer is kept at once. From a pipe, one answer a line.
    """
    judging.judge(frame, codebook, who=judging.name(judge), count=count)


@label.command(name="list")
@click.option("--judge", default=None, help="Whose posts to count as still to be judged.  [default: your user name]")
@click.option("--json", "as_json", is_flag=True, help="For another program to read.")
def list_frames(*, judge: str | None, as_json: bool) -> None:
    """How good each frame is, how far judges agree, and how many posts wait for you."""
    with house.transaction() as tx:
        now = house.now()
        waiting = {
            (r["codebook"], r["frame"]): r["unjudged"]
            for r in labels.count_unjudged(tx, judging.name(judge), labels.oldest_week(feeds.present(tx, now)))
        }
        found = [f.model_dump(mode="json") for f in qualities.read_qualities(tx, now).frames]
    rows = [{**f, "to_judge": waiting[f["codebook"], f["frame"]]} for f in found]
    house.echo_json(rows) if as_json else _print(rows)


label.add_command(import_labels)
label.add_command(export_labels)
label.add_command(examples)
label.add_command(threshold)


def _print(rows: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("frame", "to judge", "judged", "left out", "precision", "95 %", "recall", "95 %", "judges",
                  "agreement", box=None, pad_edge=False)  # fmt: skip
    for row in rows:
        table.add_row(
            row["frame"], str(row["to_judge"]), str(row["judged"]), str(row["left_out"]),
            *(cell for name in ("precision", "recall") for cell in _cells(row, name)),
            str(row["judges"]), _number(row["alpha"]),
        )  # fmt: skip
    console = Console()
    Console(width=max(console.width, 110)).print(table)
    calling.say("– is not known (yet): framewatch label FRAME asks you about posts.")
    if any(row["left_out"] for row in rows):
        click.echo("left out: judged posts that the codebook holds as examples, or that chose its threshold.")
    if any(row["alpha"] is not None for row in rows):
        click.echo("agreement: of judges on the same texts (Krippendorff's alpha); 1 is full, 0 is what chance brings.")
    for row in rows:
        if row["kappa"] is not None:
            click.echo(f"{row['frame']}: agreement of its two judges alone {row['kappa']:.2f} (Cohen's kappa).")


def _cells(row: dict[str, Any], name: str) -> tuple[str, str]:
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    return _number(row[name]), "–" if low is None else f"{low:.2f}-{high:.2f}"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
