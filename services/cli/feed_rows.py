"""Feeds as rows → feeds for a list, and what the command line is told of options."""

import json
import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from schemas.errors import PermanentError, Reason
from services.analysis.confidential import holds_key, without_login, without_secrets
from services.analysis.listing import OUTLINE, Listed, read_options
from services.sources import SOURCES, mode_of
from services.store.pool import Row


def beside(feed: Listed, there: Row | None) -> Listed:
    """What a list may change of a feed that is there already: a missing title, and what lists keep with it."""
    if there is None:
        return feed
    kept = {OUTLINE: feed.options[OUTLINE]} if OUTLINE in feed.options else {}
    return replace(feed, title="" if there["title"] else feed.title, options=kept, mode="")


def listed(found: Iterable[Row]) -> tuple[list[Listed], list[str]]:
    """Rows as feeds for a list, without secrets; and what was left out, worded."""
    out: list[Listed] = []
    told: list[str] = []
    for row in found:
        if row["clock"] != "wall":
            told.append(f"feed {row['feed_id']} is a replay and stays out")
            continue
        own = {name: value for name, value in row["options"].items() if name != OUTLINE}
        options, taken = without_secrets(own)
        address = without_login(row["address"])
        kept = {OUTLINE: row["options"][OUTLINE]} if OUTLINE in row["options"] else {}
        told += [f"feed {row['feed_id']}: option {name} looks like a secret and stays out" for name in taken]
        if address != row["address"]:
            told.append(f"feed {row['feed_id']}: the login in its address stays out")
        if holds_key(address):
            told.append(f"feed {row['feed_id']}: its address holds what looks like a key; keep the list to yourself")
        mode = "" if row["mode"] == _usual(row["source"]) else row["mode"]
        out.append(
            Listed(
                address, row["source"], row["title"], row["interval_s"], {**options, **kept}, row["state"] == "paused",
                mode,
            )
        )  # fmt: skip
    return out, told


def options_of(pairs: Iterable[str]) -> dict[str, Any]:
    """Options given as NAME=VALUE, a value being JSON where it can be. Raises PermanentError(BAD_INPUT)."""
    found: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not re.fullmatch("[a-z][a-z0-9_]{0,40}", name) or name == OUTLINE:
            raise PermanentError(
                Reason.BAD_INPUT, f"--option {name[:40]!r} cannot be used; write it as --option page=500"
            )
        found[name] = _value(text)
    try:
        return read_options(json.dumps(found))
    except ValueError as error:
        raise PermanentError(Reason.BAD_INPUT, f"--option: {error}") from None


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _usual(kind: str) -> str:
    """The usual mode of `kind`; "" for one that this version does not know."""
    return mode_of(kind) if kind in SOURCES else ""
