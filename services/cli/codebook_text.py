"""The text of a codebook's file, as it is: what is checked, previewed and applied is one and the same."""

from pathlib import Path

from schemas.errors import PermanentError, Reason


def text_of(file: Path) -> str:
    """The text as it is, line ends too. Raises PermanentError(BAD_CODEBOOK) for what is no UTF-8."""
    try:
        return file.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        line = file.read_bytes().count(b"\n", 0, error.start) + 1
        raise PermanentError(Reason.BAD_CODEBOOK, f"{file}:{line}: this is not UTF-8; save it as UTF-8") from error
