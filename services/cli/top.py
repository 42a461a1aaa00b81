"""framewatch top: what moves and how the pipeline does, as it happens, until q is pressed."""

import contextlib
import select
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import click
from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from schemas.errors import PermanentError, Reason, TransientError
from services import settings
from services.analysis.naming import many
from services.cli import board, calling, house
from services.store.pool import Store
from services.store.standing import read_standing

REST_LINES = 18
"""What a screen needs besides the frames."""


@click.command()
@click.option("--every", default=2.0, show_default=True, type=click.FloatRange(1, 3600), help="Seconds between looks.")
@click.option("--frames", "most", default=0, type=click.IntRange(0, 200), help="How many frames.  [default: as fit]")
@click.option("--once", is_flag=True, help="Look once and leave it on the screen.")
@click.option("--json", "as_json", is_flag=True, help="One look, for another program to read.")
def top(*, every: float, most: int, once: bool, as_json: bool) -> None:
    """What moves, and how the pipeline does, as it happens. q ends it."""
    console = Console()
    shown = most or max(console.size.height - REST_LINES, 3)
    store = Store(house.load().database_url, size=1, name="framewatch top", statement_timeout_s=10)

    def look() -> dict[str, Any]:
        with store.transaction() as tx:
            return read_standing(tx, house.now(), frames=shown)

    try:
        if as_json:
            house.echo_json(look())
        elif once:
            console.print(_screen(look(), {}, console.width))
        elif not console.is_terminal:
            raise PermanentError(Reason.BAD_INPUT, "this is no terminal; see: framewatch top --once, or --json")
        else:
            _watch(console, look, every)
    finally:
        store.close()


def _watch(console: Console, look: Callable[[], dict[str, Any]], every: float) -> None:
    """Draw every look until q, Ctrl-C or the end of input. A database that is away is told, and asked again."""
    before: dict[str, Any] | None = None
    # Ctrl-C may come while a look is taken, too.
    with (
        contextlib.suppress(KeyboardInterrupt),
        _keys() as pressed,
        Live(console=console, screen=True, auto_refresh=False) as live,
    ):
        began = time.monotonic()
        while True:
            try:
                found = look()
                passed = time.monotonic() - began
                done = board.rates(before, found, passed) if before else {}
                live.update(_screen(found, done, console.width), refresh=True)
                before, began = found, time.monotonic()
            except TransientError as error:
                live.update(Text(f"{error}\nLooking again in {every:g} s. q ends it.", style="red"), refresh=True)
            if pressed(every) in ("", "q", "Q", "\x03", "\x1b"):
                return


def _screen(found: dict[str, Any], done: dict[str, Any], width: int) -> Group:
    now = house.now()
    home = settings.home_of(settings.load())
    head = Text.assemble(("framewatch", "bold"), f"  {now:%H:%M:%S} UTC", ("   q ends it", "dim"))
    stream = (
        f"the stream is at {found['present']:%d %b %Y %H:%M} UTC · {many(found['sizes']['posts'], 'post')} · {home}"
    )
    parked = found["deliveries"].get("parked", 0)
    told = [head, Text(stream[: width - 1], style="dim", no_wrap=True), Text()]
    body = board.board(found, done, now, width=width)
    tail = (
        [Text(calling.as_called(f"{many(parked, 'message')} set aside: framewatch status"), style="bold red")]
        if parked
        else []
    )
    return Group(*told, body, *tail)


@contextlib.contextmanager
def _keys() -> Iterator[Callable[[float], str | None]]:
    """A function that waits for one key so many seconds; None when none came, "" when nobody can press any more."""
    try:
        import termios
        import tty
    except ImportError:  # pragma: no cover - no POSIX terminal: Ctrl-C ends it
        yield lambda seconds: time.sleep(seconds)
        return
    place = sys.stdin.fileno()
    try:
        kept = termios.tcgetattr(place)
    except termios.error:
        yield lambda seconds: time.sleep(seconds)
        return
    try:
        tty.setcbreak(place)
        yield _pressed
    finally:
        termios.tcsetattr(place, termios.TCSADRAIN, kept)


def _pressed(seconds: float) -> str | None:
    ready, _, _ = select.select([sys.stdin], [], [], seconds)
    return sys.stdin.read(1) if ready else None
