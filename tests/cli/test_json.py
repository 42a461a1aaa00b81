"""Every command that reads has --json, and what it then prints is JSON."""

import json

import click
import pytest

from services.cli import cli
from tests.cli.test_commands import run, with_database

__all__ = ["run", "with_database"]

WRITES = {
    "up", "migrate", "replay", "classify", "detect",
    "feeds add", "feeds import", "feeds remove", "feeds set-state", "feeds export",
    "codebook apply", "codebook check", "codebook schema", "codebook rollback", "codebook export", "codebook import",
    "label examples", "label export", "label import", "label judge",
    "alerts ack", "alerts mute", "alerts resolve", "alerts snooze", "alerts unmute", "alerts rules remove",
    "alerts rules set", "digest add", "digest remove", "digest send",
    "channels add", "channels quiet", "channels remove", "channels test", "tokens revoke", "posts delete",
    "posts retry", "suggest", "suggestions dismiss", "suggestions reopen",
}  # fmt: skip
"""Commands that change something, or that write a file (or lines) of a form of its own."""
BY_THEMSELVES = [
    "status", "top", "verify", "doctor", "feeds list", "codebook list", "alerts list", "alerts rules list", "digest list",
    "digest readers", "channels list", "channels kinds", "tokens list",
]  # fmt: skip
"""Reading commands that need nothing to be named."""


def walked(command, path=()):
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            yield from walked(command.get_command(context, name), (*path, name))
    else:
        yield " ".join(path), command


COMMANDS = dict(walked(cli))


@pytest.mark.parametrize("name", [name for name in COMMANDS if name not in WRITES])
def test_a_command_that_reads_has_json(name):
    told = next((o for o in COMMANDS[name].params if "--json" in o.opts), None)
    assert told is not None, f"{name} reads and has no --json; if it changes something, name it in WRITES"
    assert told.is_flag
    assert told.help


@pytest.mark.parametrize("name", BY_THEMSELVES)
def test_what_it_prints_is_json_and_nothing_else(name, run, with_database):
    _, out, _ = run(*name.split(), "--json")
    json.loads(out)
