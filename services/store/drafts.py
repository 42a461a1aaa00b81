"""What is told of one suggestion: typical posts by language, near misses, and a drafted frame; and its adoption.

Posts are read live, so that what was erased is not told. It applies no codebook.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from schemas import codebook as files
from schemas.codebook import Frame
from schemas.errors import PermanentError, Reason
from services.analysis import drafting, editing
from services.store import codebooks, suggestions
from services.store.pool import Connection, Row

TYPICAL = 3
"""Posts told of each language."""
TOLD = 5
"""Suggestions told in a digest."""


@dataclass(frozen=True, slots=True)
class Told:
    """One suggestion with its posts."""

    row: Row
    """As suggestions.list_suggestions gives it."""
    typical: Sequence[Row]
    """At most TYPICAL of each language, the likest first; the language of most units first."""
    near: Sequence[Row]
    """Near misses."""
    draft: Frame | None
    """None when all its posts were erased."""


@dataclass(frozen=True, slots=True)
class Adopted:
    """A codebook with a suggestion's frame in it."""

    row: Row
    frame: Frame
    text: str
    """YAML; comments and order as they were."""


def tell_suggestion(connection: Connection, suggestion_id: int) -> Told:
    """One suggestion as a reader sees it. Raises PermanentError(NOT_FOUND)."""
    row = suggestions.read_suggestion(connection, suggestion_id)
    posts = suggestions.posts_of_suggestion(connection, row["suggestion_id"])
    inside, near = [p for p in posts if p["inside"]], [p for p in posts if not p["inside"]]
    by_lang: dict[str, list[Row]] = {lang: [] for lang in row["langs"]}
    for post in inside:
        by_lang.setdefault(post["lang"], []).append(post)
    typical = [post for found in by_lang.values() for post in found[:TYPICAL]]
    taken = {f["frame"] for f in codebooks.list_frames(connection) if f["codebook"] == row["codebook"]}
    draft = drafting.draft(row["suggestion_id"], row["terms"], inside, near, taken)
    return Told(row, typical, near, draft)


def new_suggestions(connection: Connection, since: datetime, until: datetime) -> list[dict[str, Any]]:
    """What a digest tells of: open suggestions first found in a period, the most promising first, as JSON.

    Typical posts name their post_id, so that an erasure finds them.
    """
    found = suggestions.list_suggestions(connection)
    new = [s for s in found if since <= s["found_at"] < until and s["split_from"] is None][:TOLD]
    return [_brief(connection, s) for s in new]


def _brief(connection: Connection, row: Row) -> dict[str, Any]:
    keys = ("suggestion_id", "codebook", "title", "posts", "units", "authors", "score")
    told = tell_suggestion(connection, row["suggestion_id"])
    names = ("post_id", "source", "native_id", "url", "author", "lang", "text")
    posts = [{**{k: p[k] for k in names}, "published_at": p["published_at"].isoformat()} for p in told.typical]
    return {**{k: row[k] for k in keys}, "first_seen": row["first_seen"].isoformat(), "typical": posts}


def adopt_suggestion(
    connection: Connection, suggestion_id: int, *, now: datetime, by: str, text: str | None = None, **named: str | None
) -> Adopted:
    """Put the drafted frame into a codebook's YAML (default: the current version's) and remember the adoption.

    `named` may give the frame's id and title. Raises PermanentError: NOT_FOUND, BAD_CODEBOOK, and BAD_INPUT when
    nothing is left to draft from, the id is taken or no id, or the text is of another codebook.
    """
    suggestions.lock_suggestions(connection)
    told = tell_suggestion(connection, suggestion_id)
    if told.draft is None:
        raise PermanentError(Reason.BAD_INPUT, "every post of this suggestion was erased; nothing is left to adopt")
    text = _body(connection, told.row["codebook"]) if text is None else text
    book = files.parse(text)
    if book.codebook != told.row["codebook"]:
        said = f"this suggestion is of the codebook {told.row['codebook']}, the file is {book.codebook}"
        raise PermanentError(Reason.BAD_INPUT, said)
    frame = _named(told.draft, {f.id for f in book.frames}, {k: v for k, v in named.items() if v})
    edited = editing.add_frame(text, frame)
    number = told.row["suggestion_id"]
    row = suggestions.decide_suggestion(connection, number, "adopted", now=now, by=by, frame=frame.id)
    return Adopted(row, frame, edited)


def _named(draft: Frame, taken: set[str], named: dict[str, str]) -> Frame:
    """The draft as it is to be called; an id that the file has already is only taken when somebody asked for it."""
    free = draft.id
    while "id" not in named and free in taken:
        free += "-2"
    values: dict[str, Any] = {**draft.model_dump(), "id": free, **named}
    if not files.is_id(values["id"]):
        told = f"{values['id'][:80]!r} is no id: use small letters, digits and single hyphens, such as missing-objects"
        raise PermanentError(Reason.BAD_INPUT, told)
    if values["id"] in taken:
        raise PermanentError(Reason.BAD_INPUT, f"the codebook has a frame {values['id']} already; give another id")
    return Frame(**values)


def _body(connection: Connection, codebook: str) -> str:
    found = (c for c in codebooks.current_codebooks(connection) if c["codebook"] == codebook)
    version = next(found, None)
    if version is None:
        raise PermanentError(Reason.NOT_FOUND, f"no version of {codebook} is current; name a file to adopt into")
    body: str = version["body"]
    return body
