"""The audit of codebooks: who applied or rolled back what, when, how far it has come, and how many posts that moved."""

from datetime import datetime

from services.store.pool import Connection, Row, one, rows, run


def add_change(
    connection: Connection, *, codebook: str, kind: str, from_version: int | None, to_version: int, version_id: int,
    by: str, now: datetime, posts: int,
) -> None:  # fmt: skip
    """Somebody asked for a version; `posts` are to be scored under it. `kind`: apply or rollback."""
    told = {"codebook": codebook, "kind": kind, "from_version": from_version, "to_version": to_version}
    run(connection, "changes", "add_change", **told, version_id=version_id, by=by, now=now, posts=posts)


def end_change(connection: Connection, version_id: int, state: str, now: datetime, moved: Row | None = None) -> None:
    """It is `done` (with what moved) or `overtaken`."""
    told = moved or {"moved": None, "gained": None, "lost": None}
    run(connection, "changes", "end_change", version_id=version_id, state=state, now=now, **told)


def list_changes(
    connection: Connection, codebook: str | None = None, *, limit: int = 100, before_id: int | None = None
) -> list[Row]:
    """Changes, the newest (before one) first: kind, from_version, to_version, asked_by, state, posts, moved …"""
    return rows(connection, "changes", "list_changes", codebook=codebook, limit=limit, before_id=before_id)


def building_changes(connection: Connection, codebook: str | None = None) -> list[Row]:
    """What is being built: posts to score in all, and those done."""
    return rows(connection, "changes", "building_changes", codebook=codebook)


def moved_posts(connection: Connection, from_id: int | None, to_id: int) -> Row:
    """Posts that carry other frames under version `to_id` than under `from_id`: moved, and frames gained and lost."""
    return one(connection, "changes", "moved_posts", from_id=from_id, to_id=to_id)
