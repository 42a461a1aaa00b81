"""Suggestions of emerging frames: runs that group unmatched posts, what they found, and what the team said of it."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from psycopg.types.json import Jsonb

from schemas.errors import PermanentError, Reason
from services.analysis.drafting import title
from services.store.pool import Connection, Row, row, rows, run

STATES = ("open", "dismissed", "adopted", "faded")
"""`faded`: not seen any more; it has its id again when it comes back. Merged ones live on as another."""
PAGE = 20_000
MOST = 100
"""Suggestions listed at once."""
_JSON = ("langs", "days", "terms", "parts")


def add_runs(connection: Connection) -> None:
    """See that every current codebook has its row."""
    run(connection, "suggestions", "add_runs")


def claim_run(connection: Connection, slot: date, lease: timedelta, codebook: str | None = None) -> Row | None:
    """A codebook whose unmatched posts nobody has grouped for `slot`: codebook, fence, version_id; None when done."""
    return row(connection, "suggestions", "claim_run", slot=slot, lease=lease, codebook=codebook)


def settle_run(connection: Connection, claimed: Row, slot: date, **told: Any) -> bool:
    """Write down what a run did (now, since, until, posts, units, grouped); False when the lease was lost."""
    values = {"codebook": claimed["codebook"], "fence": claimed["fence"], "slot": slot, **told}
    return row(connection, "suggestions", "settle_run", **values) is not None


def ask_runs(connection: Connection, codebook: str | None = None) -> list[str]:
    """Have posts grouped at the next chance, whatever the hour; the codebooks that will be."""
    return [r["codebook"] for r in rows(connection, "suggestions", "ask_runs", codebook=codebook)]


def list_runs(connection: Connection) -> list[Row]:
    """When each codebook's unmatched posts were grouped last, and what came of it."""
    return rows(connection, "suggestions", "list_runs")


def days_received(connection: Connection, since: datetime, until: datetime) -> list[date]:
    """Days on which posts published in a period were received."""
    found = rows(connection, "suggestions", "days_received", since=since, until=until)
    return [r["received_day"] for r in found]


def unmatched_posts(connection: Connection, version_id: int, day: date, **about: Any) -> list[Row]:
    """A page of posts received on `day` that match no frame of a version; since, until, after (a post_id)."""
    return rows(connection, "suggestions", "unmatched_posts", version_id=version_id, day=day, limit=PAGE, **about)


def texts_of(connection: Connection, post_ids: Sequence[int]) -> dict[int, tuple[str, str]]:
    """(lang, text) of posts that are still there."""
    found = rows(connection, "suggestions", "texts_of", post_id=list(post_ids))
    return {r["post_id"]: (r["lang"], r["text"]) for r in found}


def lock_suggestions(connection: Connection) -> None:
    """Until this transaction ends nobody else settles a run or decides."""
    run(connection, "suggestions", "lock_suggestions")


def known_suggestions(connection: Connection, codebook: str, faded: datetime) -> list[Row]:
    """Suggestions that a group may be the continuation of; faded ones only when seen since `faded`."""
    return rows(connection, "suggestions", "known_suggestions", codebook=codebook, faded=faded)


def add_suggestion(connection: Connection, codebook: str, values: Mapping[str, Any]) -> int:
    """A new suggestion; its id."""
    found = row(connection, "suggestions", "add_suggestion", codebook=codebook, **_jsonb(values))
    number: int = (found or {})["suggestion_id"]
    return number


def update_suggestion(connection: Connection, suggestion_id: int, values: Mapping[str, Any]) -> None:
    """What is known of a suggestion now."""
    run(connection, "suggestions", "update_suggestion", suggestion_id=suggestion_id, **_jsonb(values))


def replace_members(connection: Connection, suggestion_id: int, columns: Mapping[str, list[Any]]) -> None:
    """Its units now, and its near misses: unit_key, post_id, inside, likeness, lang. Erased posts stay out."""
    run(connection, "suggestions", "replace_members", suggestion_id=suggestion_id, **columns)


def fade_suggestions(connection: Connection, codebook: str, seen: Collection[int]) -> list[int]:
    """Open suggestions that are not among `seen` are faded from now on; which."""
    found = rows(connection, "suggestions", "fade_suggestions", codebook=codebook, seen=list(seen))
    return [r["suggestion_id"] for r in found]


def merge_suggestion(connection: Connection, suggestion_id: int, into: int) -> None:
    """It goes on as part of another."""
    run(connection, "suggestions", "merge_suggestion", suggestion_id=suggestion_id, merged_into=into)


def list_suggestions(
    connection: Connection, *, codebook: str | None = None, states: Sequence[str] | None = ("open",),
    suggestion_id: int | None = None, limit: int = MOST, below: float | None = None, after_id: int | None = None,
) -> list[Row]:  # fmt: skip
    """Suggestions by score, the highest first (or after one); without posts but for the most typical.

    suggestion_id, codebook, state, title, first_seen, found_at, seen_at, posts, units, authors, publishers, langs
    (units by language), days (posts, units; oldest first, the last ends at seen_at), terms (term, lang, weight; best
    first), score and its parts (all 0 to 1), typical (a text, None when all are erased), split_from, merged_into,
    decided_at, decided_by, frame.
    """
    values: dict[str, Any] = {"codebook": codebook, "states": None if states is None else list(states), "limit": limit}
    values |= {"below": below, "after_id": after_id}
    found = rows(connection, "suggestions", "list_suggestions", suggestion_id=suggestion_id, **values)
    return [{**r, "title": title(r["suggestion_id"], r["terms"], r["typical"] or "")} for r in found]


def read_suggestion(connection: Connection, suggestion_id: int) -> Row:
    """One suggestion, as list_suggestions gives it; a merged one is what it lives on as.

    Raises PermanentError(NOT_FOUND).
    """
    asked: int | None = suggestion_id
    while asked is not None:
        found = list_suggestions(connection, states=None, suggestion_id=asked)
        if found and found[0]["merged_into"] is None:
            return found[0]
        asked = found[0]["merged_into"] if found else None
    told = f"there is no suggestion {suggestion_id}; see: framewatch suggestions list"
    raise PermanentError(Reason.NOT_FOUND, told)


def posts_of_suggestion(connection: Connection, suggestion_id: int) -> list[Row]:
    """One post a unit, the likest first, and the near misses (`inside` False). Read live: what was erased is gone."""
    return rows(connection, "suggestions", "posts_of_suggestion", suggestion_id=suggestion_id)


def decide_suggestion(
    connection: Connection, suggestion_id: int, state: str, *, now: datetime, by: str, frame: str | None = None
) -> Row:
    """Dismiss a suggestion, adopt it as `frame`, or open it again; as it is then. Raises PermanentError(NOT_FOUND)."""
    lock_suggestions(connection)
    number = read_suggestion(connection, suggestion_id)["suggestion_id"]
    values = {"suggestion_id": number, "state": state, "now": now, "by": by, "frame": frame}
    run(connection, "suggestions", "decide_suggestion", **values)
    return read_suggestion(connection, number)


def forget_members(connection: Connection, post_ids: Sequence[int]) -> None:
    """Erased posts leave the suggestions."""
    run(connection, "suggestions", "forget_members", post_id=list(post_ids))


def _jsonb(values: Mapping[str, Any]) -> dict[str, Any]:
    return {**values, **{name: Jsonb(values[name]) for name in _JSON if name in values}}
