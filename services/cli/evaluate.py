"""framewatch codebook evaluate: how good a codebook is on labelled posts, and what its probabilities are worth."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np
from numpy.typing import NDArray

from schemas import codebook as files
from schemas.errors import PermanentError, Reason
from services import settings
from services.analysis import quality
from services.analysis.naming import language, many
from services.analysis.reliability import Bin, calibration_error, reliability
from services.analysis.text import text_for_encoder, text_hash
from services.cli import house, lines
from services.cli.progress import progress

if TYPE_CHECKING:
    from services.classifier import Encoder, Stored

File = click.Path(path_type=Path, exists=True, dir_okay=False)
BATCH = 256
Answers = tuple[NDArray[np.float32], NDArray[np.bool_]]
"""Probabilities, and which of them are answered with `carries`; posts x frames."""


@dataclass(frozen=True, slots=True)
class Remembering:
    """An encoder that encodes each text once."""

    encoder: "Encoder"
    known: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    tell: Callable[[int, int | None], None] = lambda _done, _total: None
    """Told how many texts of those asked for are encoded."""

    @property
    def name(self) -> str:
        """The encoder's."""
        return self.encoder.name

    @property
    def dimensions(self) -> int:
        """The encoder's."""
        return self.encoder.dimensions

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """As the encoder does."""
        missing = [text for text in dict.fromkeys(texts) if text not in self.known]
        for begin in range(0, len(missing), BATCH):
            some = missing[begin : begin + BATCH]
            self.known.update(zip(some, self.encoder.encode(some), strict=True))
            self.tell(begin + len(some), len(missing))
        return np.array([self.known[text] for text in texts], np.float32).reshape(len(texts), self.dimensions)


@dataclass(frozen=True, slots=True)
class Findings:
    """What is told of a codebook."""

    frames: list[quality.Quality]
    macro_f1: float
    by_language: dict[str, list[quality.Quality]]
    macro_f1_by_language: dict[str, float]
    carry_none_but_given_one: float
    calibration: list[Bin]
    calibration_error: float


@click.command()
@click.argument("file", type=File)
@click.option("--posts", type=File, required=True, help='JSON lines with "frames": the ids each post truly carries.')
@click.option("--cross-validate", "folds", type=click.IntRange(2, 100), metavar="K",
              help="Learn from the posts too: each of K parts is answered by what the others taught.")  # fmt: skip
@click.option("--plot", type=click.Path(path_type=Path, dir_okay=False), help="Write a reliability plot to this .svg.")
@click.option("--json", "as_json", is_flag=True, help="For another program to read.")
def evaluate(*, file: Path, posts: Path, folds: int | None, plot: Path | None, as_json: bool) -> None:
    """Precision, recall and F1 of FILE on labelled posts, with 95 % intervals, and how far its probabilities hold."""
    from services.cli.classify import encoder_of
    from services.cli.plot import svg

    if plot and plot.suffix != ".svg":
        raise PermanentError(Reason.BAD_INPUT, f"{plot}: the plot is written as SVG; name a file that ends in .svg")
    read = files.parse(file.read_text(encoding="utf-8"), str(file))
    labelled = list(lines.read(posts))
    _check(posts, labelled, read)
    with progress("encoded") as tell:
        encoder = Remembering(encoder_of(settings.load()), tell=tell)
        answers = _cross_validated(encoder, read, labelled, folds) if folds else answered(encoder, read, labelled)
    found = findings([f.id for f in read.frames], answers, labelled)
    if plot:
        plot.write_text(svg(found.calibration, f"{read.codebook}: what its probabilities are worth"), encoding="utf-8")
    if as_json:
        house.echo_json(asdict(found))
    else:
        _show(found, f"{many(len(labelled), 'post')} with {encoder.name}")


def _check(path: Path, labelled: Sequence[lines.Post], read: files.Codebook) -> None:
    known = {frame.id for frame in read.frames}
    for post in labelled:
        if not isinstance(post.get("frames"), list):
            raise PermanentError(Reason.BAD_INPUT, f'{path}: post {post["id"]} has no list "frames"; [] says none')
        if unknown := {str(f) for f in post["frames"]} - known:
            raise PermanentError(Reason.BAD_INPUT, f"{path}: post {post['id']}: the codebook has no {min(unknown)}")


