"""Makes a codebook current: at once where nothing is stored, else once the stored posts are scored under it."""

from datetime import datetime

from schemas import codebook as files
from schemas.codebook import Codebook
from services.store import codebooks, counts, queue
from services.store.pool import Connection, Row


def apply(tx: Connection, text: str, now: datetime, *, name: str = "codebook") -> tuple[Codebook, Row]:
    """Add the next version of a codebook from YAML; (what it says, its row with `posts` to be scored again).

    Raises PermanentError(BAD_CODEBOOK) as `schemas.codebook.parse` does. Text equal to the newest version's adds
    nothing.
    """
    read = files.parse(text, name)
    codebooks.lock_codebooks(tx)
    newest = codebooks.latest_codebook(tx, read.codebook)
    if newest and newest["body"] == text and newest["state"] != "retired":
        return read, {**newest, "posts": 0}
    stored = counts.totals(tx)["posts"]
    codebooks.retire_building(tx, read.codebook)
    state = "building" if stored else "current"
    if not stored:
        codebooks.retire_current(tx, read.codebook)
    version_id, version = codebooks.add_codebook(
        tx, codebook=read.codebook, title=read.title, body=text, state=state, now=now
    )
    codebooks.add_frames(tx, version_id, [(f.id, f.title, f.description) for f in read.frames])
    if stored:
        queue.requeue_all(tx, now)
    return read, {"version_id": version_id, "version": version, "state": state, "posts": stored}


def apply_if_missing(tx: Connection, text: str, now: datetime) -> None:
    """Apply a codebook unless one is there."""
    if not codebooks.list_codebooks(tx):
        apply(tx, text, now)
