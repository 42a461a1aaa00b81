"""Files the embedded servers share: private ones written whole or not at all, and logs of bounded size."""

import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

LOG_BYTES = 10_000_000
_TAIL_BYTES = 8_000


def write_private(path: Path, text: str) -> None:
    """Replace `path` by `text`, readable by its owner only; a crash leaves the old file or the new one."""
    draft = path.with_name(f".{path.name}.new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def open_log(path: Path) -> BinaryIO:
    """The log opened for a child to append to, its folder made if missing."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path.open("ab", buffering=0)


def rotate_log(path: Path) -> None:
    """Put the log aside as `<name>.1`, replacing an older one; for when nobody writes to it."""
    with suppress(FileNotFoundError):
        if path.stat().st_size:
            path.replace(_aside(path))


def bound_log(path: Path, limit: int = LOG_BYTES) -> None:
    """Copy a log of more than `limit` bytes aside and empty it; whoever appends to it goes on undisturbed."""
    with suppress(FileNotFoundError):
        if path.stat().st_size > limit:
            shutil.copyfile(path, _aside(path))
            os.truncate(path, 0)


def log_size(path: Path) -> int:
    """Bytes in the log; 0 when there is none."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def tail(path: Path, lines: int = 12, since: int = 0) -> str:
    """The last lines of the log, at most from byte `since` on; empty when there are none."""
    try:
        with path.open("rb") as file:
            file.seek(max(since, file.seek(0, os.SEEK_END) - _TAIL_BYTES))
            text = file.read().decode("utf-8", errors="replace")
    except FileNotFoundError:
        return ""
    return "\n".join([line for line in text.splitlines() if line.strip()][-lines:])


def _aside(path: Path) -> Path:
    return path.with_name(f"{path.name}.1")
