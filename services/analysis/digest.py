"""Composes a digest from totals: what moved, what did not, and what could not be heard. Pure, and no word of markup."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from services.analysis.naming import many

Row = Mapping[str, Any]
Totals = Sequence[Row]

SURE = 3.0
"""Standard errors that two shares must lie apart to be told as a move: posts that copy each other are no independent
draws, so the usual two would cry wolf."""
CHARTS = 6
LEAST_CHARTS = 3
MOVES = ("burst", "up", "down", "steady", "unknown")
_MUCH = 100
"""Above so many times next to nothing, a ratio says only `far above`."""


@dataclass(frozen=True, slots=True)
class Part:
    """What is known of one codebook over the digest's period and the one before."""

    codebook: Row
    now: Totals
    before: Totals
    posts: tuple[int, int]
    """Posts scored in the period, and in the one before."""
    carrying: int
    """Posts of the period that carry a frame, each once."""
    states: Mapping[str, str]
    quality: Mapping[str, Row] = field(default_factory=dict)
    """By frame: how good it is, as people judged it."""
    stances: Mapping[str, Row] = field(default_factory=dict)
    """By frame: posts and units by how they stand to it; empty where stance is off."""


def compose(about: Row, parts: Sequence[Part], *, alerts: Sequence[Row]) -> dict[str, Any]:
    """The body of a digest: `about` taken over as it is, then totals, frames by news, and alerts."""
    told = [_frame(part, total, alerts, about) for part in parts for total in part.now]
    told.sort(key=_by_news)
    return {
        **about,
        "codebook": _codebook([p.codebook for p in parts]),
        "totals": {
            "posts": max((p.posts[0] for p in parts), default=0),
            "previous_posts": max((p.posts[1] for p in parts), default=0),
            "carrying": max((p.carrying for p in parts), default=0),
        },
        "frames": told,
        "alerts": list(alerts),
    }


def _by_news(frame: Row) -> tuple[float, ...]:
    """Bursts that began in the period first, then by how many speak; the rest by how far they moved."""
    weight = frame["units"] if frame["moved"] == "burst" else abs(frame["sigma"] or 0.0)
    return (MOVES.index(frame["moved"]), not frame["began"], -weight, -frame["posts"])


def share(posts: int, total: int) -> float | None:
    """Posts as a share of all posts, None when there were none to be a share of."""
    return posts / total if total else None


def sigma(now: tuple[int, int], before: tuple[int, int]) -> float | None:
    """How many standard errors two shares, each (posts, all posts), lie apart; None when one of them is unknown.

    The pooled two-proportion z statistic of any textbook.
    """
    if not now[1] or not before[1]:
        return None
    pooled = (now[0] + before[0]) / (now[1] + before[1])
    spread = math.sqrt(pooled * (1 - pooled) * (1 / now[1] + 1 / before[1]))
    return (now[0] / now[1] - before[0] / before[1]) / spread if spread else 0.0


def charted(body: Row) -> list[dict[str, Any]]:
    """The frames that are worth a picture: those that moved, and a few to see the calm by."""
    moved = sum(f["moved"] in ("burst", "up", "down") for f in body["frames"])
    return list(body["frames"][: min(max(moved, LEAST_CHARTS), CHARTS)])


def nothing_new(body: Row) -> bool:
    """Whether a digest has nothing to tell: no move, alert, gap or new suggestion, and everything was heard."""
    moved = any(f["moved"] in ("burst", "up", "down") for f in body["frames"])
    whole = body["coverage"] is not None and body["coverage"] >= 1
    return whole and not (moved or body["alerts"] or body["gaps"] or body["suggestions"])


def news(body: Row) -> str:
    """What happened, in one line."""
    frames = body["frames"]
    bursts = [f for f in frames if f["moved"] == "burst"]
    if bursts:
        more = f" and {len(bursts) - 2} more" if len(bursts) > 2 else ""
        told = ", ".join(_burst(f) for f in bursts[:2])
        return told + (more or "")
    if not body["totals"]["posts"] or body["coverage"] == 0:
        return "Nothing was heard"
    shifts = [f for f in frames if f["moved"] in ("up", "down")]
    if shifts:
        first, more = shifts[0], f" and {many(len(shifts) - 1, 'more shift')}" if len(shifts) > 1 else ""
        return f"{first['title']} {first['moved']} {abs(100 * first['change']):.1f} points{more}"
    return "All calm"


def subject(body: Row, slot: datetime) -> str:
    """The news first, then of what and when, in the reader's own time zone."""
    local = slot.astimezone(ZoneInfo(body.get("timezone") or "UTC"))
    return f"{news(body)} · {body['codebook']['title']}, {local:%-d %b %Y}"


def _burst(frame: Row) -> str:
    ratio = frame["ratio"]
    if ratio is None or ratio < 1.5:
        return f"{frame['title']} bursts"
    return f"{frame['title']} {f'{ratio:.0f}×' if ratio <= _MUCH else f'over {_MUCH}×'} the usual"


def _frame(part: Part, total: Row, alerts: Sequence[Row], about: Row) -> dict[str, Any]:
    earlier = next((b["posts"] for b in part.before if b["frame"] == total["frame"]), 0)
    current, previous = share(total["posts"], part.posts[0]), share(earlier, part.posts[1])
    apart = sigma((total["posts"], part.posts[0]), (earlier, part.posts[1]))
    state = part.states.get(total["frame"], "learning")
    since = datetime.fromisoformat(about["period"]["from"])
    ours = [a for a in alerts if (a["frame"], a["codebook"]) == (total["frame"], part.codebook["id"])]
    return {
        "id": total["frame"],
        "codebook": part.codebook["id"],
        "title": total["title"],
        "posts": total["posts"],
        "units": total["units"],
        "authors": total["authors"],
        "share": current or 0.0,
        "previous_share": previous,
        "change": None if previous is None or current is None else current - previous,
        "sigma": apart,
        "state": state,
        "moved": _moved(bool(ours), apart, heard=about["coverage"] != 0),
        "began": any(datetime.fromisoformat(a["onset"]) >= since for a in ours),
        "ratio": max((a["ratio"] for a in ours if a["ratio"] is not None), default=None),
        "voices": None,
        "quality": part.quality.get(total["frame"]),
        **({"stances": split} if (split := part.stances.get(total["frame"])) else {}),
    }


def _moved(alerted: bool, apart: float | None, *, heard: bool) -> str:  # noqa: FBT001 - a fact, not a switch
    """An hour of burst that was not enough for an alert is no news: the frame counts by its share."""
    if alerted:
        return "burst"
    if not heard or apart is None:
        return "unknown"
    if abs(apart) < SURE:
        return "steady"
    return "up" if apart > 0 else "down"


def _codebook(books: Sequence[Row]) -> dict[str, Any]:
    first = dict(books[0])
    if len(books) > 1:
        first["title"] = " and ".join(str(b["title"]) for b in books)
    return first
