"""How X's pages are walked: from the newest back to the newest of the last walk, which is only then replaced.

The cursor is {newest_id, user_id} and, inside a walk, {walk: {token, ceiling, since, gap, seen}}. Pure; must not fetch.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from services.sources.reading import at, word
from services.sources.x.posts import is_id

WINDOW = timedelta(days=7)
"""How far back recent search reaches (docs.x.com, Search)."""
_MARGIN = timedelta(hours=1)
_TIMELINE = 3200
"""Posts that a timeline holds (docs.x.com, Timelines)."""
_EPOCH_MS = 1_288_834_974_657
_MAX_TOKEN = 500


@dataclass(frozen=True, slots=True)
class Walk:
    """Where a walk stands."""

    since: str = ""
    """Only posts after this id; "" takes all there are."""
    token: str = ""
    """The page to go on with; "" at the start."""
    ceiling: str = ""
    """The newest id of the walk's first page: where the next walk ends."""
    gap: bool = False
    """Whether posts were lost on the way."""
    seen: int = 0
    fresh: bool = False
    """Whether nothing was ever read: then one page will do."""

    def without_token(self) -> "Walk":
        """The walk begun anew."""
        return Walk(since=self.since, gap=self.gap, fresh=self.fresh)

    def without_since(self) -> "Walk":
        """The walk when X no longer takes where the last one ended."""
        return replace(self, since="", gap=True)


def read_walk(cursor: Mapping[str, Any], now: datetime, *, window: bool) -> Walk:
    """The walk that a cursor stands for at `now`; within the `window` of a search an old end is given up."""
    newest = word(cursor, "newest_id")
    kept = at(cursor, "walk")
    if token := word(kept, "token")[:_MAX_TOKEN]:
        seen, since, ceiling = at(kept, "seen"), word(kept, "since"), word(kept, "ceiling")
        return Walk(
            since=since if is_id(since) else "",
            token=token,
            ceiling=ceiling if is_id(ceiling) else "",
            gap=at(kept, "gap") is True,
            seen=seen if isinstance(seen, int) else 0,
        )
    if not is_id(newest):
        return Walk(fresh=True)
    age = now - _made_at(newest)
    if window and age > WINDOW - _MARGIN:  # X would refuse it; within the margin nothing is lost yet
        return Walk(gap=age > WINDOW)
    return Walk(since=newest)


@dataclass(frozen=True, slots=True)
class Step:
    """What one more page means for a walk."""

    cursor: Mapping[str, Any]
    more: bool
    complete: bool


def step(walk: Walk, cursor: Mapping[str, Any], *, token: str, newest: str, listed: int) -> Step:
    """The walk after a page that listed `listed` posts up to `newest` and named `token` as the next page's."""
    ceiling = walk.ceiling or newest
    known = {name: word(cursor, name) for name in ("newest_id", "user_id") if word(cursor, name)}
    seen = walk.seen + listed
    if token and token != walk.token and not walk.fresh:
        kept = {"token": token, "ceiling": ceiling, "since": walk.since, "gap": walk.gap, "seen": seen}
        return Step({**known, "walk": kept}, more=True, complete=True)
    lost = walk.gap or bool(token and not walk.fresh)
    return Step(known | ({"newest_id": ceiling} if ceiling else {}), more=False, complete=not lost)


def timeline_is_short(seen: int) -> bool:
    """Whether so many posts were read that a timeline may have been cut off."""
    return seen >= _TIMELINE - 100


def _made_at(post_id: str) -> datetime:
    """The time in an id: its milliseconds stand above 22 bits (docs.x.com, X IDs)."""
    return datetime.fromtimestamp(((int(post_id) >> 22) + _EPOCH_MS) / 1000, UTC)
