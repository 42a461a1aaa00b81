"""What runs in a home: a lock that one supervisor holds, and run.json that tells other commands about it.

It must never be trusted without the lock: a killed supervisor leaves run.json behind.
"""

import fcntl
import json
import os
import time
from pathlib import Path
from typing import TypedDict

from schemas.errors import PermanentError, Reason
from services.embedded import files

_TRIES = 5
"""A reader holds the lock for an instant, so a supervisor asks more than once."""


class ProcessState(TypedDict):
    """One supervised process: `state` is running, waiting (to be started again) or refused (bad configuration)."""

    pid: int | None
    state: str
    restarts: int
    log: str
    reason: str


class Run(TypedDict):
    """The content of run.json; `addresses` are the caller's, by name."""

    pid: int
    home: str
    processes: dict[str, ProcessState]
    addresses: dict[str, str]


def acquire(home: Path) -> int:
    """Lock the home for this process and return the descriptor that holds the lock until it is closed.

    Raises PermanentError(BAD_CONFIG) naming the process that holds it.
    """
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = os.open(home / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    for _ in range(_TRIES):
        if _locked(lock, fcntl.LOCK_EX):
            os.truncate(lock, 0)
            os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
            return lock
        time.sleep(0.05)
    pid = os.pread(lock, 20, 0).decode(errors="replace").strip()
    os.close(lock)
    raise PermanentError(
        Reason.BAD_CONFIG,
        f"framewatch already runs in {home} (process {pid}). Stop that one, or set FRAMEWATCH_HOME to another folder.",
    )


def write(home: Path, run: Run) -> None:
    """Replace run.json, readable by its owner only."""
    files.write_private(home / "run.json", json.dumps(run, indent=2, ensure_ascii=False) + "\n")


def read(home: Path) -> Run | None:
    """What runs in the home now, or None when nothing does."""
    try:
        lock = os.open(home / "lock", os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        if _locked(lock, fcntl.LOCK_SH):
            return None
        run: Run = json.loads((home / "run.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    else:
        return run
    finally:
        os.close(lock)


def remove(home: Path) -> None:
    """Forget run.json."""
    (home / "run.json").unlink(missing_ok=True)


def _locked(lock: int, kind: int) -> bool:
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