def answered(
    encoder: "Encoder", read: files.Codebook, posts: Sequence[lines.Post], stored: "Stored | None" = None
) -> Answers:  # fmt: skip
    """What heads learned from a codebook answer, and from what a house has stored."""
    from services.classifier import CARRIES, learn_codebook

    heads = learn_codebook(encoder, read, text_for_encoder, stored)
    texts = [text_for_encoder(post["text"]) for post in posts]
    probabilities = heads.scores(encoder.encode(texts), texts)
    return probabilities, heads.answers(probabilities) == CARRIES


def _cross_validated(encoder: "Encoder", read: files.Codebook, posts: Sequence[lines.Post], folds: int) -> Answers:
    """Each post answered by heads of the codebook and the other parts' posts; equal texts share a part."""
    part = np.array([int.from_bytes(text_hash(post["text"])[:4], "big") % folds for post in posts])
    probabilities = np.zeros((len(posts), len(read.frames)), np.float32)
    carried = np.zeros(probabilities.shape, bool)
    for fold in set(part.tolist()):
        here = part == fold
        taught = _with(read, [posts[i] for i in np.flatnonzero(~here).tolist()])
        asked = [posts[i] for i in np.flatnonzero(here).tolist()]
        probabilities[here], carried[here] = answered(encoder, taught, asked)
    return probabilities, carried


def _with(read: files.Codebook, posts: Sequence[lines.Post]) -> files.Codebook:
    """The codebook with labelled posts as further examples and background."""
    frames = tuple(
        f.model_copy(update={"examples": f.examples + tuple(p["text"] for p in posts if f.id in p["frames"])})
        for f in read.frames
    )
    background = read.background + tuple(p["text"] for p in posts if not p["frames"])
    return read.model_copy(update={"frames": frames, "background": background})


def findings(frames: Sequence[str], answers: Answers, posts: Sequence[lines.Post]) -> Findings:
    """Figures of answers against the posts' labels."""
    probabilities, carried = answers
    true = quality.matrix(frames, [post["frames"] for post in posts])
    found = quality.measure(frames, carried, true)
    langs = quality.by_language([str(post.get("lang") or "und") for post in posts])
    by_language = {lang: quality.measure(frames, carried[r], true[r]) for lang, r in langs.items()}
    bins = reliability(probabilities, true)
    return Findings(
        frames=found,
        macro_f1=quality.macro_f1(found),
        by_language=by_language,
        macro_f1_by_language={lang: quality.macro_f1(of) for lang, of in by_language.items()},
        carry_none_but_given_one=quality.false_alarms(carried, true),
        calibration=bins,
        calibration_error=calibration_error(bins),
    )


def _show(found: Findings, over: str) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    console = Console(width=max(console.width, 120))
    console.print(_table("all languages", found.frames))
    if len(found.by_language) > 1:
        for lang, qualities in found.by_language.items():
            console.print(_table(language(lang), qualities))
    table = Table("probability", "answers", "told", "true", box=None, pad_edge=False)
    for b in found.calibration:
        table.add_row(f"{b.low:.1f}-{b.high:.1f}", str(b.count), f"{b.said:.2f}", f"{b.true:.2f}")
    click.echo("\nWhat the probabilities are worth (calibration): told on average, and the part that was true")
    console.print(table)
    languages = ", ".join(f"{language(lang)} {f1:.2f}" for lang, f1 in found.macro_f1_by_language.items())
    click.echo(f"\nmean F1 of the frames (macro-F1) {found.macro_f1:.3f} ({languages}) over {over}")
    click.echo(f"posts that carry no frame and were given one: {found.carry_none_but_given_one:.1%}")
    click.echo(f"probabilities are off by {found.calibration_error:.3f} on average (expected calibration error)")
    click.echo("carry it: posts labelled so; found: posts the model says carry it. 95 %: intervals.")


def _table(title: str, qualities: Sequence[quality.Quality]) -> Any:
    from rich.table import Table

    table = Table(title, "carry it", "found", "precision", "95 %", "recall", "95 %", "F1", "95 %", box=None,
                  pad_edge=False)  # fmt: skip
    for q in qualities:
        pairs = ((q.precision, q.precision_low, q.precision_high), (q.recall, q.recall_low, q.recall_high),
                 (q.f1, q.f1_low, q.f1_high))  # fmt: skip
        cells = [cell for value, low, high in pairs for cell in (f"{value:.2f}", f"{low:.2f}-{high:.2f}")]
        table.add_row(q.frame, str(q.labelled), str(q.given), *cells)
    return table
