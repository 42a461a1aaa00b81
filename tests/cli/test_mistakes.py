"""A mistake at the command line: the thing is named, the way out is told, and the exit status is not 0."""

import re

import psycopg
import pytest

from services.cli.calling import called
from services.store.pool import Store
from tests.api.seeded import add_codebook
from tests.cli.test_commands import Run, run
from tests.cli.test_json import COMMANDS
from tests.conftest import named

__all__ = ["run"]
MISTAKES = [
    "alerts show nope", "alerts recheck nope", "alerts ack nope", "alerts resolve nope", "alerts snooze nope --until 4h",
    "alerts snooze ab --until nope", "alerts list --frame nope", "alerts mute --frame nope", "alerts mute --feed 999",
    "alerts unmute --frame nope", "alerts rules remove nope", "alerts rules set x nope=1", "alerts dry-run --rule nope",
    "trends nope", "trends staged-theatrics --since nope", "trends staged-theatrics --version 999",
    "trends staged-theatrics --source nope", "posts list --frame nope", "posts list --since nope",
    "posts list --source nope", "posts delete nope x", "codebook show nope", "codebook log nope", "codebook export nope",
    "codebook rollback nope", "codebook check nope.yaml", "codebook apply nope.yaml", "codebook import nope.yaml",
    "codebook preview nope.yaml", "codebook evaluate nope.yaml --posts nope.jsonl", "suggestions list --codebook nope",
    "suggestions show 999", "suggestions adopt 999", "suggestions dismiss 999", "suggestions reopen 999",
    "suggest --codebook nope", "feeds add nope", "feeds check nope", "feeds parse nope.xml", "feeds import nope",
    "feeds remove 999", "feeds set-state 999 paused", "feeds set-state 1 nope", "feeds export --format nope",
    "label judge nope", "label examples nope", "label export --frame nope", "label import nope.jsonl",
    "label threshold nope --precision 0.9", "digest preview nope", "digest send nope", "digest readers nope",
    "digest remove nope", "digest add --cron nope", "channels test nope", "channels quiet nope none",
    "channels remove nope", "channels add x nope url=y", "tokens revoke nope", "tokens create x --scope nope", "why 999",
    "classify --codebook nope.yaml --input nope.jsonl", "replay nope.jsonl", "detect --input nope.csv", "top --every 999999",
    "up nope", "status nope", "doctor nope", "verify nope", "migrate nope", "codebook list nope", "codebook status nope",
    "codebook schema nope", "feeds list nope", "label list --nope", "alerts rules list nope", "digest list nope",
    "channels kinds nope", "channels list nope", "tokens list nope", "posts retry nope",
    "channels retry nope",
]  # fmt: skip
"""Each command with something it cannot know: `nope`, or a number 999."""
WAY_OUT = re.compile(
    r"framewatch [a-z]+|known are|there are the packs|is not one of|must be|does not exist|write 20|not in the range|name it|"
    r"[Tt]ry '|--help"
)


@pytest.fixture(scope="module")
def database(postgres_url: str, template: str) -> str:
    """One house for all: nothing that is refused changes it."""
    name = f"{template}_mistakes"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"drop database if exists {name}")
        connection.execute(f"create database {name} template {template}")
    store = Store(named(postgres_url, name), size=1)
    add_codebook(store)
    store.close()
    return named(postgres_url, name)


@pytest.mark.parametrize("line", MISTAKES)
def test_a_mistake_names_the_thing_and_the_way_out(
    line: str, run: Run, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FRAMEWATCH_DATABASE_URL", database)
    code, out, err = run(*line.split())
    assert code != 0, out
    assert out == "", "what is wrong goes to standard error"
    assert re.search("nope|999", err), err
    assert WAY_OUT.search(err), err
    assert "Traceback" not in err


def test_every_command_is_tried() -> None:
    tried = {
        next(name for name in sorted(COMMANDS, key=len, reverse=True) if line.startswith(name)) for line in MISTAKES
    }
    assert tried == set(COMMANDS)


def test_help_of_every_command_can_be_read(run: Run) -> None:
    for name in COMMANDS:
        assert f"Usage: {called()} {name}" in run(*name.split(), "--help")[1]
