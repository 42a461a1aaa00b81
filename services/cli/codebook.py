"""framewatch codebook: check a file, make it current, measure it on labelled posts."""

from pathlib import Path
from textwrap import shorten

import click
from rich.console import Console
from rich.table import Table

from schemas import codebook as files
from services import settings
from services.analysis.text import text_for_encoder
from services.cli import house
from services.cli.evaluate import evaluate
from services.store import applying, codebooks

File = click.Path(path_type=Path, exists=True, dir_okay=False)
FEW = 5
"""Examples below which a frame is said to have few."""


@click.group()
def codebook() -> None:
    """Check, apply and evaluate a codebook."""


@codebook.command()
@click.argument("file", type=File)
@click.option(
    "--learn", is_flag=True, help="Also learn it, and name examples that contradict each other or stand alone."
)
def check(*, file: Path, learn: bool) -> None:
    """Name every mistake in FILE with its line, frame and remedy."""
    read = files.parse(file.read_text(encoding="utf-8"), str(file))
    for frame in read.frames:
        if len(frame.examples) < FEW:
            click.echo(f"{file}: frame {frame.id}: {len(frame.examples)} examples are few; give 8 or more", err=True)
        if not frame.counterexamples:
            click.echo(f"{file}: frame {frame.id}: no counterexamples; near misses make it sharper", err=True)
    if learn:
        _review(file, read)
    click.echo(f"{read.codebook}: {len(read.frames)} frames, {len(read.background)} background posts. It can be used.")


def _review(file: Path, read: files.Codebook) -> None:
    """Tell what learning makes one doubt; that examples are few has been told."""
    from services.classifier import review_codebook
    from services.cli.classify import encoder_of

    for doubt in review_codebook(encoder_of(settings.load()), read, text_for_encoder):
        if doubt.text:
            click.echo(f"{file}: frame {doubt.frame}: {doubt.remedy}: {shorten(doubt.text, 120)}", err=True)


@codebook.command()
@click.argument("file", type=File)
def apply(file: Path) -> None:
    """Make FILE the current version; stored posts are scored again, readers switch when that is done."""
    with house.transaction() as tx:
        read, version = applying.apply(tx, file.read_text(encoding="utf-8"), house.now(), name=str(file))
    click.echo(f"{read.codebook} version {version['version']} is {version['state']}.")
    if version["posts"]:
        click.echo(f"{version['posts']:,} stored posts are being scored again; see: framewatch codebook list")


@codebook.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="For another program to read.")
def list_versions(*, as_json: bool) -> None:
    """Every version and its state."""
    with house.transaction() as tx:
        found = codebooks.list_codebooks(tx)
    if as_json:
        house.echo_json(found)
        return
    table = Table("codebook", "version", "state", "applied", "title", box=None, pad_edge=False)
    for v in found:
        table.add_row(v["codebook"], str(v["version"]), v["state"], f"{v['applied_at']:%d %b %Y %H:%M}", v["title"])
    Console().print(table)


codebook.add_command(evaluate)
