"""framewatch codebook: check a file, make it current, measure it on labelled posts."""

import json
from collections.abc import Iterator
from pathlib import Path
from textwrap import shorten

import click

from schemas import codebook as files
from services import settings
from services.analysis.naming import many
from services.analysis.text import text_for_encoder
from services.cli import calling, house
from services.cli import codebook_versions as versions
from services.cli.codebook_preview import preview
from services.cli.codebook_text import text_of
from services.cli.evaluate import evaluate
from services.store import applying

File = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.group()
def codebook() -> None:
    """Check, apply and evaluate a codebook."""


@codebook.command()
@click.argument("file", type=File)
@click.option(
    "--learn/--no-learn", default=None,
    help="Also learn it, and name examples that cannot be told apart.  [default: where the model is ready]",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="For another program to read.")
def check(*, file: Path, learn: bool | None, as_json: bool) -> None:
    """Name every mistake in FILE with its line, frame and remedy."""
    text = text_of(file)
    read = files.parse(text, str(file))
    notes = list(files.notes(text, str(file)))
    if _model_is_ready() if learn is None else learn:
        notes += _review(file, text, read)
    if as_json:
        frames = [{"frame": f.id, "examples": len(f.examples), "counterexamples": len(f.counterexamples)}
                  for f in read.frames]  # fmt: skip
        about = {"codebook": read.codebook, "title": read.title, "languages": read.languages}
        house.echo_json({**about, "frames": frames, "background": len(read.background), "notes": notes})
        return
    for note in notes:
        click.echo(note, err=True)
    holds = f"{many(len(read.frames), 'frame')}, {many(len(read.background), 'background post')}"
    click.echo(f"{read.codebook}: {holds}. It can be used.")


@codebook.command()
def schema() -> None:
    """Print the JSON Schema of a codebook, with which editors complete and check it as you write.

    Save it beside your codebook and begin that with: # yaml-language-server: $schema=codebook.schema.json
    """
    click.echo(json.dumps(files.json_schema(), indent=2, ensure_ascii=False))


def _model_is_ready() -> bool:
    """Whether learning needs nothing to be unpacked or fetched first."""
    models = settings.home_of(settings.load()) / "models"
    return models.is_dir() and any(models.iterdir())


def _review(file: Path, text: str, read: files.Codebook) -> Iterator[str]:
    """What learning makes one doubt; that examples are few has been told."""
    from services.classifier import review_codebook
    from services.cli.classify import encoder_of

    places = {(frame, text_for_encoder(post)): line for line, frame, post in reversed(files.places(text, str(file)))}
    anywhere = {post: line for (_, post), line in places.items()}
    for doubt in review_codebook(encoder_of(settings.load()), read, text_for_encoder):
        if doubt.text:
            line = places.get((doubt.frame, doubt.text), anywhere.get(doubt.text, 1))
            yield f"{file}:{line}: frame {doubt.frame}: {doubt.remedy}: {shorten(doubt.text, 120)}"


@codebook.command()
@click.argument("file", type=File)
@click.option("--again", is_flag=True, help="Though nothing changed, learn it anew from what was heard since.")
@house.json_option
def apply(file: Path, *, again: bool, as_json: bool) -> None:
    """Make FILE the current version; stored posts are scored again, readers switch when that is done."""
    with house.transaction() as tx:
        read, version = applying.apply(
            tx, text_of(file), house.now(), name=str(file), by=house.who(), again=again
        )  # fmt: skip
    if as_json:
        house.echo_json({"codebook": read.codebook, **{k: version[k] for k in ("version", "state", "posts")}})
        return
    click.echo(f"{read.codebook} version {version['version']} is {version['state']}.")
    if version["posts"]:
        calling.say(f"Scoring again {many(version['posts'], 'stored post')}; see: framewatch codebook status")


codebook.add_command(apply, name="import")
codebook.add_command(preview)
for command in versions.COMMANDS:
    codebook.add_command(command)
codebook.add_command(evaluate)
