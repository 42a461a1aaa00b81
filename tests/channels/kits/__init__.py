"""What a kind of channel brings to the shared contract: a config for a receiver, and how to read what arrived."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Literal

from services.channels import CHANNELS


@dataclass(frozen=True)
class Got:
    """One request as the receiver saw it; for mail the envelope's message in `body`."""

    method: str
    path: str
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def words(value: Any) -> Iterator[str]:
    """Every string inside a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from words(item)


def all_words(got: Got) -> str:
    return "\n".join(words(got.json))


@dataclass(frozen=True)
class Kit:
    """One kind's words for the contract. A module `tests.channels.kits.<kind>` holds one as `KIT`."""

    config: Callable[[str], dict[str, Any]]
    """The receiver's address → the config that sends there."""
    secrets: tuple[str, ...]
    """What must never be told: as configured, and as it travels."""
    identity: Callable[[Got], str]
    """What a receiver knows a repeat by."""
    text: Callable[[Got], str] = all_words
    """What a reader sees."""
    says: Callable[[str], str] = field(default=lambda text: text)
    """How `text` looks on the wire, where the kind escapes it."""
    transport: Literal["http", "smtp"] = "http"
    path: str = ""
    """Where the receiver is asked."""
    most: int = 25_000
    """The largest request in bytes that the service takes for sure."""
    whole: bool = False
    """Whether the kind hands on every post in full, for programs to read."""
    needs: str = ""
    """A module that must be installed."""


KITS: dict[str, Kit] = {kind: import_module(f"tests.channels.kits.{kind}").KIT for kind in sorted(CHANNELS)}
