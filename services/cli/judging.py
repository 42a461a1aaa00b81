"""Asks a person about posts, one after the other, and keeps each answer at once. Shows nothing of what a model said."""

import getpass
import secrets
import sys
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import click

from schemas.errors import PermanentError, Reason
from schemas.wire_labels import judge_name
from schemas.wire_quality import Quality
from services.analysis.naming import language, many
from services.cli import house
from services.store import draws, feeds, labels, qualities, readings
from services.store.pool import Connection, Row

ANSWERS: dict[str, labels.Answer] = {"y": "yes", "n": "no", "u": "unsure"}
BACK, QUIT = "b", "q"
ISOLATED = "\u2068{}\u2069"
"""Text of any direction, shut off from what stands around it (Unicode's isolates)."""


def name(given: str | None) -> str:
    """A judge's name: the one given, else the user's. Raises PermanentError(BAD_INPUT) for what is no name."""
    try:
        found = judge_name(given if given is not None else getpass.getuser())
    except (ValueError, OSError, KeyError) as error:
        raise PermanentError(Reason.BAD_INPUT, "say who judges: --judge NAME, one line without blanks around it") from (
            error
        )
    if not 0 < len(found) <= 60:
        raise PermanentError(Reason.BAD_INPUT, "a judge's name has 1 to 60 letters: --judge NAME")
    return found


def judge(frame: str | None, codebook: str | None, *, who: str, count: int) -> None:
    """Ask `who` about up to `count` posts of a frame, or of the one that most wait for; then tell how good it is."""
    with house.transaction() as tx:
        about = _frame(tx, frame, codebook, who)
        waiting = _waiting(tx, about, who, count)
    if not waiting:
        click.echo(f"{about['title']}: no post waits for {who}. Each week's are drawn when the week is over.")
    else:
        click.echo(f"{about['title']}: {about['description']}\n")
        kept = _ask_all(about, waiting, who)
        click.echo(f"\n{many(len(kept), 'answer')} kept, for {who}.")
        if len(kept) == len(waiting) < count:
            click.echo("Those were all of the weeks so far; ask again to have the running week drawn, as far as it is.")
    with house.transaction() as tx:
        tell(qualities.read_quality(tx, house.now())[about["codebook"], about["frame"]], about["frame"])


def frame_of(tx: Connection, frame: str, codebook: str | None) -> Row:
    """One frame of a current codebook. Raises PermanentError(NOT_FOUND), also for `*`."""
    if frame == readings.EVERYTHING:
        raise PermanentError(Reason.NOT_FOUND, "all posts together are no frame; name one")
    return readings.current_frame(tx, frame, codebook)


def tell(quality: Quality, frame: str) -> None:
    """How good a frame is, in three lines at most."""
    click.echo(f"{frame}: {quality.told}")
    if quality.precision is None:
        # How many of them carry it is not said: after one answer that would tell what the model said.
        click.echo(f"Judged so far: {many(quality.judged, 'post')}, too few of them said to carry the frame.")
    if quality.recall is None:
        click.echo("recall is not known: too little of the rest was judged to say")
    else:
        click.echo(f"recall {quality.recall:.0%} (95% interval {quality.recall_low:.0%} to {quality.recall_high:.0%})")
    if quality.alpha is not None:
        kappa = "" if quality.kappa is None else f", Cohen's kappa {quality.kappa:.2f}"
        click.echo(
            f"{many(quality.judges, 'judge')}, {many(quality.judged_twice, 'post')} in common: "
            f"Krippendorff's alpha {quality.alpha:.2f}{kappa}"
        )


def _frame(tx: Connection, frame: str | None, codebook: str | None, who: str) -> Row:
    if frame is not None:
        return frame_of(tx, frame, codebook)
    draws.draw_last_week(tx, house.now(), secrets.randbits(53))
    oldest = labels.oldest_week(feeds.present(tx, house.now()))
    known = [f for f in labels.count_unjudged(tx, who, oldest) if codebook in (None, f["codebook"])]
    if not known:
        raise PermanentError(Reason.NOT_FOUND, "there is no frame yet; see: framewatch codebook apply --help")
    return max(known, key=lambda f: f["unjudged"])


def _waiting(tx: Connection, frame: Row, who: str, count: int) -> list[Row]:
    """Samples to be judged: of whole weeks; of the running one too where none are left, or too few for who begins."""
    now, seed = house.now(), secrets.randbits(53)
    present = feeds.present(tx, now)
    draws.draw_last_week(tx, now, seed)
    found = labels.next_unjudged(tx, frame, who, present=present, limit=count)
    if not found or (len(found) < count and _begins(tx, frame, who, len(found), present)):
        draws.draw_this_week(tx, now, seed)
        found = labels.next_unjudged(tx, frame, who, present=present, limit=count)
    return found


def _begins(tx: Connection, frame: Row, who: str, waiting: int, present: datetime) -> bool:
    """Whether all samples of a frame wait for this judge."""
    known = labels.count_unjudged(tx, who, labels.oldest_week(present))
    about = (frame["codebook"], frame["frame"], waiting)
    return any((f["codebook"], f["frame"], f["samples"]) == about for f in known)


def _ask_all(frame: Row, waiting: list[Row], who: str) -> set[int]:
    """Ask about each post; numbers of those answered."""
    keys, kept, place = _keys(), set[int](), 0
    while place < len(waiting):
        post = waiting[place]
        _show(post, f"{place + 1} of {len(waiting)}")
        said = _answer(keys, frame["title"])
        if said == QUIT:
            break
        if said == BACK:
            place = max(place - 1, 0)
            continue
        if _keep(frame, post["post_id"], who, ANSWERS[said]):
            kept.add(post["post_id"])
        place += 1
    return kept


def _keep(frame: Row, post_id: int, who: str, answer: labels.Answer) -> bool:
    about: dict[str, Any] = {"codebook": frame["codebook"], "frame": frame["frame"], "judge": who, "answer": answer}
    try:
        with house.transaction() as tx:
            labels.add_label(tx, **about, post_id=post_id, now=house.now())
    except PermanentError as error:
        click.echo(f"{error}; on to the next.", err=True)
        return False
    return True


def _show(post: Row, place: str) -> None:
    from rich.console import Console
    from rich.padding import Padding
    from rich.text import Text

    console = Console()
    console.print(Text(f"{place}   {language(post['lang'])}, {post['source']}, {post['published_at']:%d %b %Y}", "dim"))
    text = "\n".join(ISOLATED.format(line) for line in post["text"].splitlines())
    console.print(Padding(Text(text), (0, 2)), highlight=False)


def _answer(keys: Iterator[str], title: str) -> str:
    while True:
        click.echo(f"Does it carry: {title}?  [y]es [n]o [u]nsure [b]ack [q]uit ", nl=False)
        said = next(keys, QUIT)
        click.echo(said)
        if said in (*ANSWERS, BACK, QUIT):
            return said


def _keys() -> Iterator[str]:
    """What is pressed, key by key; from a pipe the first letter of each line. Ends where the input does."""
    if sys.stdin.isatty():
        while True:
            try:
                yield click.getchar().lower()
            except (EOFError, KeyboardInterrupt):
                return
    for line in sys.stdin:
        if line.strip():
            yield line.strip()[0].lower()
