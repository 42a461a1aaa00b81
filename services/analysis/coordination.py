"""Finds one text posted by many accounts within seconds, too many of them new: the mark of accounts that act as one.

Pure. Reposts must be left out by the caller: many people repeat one post within seconds without being coordinated.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from scipy.stats import binom

MIN_AUTHORS = 5
"""Fewer people do post the same headline within a minute of each other by chance."""
WINDOW = timedelta(seconds=60)
"""The window that studies of coordinated sharing use for texts; people who read and copy take longer."""
FRESH = 0.5
"""At least this part of them was never seen before that day ..."""
CHANCE = 1e-3
"""... and so many new ones are this unlikely where new accounts are as usual as they are here."""


@dataclass(frozen=True, slots=True)
class Wave:
    """One text, many accounts, at once."""

    unit_key: str
    onset: datetime
    last: datetime
    authors: int
    fresh: int
    span_s: float
    usual: float
    """Part of the day's authors that was never seen before, 0 to 1."""
    probability: float


def waves(rows: Iterable[Mapping[str, Any]], usual: float) -> list[Wave]:
    """The densest window of each text, where it is a wave.

    `rows` are posts: unit_key (text), author, published_at, fresh (never seen before that day); in any order.
    `usual` is the part of all the day's authors that is fresh.
    """
    ordered = sorted(rows, key=lambda r: (r["unit_key"], r["published_at"], r["author"]))
    found = [_densest(key, list(group), usual) for key, group in groupby(ordered, key=lambda r: r["unit_key"])]
    return sorted((w for w in found if w is not None), key=lambda w: (w.onset, w.unit_key))


def _densest(key: str, posts: list[Mapping[str, Any]], usual: float) -> Wave | None:
    """The earliest window with enough behind it; a wave keeps its onset however many join later."""
    first = 0
    for last, post in enumerate(posts):
        while post["published_at"] - posts[first]["published_at"] > WINDOW:
            first += 1
        accounts = {p["author"]: p["fresh"] for p in posts[first : last + 1]}
        if len(accounts) >= MIN_AUTHORS and (wave := _judge(key, accounts, (posts[first], post), usual)):
            return _whole(wave, posts, usual)
    return None


def _judge(
    key: str, accounts: Mapping[str, bool], ends: tuple[Mapping[str, Any], Mapping[str, Any]], usual: float
) -> Wave | None:
    fresh = sum(accounts.values())
    chance = float(binom.sf(fresh - 1, len(accounts), min(max(usual, 0.0), 1.0)))
    if fresh < FRESH * len(accounts) or chance >= CHANCE:
        return None
    begin, end = (e["published_at"] for e in ends)
    return Wave(key, begin, end, len(accounts), fresh, (end - begin).total_seconds(), usual, chance)


def _whole(wave: Wave, posts: list[Mapping[str, Any]], usual: float) -> Wave:
    """The wave with everybody who came within the window of its onset."""
    inside = [p for p in posts if wave.onset <= p["published_at"] <= wave.onset + WINDOW]
    accounts = {p["author"]: p["fresh"] for p in inside}
    return _judge(wave.unit_key, accounts, (inside[0], inside[-1]), usual) or wave
