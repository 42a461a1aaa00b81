"""Scoring stored posts again from what is stored of their texts: ranges of posts, claimed and settled under a fence."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas import sql
from services.store import folding
from services.store.copying import carried_rows, score_rows
from services.store.pool import Connection, Row, blobs, one, row, rows, run

SIZE = 20_000
"""Posts of a range at most: about a second of work, and what a killed worker has done in vain."""


@dataclass(frozen=True, slots=True)
class Range:
    """Posts of one day that a version is to score, leased by fence."""

    version_id: int
    received_day: date
    first_id: int
    last_id: int
    fence: int
    attempts: int

    @property
    def place(self) -> dict[str, Any]:
        """What queries of its posts take."""
        return {"received_day": self.received_day, "first_id": self.first_id, "last_id": self.last_id}


@dataclass(frozen=True, slots=True, eq=False)
class Texts:
    """What is stored of n distinct texts."""

    hashes: list[bytes]
    vectors: NDArray[np.float16]
    """n × d."""
    bins: NDArray[np.uint16]
    """Bins of all wordings behind one another."""
    counts: NDArray[np.int64]
    """n: bins of each."""


@dataclass(frozen=True, slots=True, eq=False)
class Said:
    """What heads say of n posts."""

    post_ids: NDArray[np.int64]
    frames: Sequence[str]
    probabilities: NDArray[np.float32]
    """n × F."""
    answers: NDArray[np.int8]
    """n × F: 1 carries, 2 uncertain."""


def plan_ranges(connection: Connection, version_id: int, size: int = SIZE) -> int:
    """Every post without a score under a version is to be scored; how many."""
    forget_ranges(connection, version_id)
    return sum(r["posts"] for r in rows(connection, "rescoring", "plan_ranges", version_id=version_id, size=size))


def forget_ranges(connection: Connection, version_id: int) -> None:
    """Nothing is to be scored under it any more."""
    run(connection, "rescoring", "forget_ranges", version_id=version_id)


def claim_range(connection: Connection, lease: timedelta) -> Range | None:
    """A range, leased to the caller; None when none waits."""
    found = row(connection, "rescoring", "claim_range", lease=lease)
    return Range(**found) if found else None


def settle_range(connection: Connection, claimed: Range) -> bool:
    """The range is done; False when it is not ours any more, and nothing may be written of it."""
    ours = row(
        connection, "rescoring", "settle_range", version_id=claimed.version_id, fence=claimed.fence,
        received_day=claimed.received_day, first_id=claimed.first_id,
    )  # fmt: skip
    return ours is not None


def release_range(connection: Connection, claimed: Range) -> None:
    """Give a range back at once."""
    run(
        connection, "rescoring", "release_range", version_id=claimed.version_id, fence=claimed.fence,
        received_day=claimed.received_day, first_id=claimed.first_id,
    )  # fmt: skip


def posts_of_range(connection: Connection, claimed: Range) -> tuple[NDArray[np.int64], list[bytes]]:
    """Ids of its posts that are still to be scored, and the hash of each one's text."""
    found = blobs(connection, "rescoring", "posts_of_range", version_id=claimed.version_id, **claimed.place)
    return np.frombuffer(found["post_ids"], ">i8").astype(np.int64), _cut(found["text_hashes"])


def vectors_of_range(connection: Connection, claimed: Range, model_id: int) -> Texts:
    """What is stored of its posts' distinct texts for a model; texts without vector or wording are left out."""
    return texts_of(blobs(connection, "rescoring", "vectors_of_range", model_id=model_id, **claimed.place))


def wordless_of_range(connection: Connection, claimed: Range, model_id: int) -> dict[bytes, str]:
    """Its texts that have a vector and no wording yet, by hash."""
    found = rows(connection, "rescoring", "wordless_of_range", model_id=model_id, **claimed.place)
    return {r["text_hash"]: r["text"] for r in found}


def fill_wordings(connection: Connection, model_id: int, wordings: Mapping[bytes, bytes]) -> None:
    """Keep the wordings of texts that have a vector."""
    if wordings:
        run(
            connection, "rescoring", "fill_wordings", model_id=model_id, text_hash=list(wordings),
            wording=list(wordings.values()),
        )  # fmt: skip


