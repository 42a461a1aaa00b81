"""framewatch label examples and threshold: what labels make of a codebook, as a new YAML; the database is not changed.

What is used this way measures no version that holds it: services/store/qualities.py leaves it out.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import click

from schemas import codebook as files
from schemas.errors import PermanentError, Reason
from services.analysis import editing, measuring, thresholds
from services.analysis.judging import Estimate
from services.analysis.naming import many
from services.analysis.taught import Texts, texts_of
from services.cli import calling, house, judging
from services.store import codebooks, feeds, labels, qualities
from services.store.pool import Row

LONGEST = 10_000
"""Letters of the longest example that a codebook takes."""


def _writing(command: Callable[..., None]) -> Callable[..., None]:
    """The options of a command that writes a codebook."""
    for option in (
        click.option("--overwrite", is_flag=True, help="Write over a file that is there."),
        click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="The new codebook's file."),
        click.option("--file", "source", type=click.Path(path_type=Path, exists=True, dir_okay=False),
                     help="The codebook to change.  [default: the current version]"),
        click.option("--codebook", default=None, help="Its codebook, where two have a frame of this id."),
        click.argument("frame"),
    ):  # fmt: skip
        command = option(command)
    return command


@click.command()
@_writing
def examples(*, frame: str, codebook: str | None, source: Path | None, output: Path | None, overwrite: bool) -> None:
    """Write the codebook with FRAME's judged posts as examples (yes) and counterexamples (no, though it seemed so).

    Only posts on which all judges agree, and of those that do not carry it only near misses: which the current version
    says carry it, or is not sure about. What the codebook has, near copies among it, is not added again. Without
    --output the new codebook is printed.
    """
    with house.transaction() as tx:
        about = judging.frame_of(tx, frame, codebook)
        body = _body(source, codebooks.current_codebooks(tx), about)
        found = labels.list_labels(tx, about["codebook"], frame)
    yes, no, known = _agreed(found, texts_of(body))
    if not yes and not no:
        raise PermanentError(Reason.BAD_INPUT, f"no judged post of {frame} is new to the codebook: framewatch label")
    _write(editing.add_examples(body, frame, yes, counterexamples=no), output, overwrite=overwrite)
    had = f" {known} it had before." if known else ""
    click.echo(f"Added to {frame}: {many(len(yes), 'example')} and {many(len(no), 'counterexample')}.{had}", err=True)
    calling.say("These posts will not measure a version that holds them; judge new ones: framewatch label", err=True)
    _next(output)


@click.command()
@_writing
@click.option("--precision", "wanted", type=click.FloatRange(0.5, 0.99), required=True, help="Such as 0.9.")
@click.option("--json", "as_json", is_flag=True, help="For another program to read.")
def threshold(
    *, frame: str, codebook: str | None, source: Path | None, output: Path | None, overwrite: bool, wanted: float,
    as_json: bool,
) -> None:  # fmt: skip
    """Find the lowest threshold at which FRAME reaches a wanted precision, and say what recall it costs.

    With --output the codebook is written with it. What is said is estimated by cross-fitting: every label is answered
    by a threshold that the others chose. Labels that chose a threshold do not measure a version that has it.
    """
    with house.transaction() as tx:
        about = judging.frame_of(tx, frame, codebook)
        current = codebooks.current_codebooks(tx)
        oldest = labels.oldest_week(feeds.present(tx, house.now()))
        rows = [
            r
            for r in qualities.judged_samples(tx, oldest, codebook=about["codebook"], frame=frame)
            if not qualities.was_taught(current, r)
        ]
        samples = measuring.judged(rows)
        choice = thresholds.choose(samples, wanted, measuring.sizes(rows, sorted({s.week for s in samples})))
        qualities.add_threshold_units(
            tx, codebook=about["codebook"], frame=frame, threshold=choice.threshold,
            units={s.unit_key for s in samples}, now=house.now(),
        )  # fmt: skip
    body = _body(source, current, about)
    if as_json:
        house.echo_json({"frame": frame, **asdict(choice)})
    else:
        _tell(frame, choice, files.parse(body))
    if output is not None:
        _write(editing.set_threshold(body, frame, choice.threshold), output, overwrite=overwrite)
        _next(output)


def _body(source: Path | None, current: Sequence[Row], about: Row) -> str:
    """The YAML to start from. Raises PermanentError(BAD_INPUT) for a file of another codebook."""
    applied: str = next(c["body"] for c in current if c["version_id"] == about["version_id"])
    if source is None:
        return applied
    text = source.read_text(encoding="utf-8")
    told = files.parse(text, str(source)).codebook
    if told != about["codebook"]:
        raise PermanentError(
            Reason.BAD_INPUT, f"{source} is the codebook {told}; the labels are of {about['codebook']}"
        )
    return text


def _agreed(found: Sequence[Row], had: Texts) -> tuple[list[str], list[str], int]:
    """Texts all judges said yes to, and near misses they said no to, one a unit and new to a codebook; and how many
    were not new."""
    units: dict[bytes, tuple[str, set[str]]] = {}
    for row in found:
        if row["same_text"] and row["answer"] != "unsure" and len(row["text"]) <= LONGEST:
            said = row["answer"] if row["answer"] == "yes" or row["claimed"] else "far off"
            units.setdefault(bytes(row["unit_key"]), (row["text"], set()))[1].add(said)
    clear = [(text, said) for text, said in units.values() if said in ({"yes"}, {"no"})]
    new = [(text, said) for text, said in clear if not had.hold(text)]
    yes = [text for text, said in new if said == {"yes"}]
    return yes, [text for text, said in new if said == {"no"}], len(clear) - len(new)


def _write(text: str, output: Path | None, *, overwrite: bool) -> None:
    if output is None:
        click.echo(text, nl=False)
    else:
        house.write_new(output, text, overwrite=overwrite)


def _next(output: Path | None) -> None:
    if output is not None:
        told = f"{output} is written. See what would change: framewatch codebook preview {output}"
        calling.say(told, err=True)


def _tell(frame: str, choice: thresholds.Choice, book: files.Codebook) -> None:
    before = next((f.threshold for f in book.frames if f.id == frame), None)
    had = "now learned from its examples" if before is None else f"now {before}"
    click.echo(f"{frame}: threshold {choice.threshold} ({had}), chosen by {many(choice.judged, 'judged post')}")
    rows: list[tuple[str, Estimate | None, Estimate | None]] = [
        ("precision", choice.precision_before, choice.precision),
        ("recall", choice.recall_before, choice.recall),
    ]
    for word, now, then in rows:
        click.echo(f"{word} now {_share(now)}, then {_share(then)}")
    click.echo(f"of the right posts carried now, still carried then: {_share(choice.kept)}")
    click.echo("Then is estimated by cross-fitting; these labels will not measure a version with this threshold.")


def _share(found: Estimate | None) -> str:
    if found is None:
        return "not known"
    return f"{found.value:.0%} (95% interval {found.low:.0%} to {found.high:.0%})"
