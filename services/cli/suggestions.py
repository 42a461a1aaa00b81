"""framewatch suggestions: stories that no frame stands for yet; list and show them, adopt one, dismiss one."""

from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.table import Table

from schemas.errors import PermanentError, Reason
from services.analysis.drafting import readable
from services.analysis.naming import language, many
from services.cli import calling, house
from services.cli.codebook_preview import preview
from services.store import codebooks, drafts
from services.store import suggestions as rows
from services.store.pool import Connection, Row

if TYPE_CHECKING:
    from services.usecases import suggesting

AS_JSON = house.json_option
NUMBER = click.argument("suggestion_id", type=click.IntRange(1, 2**63 - 1), metavar="ID")
BARS = " ▁▂▃▄▅▆▇█"
PARTS = {"coherence": "likeness of its posts (coherence)", "independence": "independence of its voices"}
"""What people are told of parts of a score whose names do not say it."""


@click.group()
def suggestions() -> None:
    """Stories in posts that match no frame: list, show, adopt, dismiss."""


@suggestions.command(name="list")
@click.option("--state", type=click.Choice([*rows.STATES, "all"]), default="open", show_default=True)
@click.option("--codebook", default=None, help="Only of this codebook.")
@click.option("--limit", type=click.IntRange(1, rows.MOST), default=20, show_default=True)
@AS_JSON
def list_suggestions(*, state: str, codebook: str | None, limit: int, as_json: bool) -> None:
    """The most promising first: how it grows, whether it is many voices, how large, how new."""
    states = None if state == "all" else [state]
    with house.transaction() as tx:
        found = rows.list_suggestions(tx, codebook=codebook, states=states, limit=limit)
        runs = rows.list_runs(tx)
        _check(tx, codebook)
    if as_json:
        house.echo_json(found)
        return
    if not found:
        calling.say(_nothing(state, runs), err=True)
        return
    table = Table("id", "score", "14 days", "voices", "since", "languages", "about", box=None, pad_edge=False)
    for column in table.columns[:-1]:
        column.no_wrap = True
    for s in found:
        first, *others = list(s["langs"])[:9] or ["und"]
        langs = f"{language(first)} +{len(others)}" if others else language(first)
        about = s["title"] if s["state"] == "open" or state != "all" else f"[{s['state']}] {s['title']}"
        table.add_row(str(s["suggestion_id"]), f"{s['score']:.2f}", sparkline(s["days"]), str(s["units"]),
                      f"{s['first_seen']:%d %b}", langs, about)  # fmt: skip
    Console().print(table)


@suggestions.command()
@NUMBER
@AS_JSON
def show(*, suggestion_id: int, as_json: bool) -> None:
    """One suggestion: what its score is made of, typical posts, near misses, and a drafted frame."""
    with house.transaction() as tx:
        told = drafts.tell_suggestion(tx, suggestion_id)
    if as_json:
        draft = told.draft and told.draft.model_dump(mode="json", exclude_defaults=True)
        house.echo_json({**told.row, "typical_posts": told.typical, "near_misses": told.near, "draft": draft})
        return
    row = told.row
    parts = ", ".join(f"{PARTS.get(name, name)} {value:.2f}" for name, value in row["parts"].items())
    click.echo(f"{row['suggestion_id']}  {row['title']}  ({row['state']})")
    click.echo(f"score {row['score']:.2f}, from 0 to 1 each: {parts}")
    click.echo(
        f"{many(row['units'], 'voice')} in {many(row['posts'], 'post')} by {many(row['authors'], 'author')} since "
        f"{row['first_seen']:%d %b %Y %H:%M} UTC   {sparkline(row['days'])}"
    )
    for lang in dict.fromkeys(t["lang"] for t in row["terms"]):
        click.echo(f"{language(lang)}: {', '.join(t['term'] for t in row['terms'] if t['lang'] == lang)}")
    for name, posts in (("typical", told.typical), ("near misses", told.near[:4])):
        click.echo(f"\n{name}:")
        for post in posts:
            click.echo(f"  {language(post['lang'])}: {shorten(readable(post['text']), 150)}")
    if row["state"] == "open":
        number = row["suggestion_id"]
        calling.say(
            f"\nMake it a frame of the current codebook: framewatch suggestions adopt {number} > codebook.yaml"
            f"\nOr of a file you have: framewatch suggestions adopt {number} --into FILE"
        )


@suggestions.command()
@NUMBER
@click.option("--into", type=click.Path(path_type=Path, exists=True, dir_okay=False), default=None,
              help="Add the frame to this codebook file; else the current codebook with it is printed.")  # fmt: skip
@click.option("--id", "frame", default=None, help="Id of the frame; else one is drafted.")
@click.option("--title", default=None, help="Its title; else the drafted one.")
@click.option("--preview/--no-preview", "previewed", default=True, show_default=True,
              help="With --into: show what the frame would change on stored history.")  # fmt: skip
