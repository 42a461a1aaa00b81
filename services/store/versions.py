"""Which version of a codebook is read: the current one, or an old one whose scores are kept. It writes nothing."""

from datetime import datetime, timedelta

from schemas.errors import PermanentError, Reason
from services.store import codebooks, trends
from services.store.pool import Connection, Row

BUCKET = timedelta(minutes=5)
EVERYTHING = "*"
"""The frame that stands for all posts."""


def current_frame(connection: Connection, frame: str, codebook: str | None = None) -> Row:
    """The row of a frame (or '*') of a current codebook. Raises PermanentError(NOT_FOUND)."""
    row = codebooks.find_frame(connection, frame, codebook)
    if row is not None:
        return {**row, "frame": EVERYTHING, "title": "All posts"} if frame == EVERYTHING else row
    known = [f for f in codebooks.list_frames(connection) if codebook in (None, f["codebook"])]
    where = "any current codebook" if codebook is None else f"the current codebook {codebook}"
    there = ", ".join(sorted({f["frame"] for f in known})) or "none; apply a codebook: framewatch codebook apply FILE"
    raise PermanentError(Reason.NOT_FOUND, f"there is no frame {frame} in {where}; known are: {there}")


def frame_asked(connection: Connection, frame: str, codebook: str | None, version: int | None) -> Row:
    """As current_frame; with `version`, of that version of the codebook, `ends` with it (readable)."""
    if version is None:
        return current_frame(connection, frame, codebook)
    about = readable(connection, version, codebook)
    known = codebooks.frames_of_version(connection, about["version_id"])
    row = next((f for f in known if frame in (EVERYTHING, f["frame"])), None)
    if row is None:
        raise PermanentError(Reason.NOT_FOUND, f"there is no frame {frame} in {about['codebook']} version {version};"
                             f" known are: {', '.join(f['frame'] for f in known)}")  # fmt: skip
    return {**row, "ends": about["ends"], **({"frame": frame, "title": "All posts"} if frame == EVERYTHING else {})}


def until_of(row: Row, until: datetime | None) -> datetime | None:
    """The end of a period for a frame of frame_asked: an old version ends where posts were no longer scored."""
    ends: datetime | None = row.get("ends")
    return until if ends is None else min(ends, until or ends)


def readable(connection: Connection, version: int, codebook: str | None = None) -> Row:
    """The row of a version, `ends` (where posts were no longer scored under it; None for the current one) with it.

    Raises PermanentError(NOT_FOUND) for one that is not there, not whole, or kept no longer, and says what to do;
    PermanentError(BAD_INPUT) where several codebooks are and none is named.
    """
    name = codebook or _only(connection)
    found = codebooks.find_codebook(connection, name, version)
    if found is None:
        told = f"the codebook {name} has no version {version}; see: framewatch codebook list"
        raise PermanentError(Reason.NOT_FOUND, told)
    if why := _unreadable(found):
        raise PermanentError(Reason.NOT_FOUND, f"{name} version {version} {why}")
    ends = None if found["state"] == "current" else trends.last_bucket(connection, found["version_id"])
    return {**found, "ends": ends and ends + BUCKET}


def _only(connection: Connection) -> str:
    found = sorted({v["codebook"] for v in codebooks.list_codebooks(connection)})
    if len(found) == 1:
        return str(found[0])
    if not found:
        raise PermanentError(Reason.NOT_FOUND, "no codebook has been applied yet")
    raise PermanentError(Reason.BAD_INPUT, f"name the codebook beside its version: one of {', '.join(found)}")


def _unreadable(version: Row) -> str:
    """Why a version cannot be read; empty where it can."""
    if version["state"] == "building":
        return "is still being built; see: framewatch codebook status"
    if not version["kept"]:
        again = f"framewatch codebook rollback {version['codebook']} --to {version['version']} scores it again"
        return f"is kept no longer (FRAMEWATCH_KEEP_VERSIONS says how many are); {again}"
    if version["current_at"] is None:
        return "gave way to a newer one before it was whole"
    return ""
