"""A command that framewatch prints can be copied as it stands: where it is not on the path, by the path it has."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from services.cli import COMMANDS, calling, up
from services.embedded.postgres import Postgres
from services.settings import Settings
from tests.cli.test_commands import Run, run, with_database

__all__ = ["run", "with_database"]
OURS = Path(sys.executable).with_name("framewatch")
BARE = os.pathsep.join(("/usr/local/bin", "/usr/bin", "/bin"))
"""A path on which no environment is active."""
TOLD = re.compile(rf"([^\s`]*framewatch (?:{'|'.join(COMMANDS)})(?: [^\s;`,.)]+)*)")


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> Path:
    """In the folder a fresh clone is: beside its environment, which is not active."""
    monkeypatch.setenv("PATH", BARE)
    monkeypatch.chdir(OURS.parents[2])
    return OURS.parents[2]


def sh(command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=60)


def test_the_program_is_called_as_the_shell_finds_it(
    bare: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    name = calling.called()
    assert name == str(OURS.relative_to(bare))
    assert sh(f"{name} --version").stdout.startswith("framewatch, version")
    monkeypatch.setenv("PATH", f"{OURS.parent}{os.pathsep}{BARE}")
    assert calling.called() == "framewatch"
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{BARE}")
    shutil.copy("/bin/true", tmp_path / "framewatch")
    assert calling.called() == name, "somebody else's program of our name"
    monkeypatch.chdir(OURS.parent)
    assert sh(f"{calling.called()} --version").stdout.startswith("framewatch, version")
    monkeypatch.chdir(tmp_path)
    assert sh(f"{calling.called()} --version").stdout.startswith("framewatch, version")
    assert calling.from_here(tmp_path / "a b" / "c") == "'a b/c'"


def test_only_commands_of_ours_are_named_by_path(bare: Path) -> None:
    name = calling.called()
    assert calling.as_called("see: framewatch feeds list; `framewatch up`") == f"see: {name} feeds list; `{name} up`"
    for text in ("an older framewatch (or none)", "framewatch is up", "/opt/framewatch status", f"{name} up"):
        assert calling.as_called(text) == text


@pytest.mark.usefixtures("bare", "with_database")
def test_what_is_printed_can_be_run(run: Run) -> None:
    """Every command that an empty house points to, copied into a shell that knows nothing of us."""
    asked = (
        "digest list", "digest send", "tokens list", "channels list", "suggestions list", "doctor", "alerts show none",
        "feeds remove 9", "channels test none", "codebook show none", "alerts rules remove none", "alerts rules set all min_posts=9",
        "channels add team slack url=https://hooks.slack.com/services/T/B/x",
    )  # fmt: skip
    told = {command for words in asked for command in TOLD.findall("".join(run(*words.split())[1:]))}
    assert len(told) >= 10, told
    name = calling.called()
    for command in told:
        assert command.startswith(f"{name} "), command
        code, _, err = run(*shlex.split(command.removeprefix(name)), "--help")
        assert code == 0, f"{command}: {err}"
    whole = sorted(c for c in told if c.split()[-1] in ("list", "kinds"))
    assert len(whole) > 2
    for command in whole[:3]:
        done = sh(command)
        assert done.returncode == 0, f"{command}: {done.stderr}"


@pytest.mark.usefixtures("bare")
def test_a_house_that_was_stopped_is_told_at_once_and_once(run: Run, tmp_path: Path) -> None:
    """No five seconds of waiting for a server of our own that is known not to run, no lines of the pool."""
    secret = tmp_path / "home" / "postgres" / "framewatch.password"
    secret.parent.mkdir(parents=True)
    secret.write_text("x")
    (tmp_path / "home" / "postgres.port").write_text("1")
    for command in ("verify", "feeds list", "why 1"):
        code, out, err = run(*command.split())
        assert (code, out, len(err.splitlines())) == (1, "", 1), err
        assert err.rstrip().endswith(f"Go on: {calling.called()} up"), err


@pytest.mark.usefixtures("bare")
def test_without_a_house_the_way_to_one_can_be_copied(run: Run) -> None:
    code, _, told = run("verify")
    assert (code, f"`{calling.called()} up`" in told) == (1, True)
    assert f"Try '{calling.called()} feeds add --help'" in run("feeds", "add")[2]


def test_what_up_says_can_be_copied_into_another_shell(
    bare: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    class NoMail:
        serves = False

    up._announce(Settings(), tmp_path / "a home", NoMail())  # type: ignore[arg-type]
    said = capsys.readouterr().out
    lines = [x.strip() for x in said.splitlines()]
    export = next(x for x in lines if x.startswith("export "))
    assert sh(f'{export}; printf %s "$FRAMEWATCH_HOME"').stdout == str(tmp_path / "a home")
    commands = [x for x in lines if x.startswith(f"{calling.called()} ")]
    assert len(commands) == len(up.LOOKS)
    for command in (commands[0], commands[-1]):
        name = command.split("  ")[0]
        assert sh(f"{export}; {name} --help").returncode == 0, name
    active = re.search(r"`(\. [^`]+)` in that shell", said)
    assert active
    assert sh(f"{active[1]}; framewatch --version").stdout.startswith("framewatch, version")
    assert bare.joinpath(active[1].removeprefix(". ")).exists()
    assert not Postgres(tmp_path / "a home").process
