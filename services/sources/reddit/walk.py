"""How a listing of Reddit is walked: from the newest post down to the first one that was seen before.

The cursor keeps the names of the newest posts of the last walk (any of them ends the next one) and, inside a
walk, where it stands. Pure; must not fetch.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

ANCHORS = 100
"""Names that a walk leaves behind; posts vanish, and a single name would be lost with its post."""
RESUMES = 5
"""Names after which a walk may go on, for the same reason."""
MAX_PAGES = 12
"""Listings end after about 1,000 posts, ten pages; more pages are somebody's mistake."""
_NAME = re.compile(r"t[0-9]_[A-Za-z0-9_-]{1,40}")


@dataclass(frozen=True, slots=True)
class Walk:
    """Where a walk stands."""

    anchors: tuple[str, ...] = ()
    """Any of these is known ground; none before the first walk."""
    after: tuple[str, ...] = ()
    """Go on after the first of these that still exists; empty at the start of a walk."""
    tops: tuple[str, ...] = ()
    """The anchors of the next walk."""
    pages: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """What one more page means for a walk."""

    cursor: Mapping[str, Any]
    more: bool
    complete: bool


def read_walk(cursor: Mapping[str, Any]) -> Walk:
    """The walk that a cursor stands for; a strange cursor starts afresh."""
    pages = cursor.get("pages")
    after = tuple(name for name in _names(cursor, "after") if _NAME.fullmatch(name))
    if not after:
        return Walk(_names(cursor, "anchors"))
    return Walk(
        _names(cursor, "anchors"), after, _names(cursor, "tops"), pages if isinstance(pages, int) else MAX_PAGES
    )


def step(walk: Walk, names: Sequence[str], *, fresh: bool, last: bool) -> Step:
    """The walk after a page that listed `names`; `last` when the listing ends with it, `fresh` on the first fetch.

    The first fetch takes one page. A walk is complete when it has met an anchor.
    """
    tops = walk.tops if walk.after else tuple(names[:ANCHORS])
    met = not set(names).isdisjoint(walk.anchors)
    after = [name for name in names if _NAME.fullmatch(name)][: -RESUMES - 1 : -1]
    if met or last or not walk.anchors or not after or walk.pages + 1 >= MAX_PAGES:
        return Step({"anchors": list(tops or walk.anchors)}, more=False, complete=met or fresh)
    kept = {"anchors": list(walk.anchors), "after": after, "tops": list(tops), "pages": walk.pages + 1}
    return Step(kept, more=True, complete=True)


def _names(cursor: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = cursor.get(name)
    kept = value if isinstance(value, list | tuple) else ()
    return tuple(one for one in kept if isinstance(one, str))[:ANCHORS]
