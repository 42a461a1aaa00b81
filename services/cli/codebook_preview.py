"""framewatch codebook preview: what a codebook would change on stored history, for people and as JSON."""

from pathlib import Path
from textwrap import shorten

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from schemas import wire_codebooks as wire
from services.analysis.naming import many
from services.cli import calling, house
from services.cli.alert_rules import default_rule
from services.cli.codebook_text import text_of
from services.store.dry_run import MAX_DAYS

_BARS = "▁▂▃▄▅▆▇█"
_LONGEST_TREND = 60
"""Days drawn; of a longer history the last ones."""


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--days", type=click.IntRange(1, MAX_DAYS), default=30, show_default=True,
              help="Days of history on which past alerts are replayed.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="For another program to read.")
def preview(*, file: Path, days: int, as_json: bool) -> None:
    """Show what FILE would change on stored history: posts, trends, alerts. Nothing is written."""
    told = _asked(file, days)
    if as_json:
        house.echo_json(told.model_dump(mode="json"))
    else:
        _show(told, file, Console(highlight=False, soft_wrap=True))


def _asked(file: Path, days: int) -> wire.Preview:
    from services.classifier.resting import Resting
    from services.cli.classify import encoder_of
    from services.store.pool import Store
    from services.usecases.previewing import preview as previewed

    conf = house.load()
    text, model = text_of(file), Resting(lambda: encoder_of(conf))
    store = Store(conf.database_url, size=2, name="framewatch cli")
    bar = Progress(TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), console=Console(stderr=True),
                   transient=True)  # fmt: skip
    try:
        with bar:
            task = bar.add_task("", total=1.0)
            return previewed(
                store, model, text, now=house.now(), name=str(file), rule=default_rule(), days=days,
                told=lambda what, share: bar.update(task, description=what, completed=share),
            )  # fmt: skip
    finally:
        model.rest()
        store.close()


def _show(told: wire.Preview, file: Path, console: Console) -> None:
    against = f"version {told.version}" if told.version else "nothing: it is new"
    console.print(f"{told.codebook} against {against}, over {many(told.posts, 'stored post')}")
    if told.left_out:
        console.print(f"Left out: {many(told.left_out, 'stored post')} that the model has not read yet")
    table = Table("frame", "now", "then", "gained", "lost", "", box=None, pad_edge=False)
    for f in told.frames:
        style = "bold" if f.gained or f.lost or f.change != "kept" else None
        change = "" if f.change == "kept" else f.change
        table.add_row(f.frame, f"{f.before:,}", f"{f.after:,}", f"+{f.gained:,}", f"−{f.lost:,}", change, style=style)
    console.print(table)
    for f in told.frames:
        if f.gained or f.lost or f.alerts_appear or f.alerts_vanish:
            _show_frame(f, console)
    console.print(f"\n{many(told.moved, 'post')} would move. Nothing was written; this took {told.took_seconds:.1f} s.")
    console.print(
        calling.as_called(f"To make it current (about {told.apply_seconds:.0f} s): framewatch codebook apply {file}")
    )


def _show_frame(frame: wire.FramePreview, console: Console) -> None:
    console.print(Text(f"\n{frame.title} ({frame.frame})", style="bold"))
    for name, items in (
        ("sources", [(s.source, s.gained, s.lost) for s in frame.sources]),
        ("weeks", [(f"{w.week:%d %b %Y}", w.gained, w.lost) for w in frame.weeks[-8:]]),
    ):
        told = ", ".join(f"{label} +{gained:,} −{lost:,}" for label, gained, lost in items)
        console.print(f"  {name}: {told or 'none'}")
    days = frame.trend[-_LONGEST_TREND:]
    most = max([1, *(p.posts_before for p in days), *(p.posts_after for p in days)])
    if days:
        console.print(f"  days with posts, {days[0].at:%d %b %Y} to {days[-1].at:%d %b %Y}, at most {most:,}:")
        console.print(f"    now  {''.join(_bar(p.posts_before, most) for p in days)}")
        console.print(f"    then {''.join(_bar(p.posts_after, most) for p in days)}")
    for name, alerts in (("would appear", frame.alerts_appear), ("would vanish", frame.alerts_vanish)):
        for a in alerts:
            about = f"{a.onset:%d %b %Y %H:%M} UTC, {many(a.posts, 'post')}, {many(a.units, 'voice')}"
            console.print(f"  an alert {name}: {about} (rule {a.rule})")
    for name, flips in (("gains it", frame.gains), ("loses it", frame.losses)):
        for flip in flips:
            was, is_ = ("–" if p is None else f"{p:.0%}" for p in (flip.before, flip.after))
            console.print(Text(f"  {name}  {was} → {is_}  {shorten(flip.text, 110)}"))


def _bar(posts: int, most: int) -> str:
    return " " if not posts else _BARS[min(posts * len(_BARS) // (most + 1), len(_BARS) - 1)]