def stage_scores(connection: Connection, said: Said) -> list[list[str]]:
    """Bring what was said to the database, for `add_rescored` in the same transaction; lists of uncertain frames."""
    uncertain, numbers = _combinations(said.answers == 2)
    make_staging(connection)
    make_carrying(connection)
    copy_scores(connection, score_rows(said.post_ids, said.probabilities, numbers + 1))
    copy_carrying(connection, carried_rows(said.post_ids, said.probabilities, said.answers == 1))
    return [[f for f, unsure in zip(said.frames, combination, strict=True) if unsure] for combination in uncertain]


def _combinations(rows: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """The distinct rows, and which of them each row is. Told apart by their bits: a row of F is F/8 bytes to sort."""
    packed = np.packbits(rows, axis=1)
    keys = np.ascontiguousarray(packed).view(f"S{packed.shape[1]}").reshape(-1)
    _, first, numbers = np.unique(keys, return_index=True, return_inverse=True)
    return rows[first], numbers.reshape(-1)


def make_staging(connection: Connection) -> None:
    """A place for scores on their way, gone with the transaction."""
    run(connection, "rescoring", "make_staging")


def make_carrying(connection: Connection) -> None:
    """A place for carried frames on their way, gone with the transaction."""
    run(connection, "rescoring", "make_carrying")


def copy_scores(connection: Connection, body: bytes) -> None:
    """Scores as binary COPY takes them."""
    _copy(connection, "rescoring", "copy_scores", body)


def copy_carrying(connection: Connection, body: bytes) -> None:
    """Carried frames as binary COPY takes them."""
    _copy(connection, "rescoring", "copy_carrying", body)


def add_rescored(
    connection: Connection, claimed: Range, model_id: int, *, frames: Sequence[str], uncertain: Sequence[Sequence[str]]
) -> int:  # fmt: skip
    """Write the scores that were staged, with their trend deltas; of how many posts."""
    found = one(
        connection, "rescoring", "add_rescored", version_id=claimed.version_id, **claimed.place, model_id=model_id,
        frames=list(frames), uncertain=["{" + ",".join(names) + "}" for names in uncertain],
    )  # fmt: skip
    return int(found["posts"])


def queue_posts(connection: Connection, received_day: date, post_ids: Iterable[int], now: datetime) -> None:
    """Posts that cannot be scored from what is stored go the way of new ones."""
    values = {"received_day": received_day, "post_id": list(post_ids), "now": now}
    run(connection, "rescoring", "queue_posts", **values)


def mark_stale(connection: Connection, post_ids: Sequence[int]) -> None:
    """Posts that said something else before: what they scored under versions out of service is no longer of them."""
    if post_ids:
        run(connection, "rescoring", "mark_stale", post_id=list(post_ids))


def take_stale(connection: Connection, version_id: int) -> list[int]:
    """Posts whose scores under a version say nothing any more; they are told once."""
    return [r["post_id"] for r in rows(connection, "rescoring", "take_stale", version_id=version_id)]


def forget_rows(connection: Connection, limit: int) -> int:
    """Delete up to `limit` rows of each table of versions that are kept no longer; how many at most of one."""
    folding.say_recounting(connection, "on")
    most = int(one(connection, "rescoring", "forget_rows", limit=limit)["most"])
    folding.say_recounting(connection, "off")
    return most


def texts_of(found: Row) -> Texts:
    """Columns of bytes (text_hashes, vectors, wordings, counts) as arrays."""
    hashes = _cut(found["text_hashes"])
    vectors = np.frombuffer(found["vectors"], "<f2").reshape(len(hashes), -1) if hashes else np.empty((0, 0), "<f2")
    counts = np.frombuffer(found["counts"], ">i4").astype(np.int64) // 2
    return Texts(hashes, vectors, np.frombuffer(found["wordings"], "<u2"), counts)


def _cut(joined: bytes, size: int = 32) -> list[bytes]:
    return [joined[i : i + size] for i in range(0, len(joined), size)]


def _copy(connection: Connection, topic: str, name: str, body: bytes) -> None:
    with connection.cursor() as cursor, cursor.copy(sql.queries(topic)[name].encode()) as copy:
        copy.write(body)
