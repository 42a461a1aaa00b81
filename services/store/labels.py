"""What people judged, and what they are still asked: rows of labels, and samples as a judge may see them (blind)."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, Literal

from schemas.errors import PermanentError, Reason
from services.store.pool import Connection, Row, columns, row, rows, run

Answer = Literal["yes", "no", "unsure"]
ASKED = timedelta(weeks=12)
"""Samples of this many weeks are asked about and counted; older ones say little of how good a frame is now."""

_NO_FILTER = dict.fromkeys(
    ("frame", "codebook", "post_id", "judge", "answer", "origin", "since", "until", "before", "before_id")
)


def oldest_week(present: datetime) -> date:
    """The Monday from which samples are asked about and counted."""
    return (present - ASKED).date()


def add_label(
    connection: Connection, *, codebook: str, frame: str, post_id: int, judge: str, answer: Answer, now: datetime
) -> Row:
    """A judge's answer: label_id, answer, origin (sample or free), judged_at; a second takes the place of the first.

    Raises PermanentError(NOT_FOUND) when the post is not there (any more), or for `*`. Whether the frame exists else is
    the caller's.
    """
    if frame == "*":
        raise PermanentError(Reason.NOT_FOUND, "all posts together are no frame; name one")
    values = {"codebook": codebook, "frame": frame, "post_id": post_id, "judge": judge, "answer": answer, "now": now}
    found = row(connection, "labels", "add_label", **values)
    if found is None:
        raise PermanentError(Reason.NOT_FOUND, f"there is no post {post_id}; it may have been deleted")
    return found


def remove_label(connection: Connection, *, codebook: str, frame: str, post_id: int, judge: str) -> bool:
    """Take a judge's answer back; False when there was none."""
    values = {"codebook": codebook, "frame": frame, "post_id": post_id, "judge": judge}
    return row(connection, "labels", "remove_label", **values) is not None


def remove_label_by_id(connection: Connection, label_id: int, judge: str | None) -> bool:
    """Take an answer back, of `judge` alone unless that is None; False when there is no such label."""
    return row(connection, "labels", "remove_label_by_id", label_id=label_id, judge=judge) is not None


def page_of_labels(connection: Connection, *, limit: int, **filters: Any) -> list[Row]:
    """Labels, the newest answer first, with the identity of their posts; `same_text` is False after an edit.

    Filters: frame, codebook, post_id, judge, answer, origin, since and until (when it was answered), before and
    before_id (where the page before ended).
    """
    return rows(connection, "labels", "page_of_labels", **{**_NO_FILTER, **filters, "limit": limit})


def unjudged_samples(
    connection: Connection, *, codebook: str, frame: str, judge: str, oldest: date, limit: int
) -> list[Row]:
    """Samples that this judge has not judged: codebook, frame, week, post_id, text, lang, source, published_at.

    Blind: neither score nor stratum nor what others answered is told, and the order says nothing of them.
    """
    values = {"codebook": codebook, "frame": frame, "judge": judge, "oldest": oldest, "limit": limit}
    return rows(connection, "labels", "unjudged_samples", **values)


def count_unjudged(connection: Connection, judge: str, oldest: date) -> list[Row]:
    """Every current frame (codebook, version, frame, title, description), its samples, and those not yet judged."""
    return rows(connection, "labels", "count_unjudged", judge=judge, oldest=oldest)


def list_labels(connection: Connection, codebook: str, frame: str | None = None) -> list[Row]:
    """Labels of a codebook or one frame with their posts.

    `same_text` is False when it was edited since; `claimed`, whether the current version says that it carries the frame
    or is not sure.
    """
    return rows(connection, "labels", "list_labels", codebook=codebook, frame=frame)


def find_posts(connection: Connection, source: str, native_ids: Sequence[str]) -> dict[str, int]:
    """Our numbers of posts of a source that are stored, by their own ids."""
    found = rows(connection, "labels", "find_posts", source=source, native_id=list(native_ids))
    return {r["native_id"]: r["post_id"] for r in found}


def forget_samples(connection: Connection, post_ids: Sequence[int]) -> None:
    """Erased posts leave the samples."""
    run(connection, "labels", "forget_samples", post_id=list(post_ids))


def forget_labels(connection: Connection, post_ids: Sequence[int]) -> None:
    """Labels of erased posts go with them, and what they chose where no copy of theirs was judged."""
    gone = rows(connection, "labels", "forget_labels", post_id=list(post_ids))
    if gone:
        forget_choosers(connection, gone)


def forget_choosers(connection: Connection, labels: Sequence[Row]) -> None:
    """That units (codebook, frame, unit_key) chose a threshold, where no label of them is left."""
    run(connection, "labels", "forget_choosers", **columns(list(labels), "codebook", "frame", "unit_key"))


def next_unjudged(connection: Connection, frame: Row, judge: str, *, present: datetime, limit: int = 10) -> list[Row]:
    """`unjudged_samples` of a frame (a row with codebook and frame, as readings.current_frame gives) at a present."""
    about: dict[str, Any] = {"codebook": frame["codebook"], "frame": frame["frame"], "judge": judge}
    return unjudged_samples(connection, **about, oldest=oldest_week(present), limit=limit)
