"""Decides how well a feed is heard: whether it is asked too seldom, what it usually brings, whether its silence is odd.

Pure: counts and spans are arguments. It must not fetch or wait.
"""

import math
from dataclasses import dataclass
from datetime import timedelta

from services.analysis.naming import many

SEEN_MUCH, SEEN_LITTLE = 2 / 3, 1 / 3
"""Shares of a page that we knew before: above the first we come too often, below the second too seldom."""
SLOWEST, FASTEST = 4.0, 0.2
ENOUGH_POSTS = 5
"""A page of fewer posts says nothing about pace."""
MEMORY = timedelta(days=3)
"""How far back the usual rate looks."""
ODD_POSTS, ODD_SILENCE = 70.0, timedelta(minutes=10)
"""A silence is odd when so many posts are missing. Chance alone takes 14 for one in a million; five times as many leave
room for nights, when a feed may bring a fifth of its usual rate."""


@dataclass(frozen=True, slots=True)
class Pace:
    """What the interval is multiplied with from now on, and what to tell of it ("" for nothing)."""

    factor: float
    warning: str = ""


def next_pace(factor: float, known: int, posts: int) -> Pace:
    """The pace after a page that shows the newest `posts`, of which we had `known`."""
    if not posts or (posts >= ENOUGH_POSTS and known / posts > SEEN_MUCH):
        return Pace(min(factor * 1.25, SLOWEST))
    if posts < ENOUGH_POSTS or known / posts >= SEEN_LITTLE:
        return Pace(factor)
    told = f"{posts - known:,} of the {many(posts, 'post')} it shows were new"
    if factor <= FASTEST:
        told += (
            ", and it cannot be asked more often: posts are probably missing. Give it a shorter interval, or split it "
            "into several feeds."
        )
    else:
        told += ": posts may be missing between two fetches. It is asked more often now."
    return Pace(max(factor / 1.5, FASTEST), told)


def next_rate(rate: float | None, posts: int, span: timedelta) -> float:
    """Posts an hour after `posts` came in `span`: an average that forgets with MEMORY.

    It starts at nothing and grows, so that a feed is called silent only once it is known.
    """
    hours = span / timedelta(hours=1)
    before = rate or 0.0
    return before + (posts / hours - before) * -math.expm1(-(span / MEMORY)) if hours > 0 else before


def is_silent(rate: float | None, since_last_post: timedelta) -> bool:
    """Whether a feed that usually brings `rate` posts an hour has been quiet for too long to be merely quiet."""
    missing = (rate or 0.0) * (since_last_post / timedelta(hours=1))
    return since_last_post >= ODD_SILENCE and missing > ODD_POSTS


def told_of_silence(rate: float, silence: timedelta) -> str:
    """What an analyst is told of an odd silence."""
    minutes = silence / timedelta(minutes=1)
    span = many(round(minutes), "minute") if minutes < 120 else many(round(minutes / 60), "hour")
    usual = f"It usually brings {many(round(rate), 'post')} an hour"
    return f"{usual} and has brought none for {span}. This counts as not heard."


def ask_hub_again(attempts: int) -> timedelta:
    """How long to wait after so many requests that a hub did not confirm: doubling from an hour to a day."""
    return timedelta(hours=min(2 ** min(max(attempts - 1, 0), 10), 24))


def renew_lease(lease: timedelta) -> timedelta:
    """How long after it was granted a hub's promise is renewed: with a fifth of it left."""
    return lease * 0.8
