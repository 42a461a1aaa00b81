"""By which name a shell finds this program here, so that every command it prints can be copied as it stands.

Messages are written with the plain name everywhere; this is the one place that knows better, at the way out.
"""

import re
import shlex
import shutil
import sys
from functools import cache
from pathlib import Path

import click

NAME = "framewatch"


def called() -> str:
    """`framewatch` where the shell finds this very program by that name, else the path to it (see from_here)."""
    ours = Path(sys.executable).with_name(NAME)
    found = shutil.which(NAME)
    if not ours.exists() or (found and Path(found).resolve() == ours.resolve()):
        return NAME
    return from_here(ours)


def from_here(path: Path) -> str:
    """A path as a shell takes it: from the folder we stand in where it lies below that, else whole."""
    try:
        below = path.relative_to(Path.cwd())
    except (OSError, ValueError):  # elsewhere, or the folder we stand in is gone
        return shlex.quote(str(path))
    return shlex.quote(str(below) if len(below.parts) > 1 else f"./{below}")


def as_called(text: str) -> str:
    """`text` with each of our commands in it as it is called here."""
    return _commands().sub(lambda _: called(), text)


def say(text: str, *, err: bool = False) -> None:
    """Print a message that may hold commands."""
    click.echo(as_called(text), err=err)


@cache
def _commands() -> re.Pattern[str]:
    from services.cli import COMMANDS

    return re.compile(rf"(?<![\w./-]){NAME}(?= (?:{'|'.join(COMMANDS)})\b)")
