"""framewatch codebook: check a file, make it current, measure it on labelled posts."""

from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from schemas import codebook as files
from services import settings
from services.analysis import quality
from services.cli import house, lines
from services.store import applying, codebooks

File = click.Path(path_type=Path, exists=True, dir_okay=False)
FEW = 4
"""Examples below which a frame is said to have few."""


@click.group()
def codebook() -> None:
    """Check, apply and evaluate a codebook."""


@codebook.command()
@click.argument("file", type=File)
def check(file: Path) -> None:
    """Name every mistake in FILE with its line, frame and remedy."""
    read = files.parse(file.read_text(encoding="utf-8"), str(file))
    for frame in read.frames:
        if len(frame.examples) < FEW:
            click.echo(f"{file}: frame {frame.id}: {len(frame.examples)} examples are few; give 8 or more", err=True)
        if not frame.counterexamples:
            click.echo(f"{file}: frame {frame.id}: no counterexamples; near misses make it sharper", err=True)
    click.echo(f"{read.codebook}: {len(read.frames)} frames, {len(read.background)} background posts. It can be used.")


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


@codebook.command()
@click.argument("file", type=File)
@click.option("--posts", type=File, required=True, help='JSON lines with "frames": the ids each post truly carries.')
@click.option("--json", "as_json", is_flag=True, help="For another program to read.")
def evaluate(*, file: Path, posts: Path, as_json: bool) -> None:
    """Precision, recall and F1 of FILE on labelled posts, with 95 % intervals."""
    from services.cli.classify import encoder_of, learned, scored

    labelled = list(lines.read(posts))
    encoder = encoder_of(settings.load())
    heads = learned(file, encoder)
    said = [r["frames"] for batch in lines.batches(labelled, 1024) for r in scored(encoder, heads, batch)]
    answers = quality.matrix(heads.frames, said)  # type: ignore[arg-type]
    true = quality.matrix(heads.frames, [p.get("frames") or [] for p in labelled])
    found = quality.measure(heads.frames, answers, true)
    langs = quality.by_language([p.get("lang") or "und" for p in labelled])
    by_lang = {lang: quality.macro_f1(quality.measure(heads.frames, answers[r], true[r])) for lang, r in langs.items()}
    false = quality.false_alarms(answers, true)
    if as_json:
        house.echo_json({"frames": [asdict(q) for q in found], "macro_f1": quality.macro_f1(found),
                         "macro_f1_by_language": by_lang, "carry_none_but_given_one": false})  # fmt: skip
        return
    table = Table("frame", "labelled", "given", "precision", "recall", "F1", "95 %", box=None, pad_edge=False)
    for q in found:
        table.add_row(q.frame, str(q.labelled), str(q.given), f"{q.precision:.2f}", f"{q.recall:.2f}", f"{q.f1:.2f}",
                      f"{q.f1_low:.2f}-{q.f1_high:.2f}")  # fmt: skip
    Console().print(table)
    languages = ", ".join(f"{lang} {f1:.2f}" for lang, f1 in by_lang.items())
    click.echo(f"macro-F1 {quality.macro_f1(found):.3f} ({languages}) over {len(labelled)} posts with {encoder.name}")
    click.echo(f"posts that carry no frame and were given one: {false:.1%}")