@AS_JSON
@click.pass_context
def adopt(
    ctx: click.Context, *, suggestion_id: int, into: Path | None, frame: str | None, title: str | None,
    previewed: bool, as_json: bool,
) -> None:  # fmt: skip
    """Draft a frame from suggestion ID and add it to a codebook, to be edited, previewed and applied."""
    text = into.read_text(encoding="utf-8") if into else None
    with house.transaction() as tx:
        named = {"id": frame, "title": title}
        done = drafts.adopt_suggestion(tx, suggestion_id, now=house.now(), by="cli", text=text, **named)
        if into:
            into.write_text(done.text, encoding="utf-8")
    if as_json:
        told = done.frame.model_dump(mode="json", exclude_defaults=True)
        house.echo_json({"suggestion": done.row, "frame": told, "codebook": done.text})
        return
    if into is None:
        click.echo(done.text, nl=False)
    elif previewed:
        ctx.invoke(preview, file=into, days=30, as_json=False)
    file = into or "FILE"
    calling.say(
        f"\nDrafted the frame {done.frame.id} with {many(len(done.frame.examples), 'example')} and "
        f"{many(len(done.frame.counterexamples), 'counterexample')}. Read them in the file and put them right; then:\n"
        f"  framewatch codebook preview {file}\n  framewatch codebook apply {file}",
        err=True,
    )


@suggestions.command()
@NUMBER
@AS_JSON
def dismiss(*, suggestion_id: int, as_json: bool) -> None:
    """Say that suggestion ID is no frame: it does not come back unless it grows to three times its size."""
    said = f"Dismissed {suggestion_id}. Changed your mind: framewatch suggestions reopen {suggestion_id}"
    _decide(suggestion_id, "dismissed", None if as_json else said)


@suggestions.command()
@NUMBER
@AS_JSON
def reopen(*, suggestion_id: int, as_json: bool) -> None:
    """Take back that suggestion ID was adopted or dismissed."""
    _decide(suggestion_id, "open", None if as_json else f"{suggestion_id} is open again.")


@click.command()
@click.option("--now", "at_once", is_flag=True, help="Not only when the day's groups are due (03:00 UTC).")
@click.option("--codebook", default=None, help="Only for this codebook.")
@AS_JSON
def suggest(*, at_once: bool, codebook: str | None, as_json: bool) -> None:
    """Group the posts that match no frame, here and now, as the workers do every night."""
    from services.store.clock import SharedClock
    from services.store.feeds import present as present_of
    from services.store.pool import Store
    from services.usecases import suggesting

    store = Store(house.load().database_url, size=2, name="framewatch suggest")
    clock = SharedClock(store)
    try:
        with store.transaction() as tx:
            rows.add_runs(tx)
            _check(tx, codebook)
            if at_once and not rows.ask_runs(tx, codebook):
                raise PermanentError(Reason.NOT_FOUND, "no codebook is current; see: framewatch codebook apply --help")
            present = present_of(tx, clock())
        done: list[suggesting.Told] = []
        while claimed := suggesting.claim(store, suggesting.slot_of(present), timedelta(minutes=10), codebook):
            told = suggesting.suggest(store, claimed, present=present, now=clock(), tell=_progress)
            done.append(told)
            if not as_json:
                calling.say(_made(told))
        if as_json:
            house.echo_json([asdict(told) for told in done])
        if not done:
            calling.say(
                "Nothing is due, or a worker is at it. To do it all the same: framewatch suggest --now", err=True
            )
    finally:
        store.close()


def sparkline(days: list[dict[str, Any]]) -> str:
    """Units a day as one line of bars."""
    most = max((d["units"] for d in days), default=0) or 1
    return "".join(BARS[-(-d["units"] * (len(BARS) - 1) // most)] for d in days)


def _decide(suggestion_id: int, state: str, said: str | None) -> None:
    """Decide, and say so in words, or tell the suggestion as JSON."""
    with house.transaction() as tx:
        row = rows.decide_suggestion(tx, suggestion_id, state, now=house.now(), by="cli")
    house.echo_json(row) if said is None else calling.say(said)


def _check(tx: Connection, codebook: str | None) -> None:
    """Raises PermanentError(NOT_FOUND) for a codebook of which none is current."""
    if codebook not in {None, *(c["codebook"] for c in codebooks.current_codebooks(tx))}:
        told = f"no codebook {codebook} is current; see: framewatch codebook list"
        raise PermanentError(Reason.NOT_FOUND, told)


def _nothing(state: str, runs: list[Row]) -> str:
    if state not in ("open", "all"):
        return f"No suggestion is {state}."
    made = [r["ran_at"] for r in runs if r["ran_at"]]
    if not made:
        return "Posts that match no frame have not been grouped yet: it is done at night. Now: framewatch suggest --now"
    told = sum(r["posts"] for r in runs if r["ran_at"])
    return f"Nothing stands out among {many(told, 'post')} without a frame ({max(made):%d %b %Y %H:%M} UTC)."


def _made(told: "suggesting.Told") -> str:
    return (
        f"{told.codebook}: {many(told.posts, 'post')} without a frame; in groups {told.grouped:,} of "
        f"{many(told.units, 'text')}; {many(told.suggestions, 'suggestion')}. See: framewatch suggestions list"
    )


def _progress(what: str) -> None:
    click.echo(f"… {what}", err=True)
