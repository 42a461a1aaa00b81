"""Reads the whole of stored history as arrays, for a preview: texts as heads take them, posts as numbers.

It writes nothing. Call it in one snapshot (`counts.one_snapshot`): what it reads in parts then belongs together.
"""

from collections.abc import Iterator, Sequence
from datetime import date

import numpy as np
from numpy.typing import NDArray

from services.analysis.redrawing import Posts
from services.store.pool import Connection, Row, blobs, one, row, rows
from services.store.rescoring import Texts, texts_of

PAGES = 2_048
"""Pages of the table read at once (16 MiB, some 18,000 texts): enough for several threads to have their lots."""


def find_model(connection: Connection, name: str) -> int | None:
    """The number of a model; None when nothing was ever scored with it."""
    found = row(connection, "previews", "find_model", name=name)
    return None if found is None else int(found["model_id"])


def stored_texts(connection: Connection, model_id: int, pages: int = PAGES) -> Iterator[tuple[Texts, float]]:
    """Everything stored of texts for a model, some thousand at a time, and which part of all has been read then."""
    last = embedding_pages(connection)
    for first in range(0, last, pages):
        until = min(first + pages, last)
        yield texts_of(texts_of_pages(connection, model_id, first, until)), until / last


def embedding_pages(connection: Connection) -> int:
    """How long the table of texts is, in pages."""
    return int(one(connection, "previews", "embedding_pages")["pages"])


def texts_of_pages(connection: Connection, model_id: int, first: int, until: int) -> Row:
    """What is stored of texts on pages `first` to `until` (excluded), as columns of bytes."""
    return blobs(connection, "previews", "texts_of_pages", model_id=model_id, first=first, until=until)


def days_of_posts(connection: Connection) -> list[Row]:
    """Days on which posts were received, and how many."""
    return rows(connection, "previews", "days_of_posts")


def sources_of_posts(connection: Connection) -> dict[int, str]:
    """Sources by the numbers that stand for them here."""
    return {r["number"]: r["source"] for r in rows(connection, "previews", "sources_of_posts")}


def posts_of_day(connection: Connection, day: date) -> tuple[Posts, NDArray[np.void]]:
    """The posts received on a day as numbers, and the hash of each one's text (32 bytes each)."""
    found = blobs(connection, "previews", "posts_of_day", received_day=day)
    return _posts(found), np.frombuffer(found["text_hashes"], "V32")


def carrying_posts(connection: Connection, version_id: int, frame: str) -> tuple[Posts, NDArray[np.float32]]:
    """The posts that carry a frame under a version, as numbers, and with which probability."""
    found = blobs(connection, "previews", "carrying_posts", version_id=version_id, frame=frame)
    return _posts(found), np.frombuffer(found["probabilities"], ">f4").astype(np.float32)


def posts_by_id(connection: Connection, post_ids: Sequence[int]) -> dict[int, Row]:
    """Some posts: source, url, lang, text, published_at, by our number."""
    found = rows(connection, "previews", "posts_by_id", post_id=list(post_ids))
    return {r["post_id"]: r for r in found}


def _posts(found: Row) -> Posts:
    def numbers(name: str, kind: str) -> NDArray[np.int64]:
        return np.frombuffer(found[name], kind).astype(np.int64)

    return Posts(
        numbers("post_ids", ">i8"), numbers("times", ">i8"), numbers("sources", ">i4"), numbers("authors", ">i8"),
        numbers("units", ">i8"),
    )  # fmt: skip
