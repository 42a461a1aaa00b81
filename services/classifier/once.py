"""Builds a folder at most once, whole or not at all, whoever else is building it. Knows nothing about models."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from schemas.errors import PermanentError, Reason


def built_once(target: Path, build: Callable[[Path], None]) -> Path:
    """`target`, after `build` has filled it if it was not there yet.

    The work is done in a folder beside it and renamed, so that a reader never sees half of it. Processes that
    come at once wait for the first; one killed half-way leaves only a folder that the next one clears away.
    Raises PermanentError(MODEL_UNAVAILABLE) when the folder cannot be written; what `build` raises passes through.
    """
    if target.is_dir():
        return target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _alone(target.with_name(f".{target.name}.lock")):
            if not target.is_dir():
                _build(target, build)
    except OSError as error:
        raise PermanentError(
            Reason.MODEL_UNAVAILABLE,
            f"cannot prepare the model in {target.parent}: {error}. Free some space or choose a writable folder.",
        ) from error
    return target


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _settle(file: Path) -> None:
    """Readable for other users too, and on the disk before the rename says that it is there."""
    file.chmod(0o755 if file.is_dir() else 0o644)
    if file.is_file():
        with file.open("rb") as written:
            os.fsync(written.fileno())


def _build(target: Path, build: Callable[[Path], None]) -> None:
    prefix = f".{target.name}.building-"
    for leftover in target.parent.glob(f"{prefix}*"):
        shutil.rmtree(leftover, ignore_errors=True)
    work = Path(tempfile.mkdtemp(prefix=prefix, dir=target.parent))
    try:
        build(work)
        work.chmod(0o755)
        for file in work.rglob("*"):
            _settle(file)
        work.rename(target)
    finally:
        shutil.rmtree(work, ignore_errors=True)
