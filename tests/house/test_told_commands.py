"""Every command that a page, a message or a document names exists, with the words and options it is named with."""

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from services.cli import COMMANDS, cli
from services.cli.label import Labelling

ROOT = Path(__file__).parents[2]
BOOKS = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/*.md"), *ROOT.glob("deploy/*.example")])
PROGRAMS = sorted(
    p for p in [*ROOT.glob("services/**/*"), *ROOT.glob("workers/**/*.py"), *ROOT.glob("schemas/**/*.py")]
    if p.suffix in (".py", ".html", ".txt")
)  # fmt: skip
TOLD = re.compile(rf"(?<![\w./-])framewatch ((?:{'|'.join(COMMANDS)})\b[^`\n\"'<>;:,|#…{{}}·\\]*)")


def named(text: str) -> Iterator[str]:
    """Each command that a text names, without `framewatch`."""
    yield from (found.strip() for found in TOLD.findall(text))


def faults(told: str) -> Iterator[str]:
    """What of a command as it is told does not exist: a word after a group, or an option."""
    command: click.Command = cli
    context = click.Context(cli)
    words = re.split(r"\s+", told)
    for place, word in enumerate(words):
        if isinstance(command, click.Group):
            found = command.get_command(context, word.rstrip(".,:)"))
            if found is None:
                if place == 0 or (word and word.islower() and not isinstance(command, Labelling)):
                    yield f"{' '.join(words[:place])} has no {word}"
                return
            command = found
        elif word.startswith("--") and word.rstrip(".,:)") not in {o for p in command.params for o in p.opts} | {
            "--help"
        }:
            yield f"{' '.join(words[:place])} has no option {word}"


def test_the_search_finds_what_it_is_for() -> None:
    assert list(named("see: framewatch feeds list; `framewatch up --demo`")) == ["feeds list", "up --demo"]
    assert not list(named("an older framewatch"))
    for good in ("feeds add URL", "label FRAME", "label list", "alerts dry-run --rule R --days 30", "up --demo"):
        assert not list(faults(good)), good
    for bad in ("feeds sing", "alerts dry-run --frame F", "status --loud", "label list --loud"):
        assert list(faults(bad)), bad


@pytest.mark.parametrize("path", [*BOOKS, *PROGRAMS], ids=lambda p: str(p.relative_to(ROOT)))
def test_what_is_told_to_be_typed_exists(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert [fault for told in named(text) for fault in faults(told)] == []


def printed_bare(text: str) -> Iterator[str]:
    """Commands in what is printed without `calling`, which knows by which name a shell finds us."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("click.echo", "console.print", "Text"):
            told = ast.unparse(node)
            if TOLD.search(told) and "as_called(" not in told:
                yield f"line {node.lineno}: {told}"


@pytest.mark.parametrize("path", sorted(ROOT.glob("services/cli/*.py")), ids=lambda p: p.name)
def test_a_printed_command_is_called_as_it_is_here(path: Path) -> None:
    assert list(printed_bare('click.echo(f"see: framewatch feeds list {n}")'))
    assert not list(printed_bare('calling.say("see: framewatch feeds list")'))
    assert list(printed_bare(path.read_text(encoding="utf-8"))) == []


def test_the_readme_is_typed_in_one_way() -> None:
    """After one line that says how, `framewatch` is the command; every line of a block of commands can be split."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    lines = [x.strip() for block in blocks for x in block.splitlines() if x.strip().strip("#") == x.strip() != ""]
    assert len(lines) > 10
    first = next(i for i, x in enumerate(lines) if x.startswith("framewatch"))
    assert lines[first - 1].startswith(". .venv/bin/activate")
    assert all(re.match(r"make |\. \.venv/bin/activate|framewatch [a-z]|curl '", x) for x in lines), lines
    assert all(shlex.split(x, comments=True) for x in lines)
    assert ".venv/bin/framewatch" not in text
