"""Finds the house a command speaks to: its settings, its home, its database, and what runs in it."""

import getpass
import json
import logging
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from psycopg.errors import UndefinedColumn, UndefinedTable

from schemas.errors import PermanentError, Reason
from services import settings
from services.analysis.tabling import as_time
from services.settings import Settings
from services.store.pool import Connection, Store

if TYPE_CHECKING:
    from services.embedded.runfile import Run

json_option = click.option("--json", "as_json", is_flag=True, help="For another program to read.")
"""What every command has that tells facts."""


def load() -> Settings:
    """Settings with the database of the home filled in when none is named.

    Raises PermanentError(BAD_CONFIG) where that is to be our own and nothing runs.
    """
    # What the pool says of each try is for logs; a person is told once, with the way out.
    logging.getLogger("psycopg.pool").setLevel(logging.CRITICAL)
    conf = settings.load()
    if conf.database_url:
        return conf
    from services.embedded.postgres import Postgres

    home = settings.home_of(conf)
    conf = replace(conf, database_url=Postgres(home).url)
    if running(home) is None:
        raise PermanentError(
            Reason.BAD_CONFIG, f"nothing runs in {home}; everything is kept there. Go on: framewatch up"
        )
    return conf


@contextmanager
def transaction() -> Iterator[Connection]:
    """One transaction on the database of the house. Raises PermanentError(BAD_CONFIG) for one of an older version."""
    store = Store(load().database_url, size=2, name="framewatch cli")
    try:
        with store.transaction() as tx:
            yield tx
    except (UndefinedTable, UndefinedColumn) as error:
        told = "the database was made by an older framewatch (or by none); bring it up to date: framewatch migrate"
        raise PermanentError(Reason.BAD_CONFIG, told) from error
    finally:
        store.close()


def running(home: Path) -> "Run | None":
    """What `framewatch up` wrote down about its processes in this home; None when it does not run."""
    from services.embedded import runfile

    return runfile.read(home)


def files(conf: Settings) -> Path:
    """The folder that file feeds may read."""
    return settings.files_of(conf)


def author_key(home: Path) -> str:
    """The secret for pseudonyms of this home, made at first use (a file of mode 0600)."""
    path = home / "author.key"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_hex(32), encoding="ascii")
    key = path.read_text(encoding="ascii").strip()
    if len(key) < 16:
        raise PermanentError(Reason.BAD_CONFIG, f"{path} should hold the secret for author pseudonyms and is empty")
    return key


def author_secret(conf: Settings) -> bytes:
    """The secret for pseudonyms that the workers use: the operator's, or that of this home.

    Raises PermanentError(BAD_CONFIG) where there is neither: one of our own making would fit nothing of theirs.
    """
    home = settings.home_of(conf)
    if not conf.author_key and not (home / "author.key").exists():
        told = f"no secret for author pseudonyms in {home}; set FRAMEWATCH_AUTHOR_KEY (or _FILE) to that of the workers"
        raise PermanentError(Reason.BAD_CONFIG, told)
    return (conf.author_key or author_key(home)).encode()


def port(home: Path, name: str, preferred: int = 0) -> int:
    """The port this home had for `name` last time, else `preferred`, else a free one; remembered for next time."""
    from services.embedded import ports

    memory = home / f"{name}.port"
    found = ports.free(ports.recall(memory) or preferred)
    ports.remember(memory, found)
    return found


def who() -> str:
    """Who asks, for the audit: the operating system's name of this user."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return f"user {os.getuid()}"


def now() -> datetime:
    """The time of the wall."""
    return datetime.now(UTC)


def echo_json(value: Any) -> None:
    """Print JSON for another program to read."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2, default=plain))


def write_new(path: Path, text: str, *, overwrite: bool = False) -> None:
    """Write a file; raises PermanentError(BAD_INPUT) when one is there, unless it may be written over."""
    if path.exists() and not overwrite:
        raise PermanentError(Reason.BAD_INPUT, f"{path} is there already; name another file, or say --overwrite")
    path.write_text(text, encoding="utf-8")


def plain(value: Any) -> str:
    """What JSON has no word for: times as RFC 3339 in UTC, as the API has them, anything else as text."""
    return as_time(value)
