"""Stored vectors of posts, read in pages of flat size; and what is known of posts by number. It reads only."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.analysis.scattering import scattered
from services.analysis.text import text_for_encoder
from services.store import posts
from services.store.pool import Connection, Row, one, rows

PAGE = 4_000
"""Posts read at once: 3 MB of vectors."""

HEARD, ENOUGH = 1_000, 5_000
"""Texts that heads learn from as posts of every day, and how many there must be: a young house has heard of little else
than what it was set up for."""
PIECES = 64
"""Pieces of posts drawn for them at the most: where texts repeat that often, fewer texts teach."""
SHORT, PROBE = 16_000, 200
"""Posts that are few enough to look through, and posts drawn to see whether a model has read them."""

Heard = tuple[list[str], NDArray[np.float32]]
"""Distinct texts as the encoder read them, and a row of its vectors for each."""


def list_models(connection: Connection) -> list[Row]:
    """Every model that ever scored here: model_id, name; newest first."""
    return rows(connection, "vectors", "list_models")


def model_like(connection: Connection, name: str) -> Row | None:
    """The newest model whose vectors may be compared with those of an encoder; its runtime may be another."""
    wanted = name.rpartition("/")[0] or name
    return next((m for m in list_models(connection) if (m["name"].rpartition("/")[0] or m["name"]) == wanted), None)


def vectors_of_period(connection: Connection, **page: Any) -> list[Row]:
    """A page of posts, vectors or None: model_id, days (they came in on), since, until, before, before_id, limit."""
    return rows(connection, "vectors", "vectors_of_period", **page)


def newest_vectors(
    connection: Connection, model_id: int, since: datetime, until: datetime, *, most: int
) -> Iterator[list[Row]]:
    """The newest `most` posts of a period that the model has read, page by page: post_id, published_at, author,
    unit_key, vector.
    """
    about: dict[str, Any] = {"model_id": model_id, "since": since, "before": None, "before_id": None}
    left = most
    while left > 0:
        page = vectors_of_period(
            connection, **about, until=until, limit=PAGE, days=posts.days_received(connection, since, until)
        )
        if read := [r for r in page if r["vector"] is not None][:left]:
            yield read
        if len(page) < PAGE:
            return
        left -= len(read)
        about |= {"before": page[-1]["published_at"], "before_id": page[-1]["post_id"]}
        until = min(until, page[-1]["published_at"] + timedelta(microseconds=1))


def heard_texts(connection: Connection, model: str) -> Heard | None:
    """Some of what was heard, whatever it says; None before there is enough. The same whenever it is asked.

    Posts are drawn by number, so that it costs the same however many there are.
    """
    known = next((m["model_id"] for m in list_models(connection) if m["name"] == model), None)
    if known is None or not has_vectors(connection, known, ENOUGH):
        return None
    first, last = post_ids(connection)
    found: dict[bytes, Row] = {}
    for numbers in islice(scattered(_read_since(connection, known, first, last), last), PIECES):
        for row in heard_posts(connection, known, numbers.tolist()):
            if row["vector"] is not None and len(found) < HEARD:
                found.setdefault(row["text_hash"], row)
        if len(found) == HEARD:
            break
    if not found:
        return None
    flat = np.frombuffer(b"".join(r["vector"] for r in found.values()), "<f2").astype(np.float32)
    return [text_for_encoder(r["text"]) for r in found.values()], flat.reshape(len(found), -1)


def _read_since(connection: Connection, model_id: int, first: int, last: int) -> int:
    """A number from which on the model has read many of the posts: before a change of models another one did."""
    while last - first > SHORT:
        some = heard_posts(connection, model_id, next(scattered(first, last))[:PROBE].tolist())
        if sum(r["vector"] is not None for r in some) * 4 >= len(some):
            break
        first += (last - first) // 2
    return first


def post_ids(connection: Connection) -> tuple[int, int]:
    """The first number given to a post and the last; (0, 0) before there is any."""
    found = one(connection, "vectors", "post_ids")
    return found["first"] or 0, found["last"] or 0


def has_vectors(connection: Connection, model_id: int, enough: int) -> bool:
    """Whether a model has read `enough` distinct texts."""
    return bool(one(connection, "vectors", "has_vectors", model_id=model_id, enough=enough)["enough"])


def heard_posts(connection: Connection, model_id: int, post_ids: Sequence[int]) -> list[Row]:
    """Posts by number in the order of asking: text_hash, text, vector (None where the model has not read them).

    Left out: numbers without a post, and posts that a person judged to carry a frame.
    """
    return rows(connection, "vectors", "heard_posts", model_id=model_id, post_id=list(post_ids))


def posts_with(connection: Connection, post_ids: Sequence[int]) -> dict[int, Row]:
    """Posts by number; those erased meanwhile are missing."""
    found = rows(connection, "vectors", "posts_with", post_id=list(post_ids))
    return {r["post_id"]: r for r in found}


def frames_among(connection: Connection, post_ids: Sequence[int]) -> list[Row]:
    """Current frames that some of these posts carry: codebook, frame, title, posts; most first."""
    return rows(connection, "vectors", "frames_among", post_id=list(post_ids))
