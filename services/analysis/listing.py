"""What a list of feeds says, whatever its format: feeds, and what could not be read of it. Pure; must know no kind."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MAX_LIST_BYTES = 32 * 1024 * 1024
"""Largest file read as a list of feeds."""
OUTLINE = "outline"
"""The option of a feed in which lists keep what means nothing to us: `attributes` of its own, `groups` around it."""
_LONGEST_OPTIONS = 100_000


@dataclass(frozen=True, slots=True)
class Listed:
    """One feed of a list, as it stands there: address and kind not yet checked, "" or 0 where the list is silent."""

    address: str
    kind: str = ""
    title: str = ""
    interval_s: int = 0
    options: Mapping[str, Any] = field(default_factory=dict)
    paused: bool = False
    mode: str = ""
    """How it is heard, "" being as usual for its kind."""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Trouble:
    """What could not be read, where, and what to do about it."""

    line: int
    told: str


@dataclass(frozen=True, slots=True)
class FeedList:
    """A list that was read; the feeds stand in its order."""

    feeds: tuple[Listed, ...] = ()
    troubles: tuple[Trouble, ...] = ()
    notes: tuple[str, ...] = ()
    """What was left aside without harm."""


def outline_of(options: Mapping[str, Any]) -> tuple[dict[str, str], list[dict[str, str]]]:
    """(attributes, groups from the outermost in) that a list keeps in the options of a feed."""
    kept = options.get(OUTLINE)
    kept = kept if isinstance(kept, Mapping) else {}
    groups = kept.get("groups")
    return _words(kept.get("attributes")), [_words(g) for g in groups] if isinstance(groups, list) else []


def with_outline(
    options: Mapping[str, Any], attributes: Mapping[str, str], groups: list[dict[str, str]]
) -> dict[str, Any]:
    """`options` that also keep `attributes` and `groups`; nothing is added when both are empty."""
    kept: dict[str, Any] = {"attributes": dict(attributes)} if attributes else {}
    kept |= {"groups": groups} if groups else {}
    return {**options, OUTLINE: kept} if kept else dict(options)


_NO_OPTIONS = 'the options are no JSON object such as {"page": 500}'


def read_options(text: str) -> dict[str, Any]:
    """The options that a list carries as a JSON object. Raises ValueError, worded, for what a row cannot keep."""
    try:
        value = json.loads(text[: _LONGEST_OPTIONS + 1], parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise ValueError(_NO_OPTIONS) from None
    return clean_options(value)


def clean_options(value: Any) -> dict[str, Any]:
    """Options from parsed JSON. Raises ValueError, worded, for what a row cannot keep."""
    try:
        told = json.dumps(value, ensure_ascii=False, allow_nan=False)
        told.encode()
    except (ValueError, RecursionError):
        raise ValueError(_NO_OPTIONS) from None
    if not isinstance(value, dict) or "\\u0000" in told or len(told) > _LONGEST_OPTIONS:
        raise ValueError(_NO_OPTIONS)
    return {name: inner for name, inner in value.items() if name != OUTLINE}


def read_minutes(text: str) -> int:
    """Seconds between fetches, from minutes; 0 for "". Raises ValueError, worded, for anything but a number above 0."""
    if not text.strip():
        return 0
    try:
        seconds = round(float(text.replace(",", ".")) * 60)
    except (ValueError, OverflowError):
        seconds = 0
    if not 1 <= seconds <= 31 * 86_400:
        raise ValueError(f"{text[:40]!r} is no number of minutes between fetches; write one such as 15")
    return seconds


def _refuse(name: str) -> Any:
    raise ValueError(name)


def _words(value: Any) -> dict[str, str]:
    return {k: v for k, v in value.items() if isinstance(v, str)} if isinstance(value, Mapping) else {}
