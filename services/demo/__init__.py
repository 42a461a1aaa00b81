"""The bundled codebook and sample posts of December 2016, written for framewatch, and the server that replays them."""

import json
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Any

_FOLDER = files("services.demo")


def codebook_text() -> str:
    """The codebook palmyra-2016 as YAML."""
    return (_FOLDER / "palmyra-2016.yaml").read_text(encoding="utf-8")


@cache
def posts() -> tuple[dict[str, Any], ...]:
    """The sample posts in order of time; `frames` says which ones each carries, for measuring only."""
    text = (_FOLDER / "palmyra-2016.jsonl").read_text(encoding="utf-8")
    return tuple(json.loads(line) for line in text.splitlines())


def packs() -> list[str]:
    """The names of the bundled codebooks that have a list of feeds to start with."""
    return sorted(file.name.removesuffix(".opml") for file in _FOLDER.iterdir() if file.name.endswith(".opml"))


def pack(name: str) -> bytes | None:
    """The OPML of the feeds to start with for a bundled codebook; None when there is none of that name."""
    return (_FOLDER / f"{name}.opml").read_bytes() if name in packs() else None


def since() -> datetime:
    """The midnight before the first post."""
    first = datetime.fromisoformat(posts()[0]["published_at"])
    return datetime(first.year, first.month, first.day, tzinfo=UTC)


def until() -> datetime:
    """The midnight after the last post."""
    last = datetime.fromisoformat(posts()[-1]["published_at"])
    return datetime(last.year, last.month, last.day, tzinfo=UTC) + timedelta(days=1)
