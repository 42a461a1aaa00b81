"""Composes a digest from totals: what moved, what did not, and what could not be heard."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

NONE: Mapping[str, Any] = MappingProxyType({})
Totals = Sequence[Mapping[str, Any]]


def compose(
    about: Mapping[str, Any],
    *,
    now: Totals,
    before: Totals,
    posts: tuple[int, int],
    states: Mapping[str, str],
    quality: Mapping[str, Any] = NONE,
) -> dict[str, Any]:
    """The body of a digest.

    `about` is taken over as it is (digest, slot, period, codebook, alerts, coverage, gaps); `now` and `before` are
    totals a frame of this period and the one before; `posts` how many posts were scored in each of them; `quality` says
    how good each frame is.
    """
    shares = {t["frame"]: share(t["posts"], posts[1]) for t in before}
    frames = []
    for total in now:
        current, previous = share(total["posts"], posts[0]), shares.get(total["frame"])
        frames.append(
            {
                "id": total["frame"],
                "title": total["title"],
                "posts": total["posts"],
                "units": total["units"],
                "share": current or 0.0,
                "previous_share": previous,
                "change": None if previous is None or current is None else current - previous,
                "state": states.get(total["frame"], "learning"),
                "quality": quality.get(total["frame"]),
            }
        )
    frames.sort(key=lambda f: (f["state"] != "burst", -(f["change"] or 0.0), -f["posts"]))
    return {**about, "totals": {"posts": posts[0], "carrying": sum(t["posts"] for t in now)}, "frames": frames}


def share(posts: int, total: int) -> float | None:
    """Posts as a share of all posts, None when there were none to be a share of."""
    return posts / total if total else None


def subject(body: Mapping[str, Any], slot: datetime) -> str:
    """The news in one line."""
    rising = [f["title"] for f in body["frames"] if f["state"] == "burst"]
    if rising:
        news = f"{', '.join(rising[:2])}{f' and {len(rising) - 2} more' if len(rising) > 2 else ''} moving"
    elif not body["totals"]["posts"]:
        news = "nothing was heard"
    else:
        news = "nothing moves"
    return f"{body['codebook']['title']}, {slot:%d %b %Y}: {news}"
