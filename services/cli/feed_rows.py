"""Feeds as people name them → rows, and rows → feeds for a list; the one place where a person's feed is added."""

import json
import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from schemas.errors import PermanentError, Reason
from services.analysis.confidential import holds_key, without_login, without_secrets
from services.analysis.listing import OUTLINE, Listed, read_options
from services.sources import SOURCES, host_of, mode_of
from services.sources.guess import recognise
from services.store import feeds
from services.store.pool import Connection, Row

USUAL_S = {"poll": 15 * 60, "stream": 10, "push": 15 * 60}
"""Seconds between fetches when nobody says; of a stream, before it is opened again."""
Known = dict[tuple[str, str], Row]


def checked(feed: Listed) -> Listed:
    """`feed` with its kind and canonical address, and its mode if that is not the usual one.

    Raises what recognise and mode_of raise.
    """
    kind, address = recognise(feed.address, feed.kind)
    mode = mode_of(kind, feed.mode)
    return replace(feed, kind=kind, address=address, mode="" if mode == mode_of(kind) else mode)


def known_feeds(tx: Connection) -> Known:
    """The rows there are, by kind and address."""
    return {(f["source"], f["address"]): f for f in feeds.list_feeds(tx)}


def add(tx: Connection, feed: Listed, known: Known, now: datetime) -> bool:
    """Add a checked feed, due at once; False when it is there already, and then only what is said here changes."""
    there = known.get((feed.kind, feed.address))
    title, options, mode = feed.title, dict(feed.options), feed.mode
    if there:
        title, options, mode = title or there["title"], {**there["options"], **options}, mode or there["mode"]
        if (title, options, mode) == (there["title"], there["options"], there["mode"]):
            return False
    mode = mode or mode_of(feed.kind)
    feed_id, new = feeds.add_feed(
        tx, source=feed.kind, address=feed.address, title=title, now=now, interval_s=feed.interval_s or USUAL_S[mode],
        clock=there["clock"] if there else "wall", mode=mode, host=host_of(feed.kind, feed.address), options=options,
    )  # fmt: skip
    if new and feed.paused:
        feeds.set_feed_state(tx, feed_id, "paused", now)
        feeds.stop_expecting_feed(tx, feed_id, now)
    return new


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
