"""framewatch why: the examples nearest to a post and the words that carried its frames, stored or given by hand."""

from contextlib import nullcontext
from pathlib import Path

import click
from rich.console import Console
from rich.text import Text

from schemas import codebook as files
from schemas import wire_why
from schemas.errors import PermanentError, Reason
from services import settings
from services.analysis.spans import pieces
from services.analysis.text import clean_text
from services.cli import house

_STANCES = {
    "promotes": "promotes it", "disputes": "disputes it", "reports": "reports it", "unclear": "stance unclear",
}  # fmt: skip
_SHARES = {
    "start": "any post", "description": "description", "examples": "examples",
    "counterexamples": "counterexamples", "other_frames": "other frames", "background": "background",
}  # fmt: skip

LEAST_WEIGHT = 0.3
"""Less than this of log odds is what chance and the rounding of the encoder do (docs/decisions/0020): not told."""
_READING = (
    "Weights are log odds: +1 makes the odds 2.7 times what they were, -1 the reverse. "
    "Meaning and wording: how alike the two texts are, 1 being the same."
)


@click.command()
@click.argument("post_id", type=click.IntRange(1, 2**63 - 1), required=False)
@click.option("--text", help="Explain this text instead of a stored post; needs no database.")
@click.option("--codebook", help="Id of a current codebook; with --text, a codebook FILE.")
@click.option("--frame", help="Explain this frame.  [default: those carried or uncertain, else the likeliest]")
@click.option("--json", "as_json", is_flag=True, help="For another program to read.")
def why(*, post_id: int | None, text: str | None, codebook: str | None, frame: str | None, as_json: bool) -> None:
    """Why a post got its frames: nearest examples and counterexamples, and the words that carried it.

    POST_ID is our number of a stored post, as the API and the address of its page in the console have it.
    """
    if (post_id is None) == (text is None):
        raise click.UsageError("give the number of a post, or --text and --codebook FILE")
    if text is not None and codebook is None:
        raise click.UsageError("--text needs --codebook FILE")
    found = _of_post(post_id, frame, codebook) if post_id is not None else _of_text(text or "", codebook or "", frame)
    if as_json:
        house.echo_json(found.model_dump(mode="json"))
    else:
        _show(found, Console(highlight=False, soft_wrap=True))


def _of_post(post_id: int, frame: str | None, codebook: str | None) -> wire_why.Why:
    from services.classifier.resting import Resting
    from services.cli.classify import encoder_of
    from services.store.pool import Store
    from services.usecases.why import why_post

    conf = house.load()
    store = Store(conf.database_url, size=2, name="framewatch cli")
    model = Resting(lambda: encoder_of(conf))
    try:
        return why_post(store, model, post_id, frame=frame, codebook=codebook)
    finally:
        model.rest()
        store.close()


def _of_text(text: str, file: str, frame: str | None) -> wire_why.Why:
    from services.analysis.text import text_for_encoder
    from services.classifier import learn_codebook, learn_stance
    from services.cli.classify import encoder_of
    from services.usecases.why import Subject, explain

    path = Path(file)
    if not path.is_file():
        raise PermanentError(Reason.BAD_INPUT, f"--codebook with --text is a file, and there is no file {file}")
    book = files.parse(path.read_text(encoding="utf-8"), file)
    conf = settings.load()
    encoder = encoder_of(conf)
    heads = learn_codebook(encoder, book, text_for_encoder)
    reader = learn_stance(encoder, text_for_encoder) if settings.stance_on(conf) else None
    subject = Subject(clean_text(text)[0], book, heads, encoder.name, reader=reader)
    return explain(subject, lambda: nullcontext(encoder), frame)


def _show(told: wire_why.Why, console: Console) -> None:
    if not told.reasons or told.reasons[0].words is None:
        console.print(Text(told.text))
    for reason in told.reasons:
        console.print()
        answer = "does not carry it" if reason.answer == "does not" else reason.answer
        head = f"{reason.title} ({reason.frame}): {answer}, probability {reason.probability:.1%}"
        head += f"; {_STANCES[reason.stance]} (experimental)" if reason.stance else ""
        console.print(Text(f"{head}; a post carries it from {reason.threshold:.1%}", style="bold"))
        _show_words(told, reason, console)
        _show_nearest(reason, console)
        parts = ", ".join(f"{name} {getattr(reason.shares, key):+.2f}" for key, name in _SHARES.items())
        console.print(Text(f"  weights: {parts}; {_together(reason)}"))
    if told.reasons:
        console.print(Text(_READING))


def _together(reason: wire_why.FrameReasons) -> str:
    if reason.log_odds is None:
        return "but a post without any letter or digit carries nothing"
    return f"together {reason.log_odds:+.2f}, which is {reason.probability:.1%}"


def _show_words(told: wire_why.Why, reason: wire_why.FrameReasons, console: Console) -> None:
    if reason.words is None:
        console.print(Text(f"  words: not told, {told.words_missing}"))
        return
    styles = ["bold red" if word.change > 0 else "blue underline" for word in reason.words]
    spans = [(word.start, word.end) for word in reason.words]
    for piece, number in pieces(told.text, spans):
        console.print(Text(piece, style="" if number is None else styles[number]), end="")
    console.print()
    if reason.words:
        console.print(Text("  words that moved it: weight, probability without it"))
    for word in reason.words:
        console.print(Text(f"    {word.change:+.2f}  {word.without:6.1%}  {word.text}"))
    if not reason.words:
        console.print(Text("  no single word or phrase matters: leaving any of them out changes little"))


def _show_nearest(reason: wire_why.FrameReasons, console: Console) -> None:
    """What of the codebook lies near and weighs something; what weighs next to nothing is said not to."""
    for name, items in (
        ("the frame's description", (reason.description,)),
        ("nearest examples", reason.examples),
        ("nearest that speak against it", reason.counterexamples),
    ):
        heavy = [item for item in items if abs(item.push) >= LEAST_WEIGHT]
        console.print(Text(f"  {name}:" if heavy else f"  {name}: none near enough to weigh {LEAST_WEIGHT:g} or more"))
        for item in heavy:
            figures = f"{item.push:+.2f}  meaning {item.meaning:.2f}, wording {item.wording:.2f}"
            of = {"other frame": f"{item.kind} {', '.join(item.frames)}: ", "description": "", "example": ""}
            console.print(Text(f"    {figures}  {of.get(item.kind, item.kind + ': ')}{' '.join(item.text.split())}"))
