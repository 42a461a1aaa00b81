"""Codebook versions, their frames and their learned heads."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from services.store.pool import Connection, Row, one, row, rows, run


def latest_codebook(connection: Connection, codebook: str) -> Row | None:
    """The newest version of a codebook, whatever its state."""
    return row(connection, "codebooks", "latest_codebook", codebook=codebook)


def add_codebook(
    connection: Connection, *, codebook: str, title: str, body: str, state: str, now: datetime
) -> tuple[int, int]:
    """A next version; (version_id, version)."""
    made = one(
        connection,
        "codebooks",
        "add_codebook",
        codebook=codebook,
        title=title,
        body=body,
        state=state,
        now=now,
    )
    return made["version_id"], made["version"]


def add_frames(connection: Connection, version_id: int, frames: Sequence[Mapping[str, Any]]) -> None:
    """The frames of a version in order, each with its watch: id, title, description, and whatever else they say."""
    told = [dict(frame) for frame in frames]
    columns = {name: [frame.pop(name) for frame in told] for name in ("id", "title", "description")}
    run(
        connection, "codebooks", "add_frames", version_id=version_id, frame=columns["id"], title=columns["title"],
        description=columns["description"], details=[json.dumps(frame) for frame in told],
    )  # fmt: skip
    add_watches(connection, version_id)


def add_watches(connection: Connection, version_id: int) -> None:
    """A row for detection to come along, for each frame."""
    run(connection, "codebooks", "add_watches", version_id=version_id)


def copy_watches(connection: Connection, version_id: int) -> None:
    """Take over from the current version how far detection has come."""
    run(connection, "codebooks", "copy_watches", version_id=version_id)


def retire_building(connection: Connection, codebook: str) -> None:
    """Give up a version that is still being built."""
    run(connection, "codebooks", "retire_building", codebook=codebook)


def codebooks_in_service(connection: Connection) -> list[Row]:
    """The versions every post must be scored under."""
    return rows(connection, "codebooks", "codebooks_in_service")


def current_codebooks(connection: Connection) -> list[Row]:
    """The versions readers see."""
    return rows(connection, "codebooks", "current_codebooks")


def list_codebooks(connection: Connection) -> list[Row]:
    """Every version ever applied."""
    return rows(connection, "codebooks", "list_codebooks")


def find_codebook(connection: Connection, codebook: str, version: int) -> Row | None:
    """One version with its body, whatever its state; None when there is none."""
    return row(connection, "codebooks", "find_codebook", codebook=codebook, version=version)


def last_current(connection: Connection, codebook: str) -> Row | None:
    """The version that readers saw before the current one; None when there was none."""
    return row(connection, "codebooks", "last_current", codebook=codebook)


def build_again(connection: Connection, version_id: int) -> None:
    """A version out of service is to become current once more."""
    run(connection, "codebooks", "build_again", version_id=version_id)


def versions_to_forget(connection: Connection, keep: int) -> list[int]:
    """Versions still kept that are not to be, when of each codebook the last `keep` that readers saw are."""
    return [r["version_id"] for r in rows(connection, "codebooks", "versions_to_forget", keep=keep)]


def mark_forgotten(connection: Connection, version_ids: Sequence[int]) -> None:
    """From now on these versions cannot be read. Hold the codebooks alone, and be the one folder."""
    run(connection, "codebooks", "mark_forgotten", version_id=list(version_ids))


def lock_codebooks(connection: Connection) -> None:
    """Hold the codebooks alone until the transaction ends (applying, promoting)."""
    run(connection, "codebooks", "lock_codebooks")


def share_codebooks(connection: Connection) -> None:
    """Keep the codebooks from changing until the transaction ends (settling)."""
    run(connection, "codebooks", "share_codebooks")


def any_building(connection: Connection) -> bool:
    """Whether a version waits to become current."""
    return bool(one(connection, "codebooks", "any_building")["building"])


def built_codebooks(connection: Connection) -> list[Row]:
    """Versions whose history is scored: version_id, codebook, version, current_id (of the one readers see)."""
    return rows(connection, "codebooks", "built_codebooks")


def retire_current(connection: Connection, codebook: str) -> None:
    """The version readers saw steps back."""
    run(connection, "codebooks", "retire_current", codebook=codebook)


def make_current(connection: Connection, version_id: int, now: datetime) -> None:
    """Readers see this version from now on."""
    run(connection, "codebooks", "make_current", version_id=version_id, now=now)


def list_frames(connection: Connection) -> list[Row]:
    """The frames of every current codebook."""
    return rows(connection, "codebooks", "list_frames")


def find_frame(connection: Connection, frame: str, codebook: str | None = None) -> Row | None:
    """The first frame of such an id ('*' is any) among those of list_frames, of one codebook where it is named."""
    return row(connection, "codebooks", "find_frame", frame=frame, codebook=codebook)


def frames_of_version(connection: Connection, version_id: int) -> list[Row]:
    """The frames of one version, as list_frames tells them."""
    return rows(connection, "codebooks", "frames_of_version", version_id=version_id)


def frame_names(connection: Connection, version_id: int) -> list[str]:
    """The ids of a version's frames, in order."""
    return [r["frame"] for r in rows(connection, "codebooks", "frame_names", version_id=version_id)]


def find_heads(connection: Connection, version_id: int, model_id: int) -> bytes | None:
    """Learned heads of a version for a model."""
    found = row(connection, "codebooks", "find_heads", version_id=version_id, model_id=model_id)
    return None if found is None else bytes(found["body"])


def heads_of_version(connection: Connection, version_id: int, model_id: int | None) -> Row | None:
    """Learned heads of a version (body) with their model (model_id, name); of the newest model when None is given."""
    return row(connection, "codebooks", "heads_of_version", version_id=version_id, model_id=model_id)


def heads_mark(connection: Connection, version_id: int) -> Row | None:
    """What tells the newest heads of a version from all others: version_id, model_id, learned_at, bytes."""
    return row(connection, "codebooks", "heads_mark", version_id=version_id)


def add_heads(connection: Connection, version_id: int, model_id: int, body: bytes, now: datetime) -> None:
    """Keep learned heads; the first ones stay, so that every worker scores with the same."""
    run(connection, "codebooks", "add_heads", version_id=version_id, model_id=model_id, body=body, now=now)


def models_of(connection: Connection, version_id: int) -> list[str]:
    """Names of the models a version's scores come from."""
    return [r["name"] for r in rows(connection, "codebooks", "models_of", version_id=version_id)]
