"""Opens files below one folder, and no other: links and `..` that lead outside are refused. Must not write."""

from pathlib import Path
from typing import BinaryIO

from schemas.errors import PermanentError, Reason, TransientError


def open_below(folder: Path, address: str) -> BinaryIO:
    """The regular file at `address`, relative to `folder` or absolute, open for reading.

    Raises PermanentError: BLOCKED_ADDRESS outside `folder`, BAD_ADDRESS for what is no path or no regular
    file. Raises TransientError: NOT_FOUND, NO_ACCESS.
    """
    try:
        root = folder.resolve()
        path = (root / address).resolve()
        if not path.is_relative_to(root):
            raise PermanentError(
                Reason.BLOCKED_ADDRESS,
                f"{address!r} lies outside {root}, the only folder files are read from. Put the file there, or set "
                "FRAMEWATCH_FILES.",
            )
        if path.exists() and not path.is_file():
            raise PermanentError(Reason.BAD_ADDRESS, f"{address!r} is not a regular file.")
        return path.open("rb")
    except FileNotFoundError as error:
        raise TransientError(
            Reason.NOT_FOUND, f"There is no file {address!r} in {folder}: only files put there are read."
        ) from error
    except (ValueError, RuntimeError) as error:  # U+0000, links in a circle
        raise PermanentError(Reason.BAD_ADDRESS, f"{address!r} cannot be the path of a file.") from error
    except OSError as error:
        raise TransientError(Reason.NO_ACCESS, f"{address!r} cannot be read: {error.strerror}.") from error
