"""Composes a digest from totals: what moved, what did not, and what could not be heard. Pure, and no word of markup."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from schemas.wire_detection import State
from services.analysis.conditions import Told, condition
from services.analysis.headlines import standing
from services.analysis.moving import Movement, against, times

Row = Mapping[str, Any]
Totals = Sequence[Row]

SURE = 3.0
"""Standard errors that two shares must lie apart to be told as a move: posts that copy each other are no independent
draws, so the usual two would cry wolf."""
MOVED = ("burst", "up", "down")
CHARTS = 6
LEAST_CHARTS = 3
MOVES = ("burst", "up", "down", "steady", "unknown")
"""`burst`: an alert of the frame is new in the period; else how its share stands to the period before."""


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
    states: Mapping[str, State]
    """By frame: burst when any judged hour of the period was one, else the state of its newest."""
    conditions: Mapping[str, Told] = field(default_factory=dict)
    """By frame: what people are told of it at the end of the period."""
    moves: Mapping[str, Movement | None] = field(default_factory=dict)
    """By frame: its voices against what the past explains, over the judged hours of the period."""
    quality: Mapping[str, Row] = field(default_factory=dict)
    """By frame: how good it is, as people judged it."""
    stances: Mapping[str, Row] = field(default_factory=dict)
    """By frame: posts and units by how they stand to it; empty where stance is off."""


def compose(
    about: Row, parts: Sequence[Part], *, alerts: Sequence[Row], told_before: frozenset[str] | None = None
) -> dict[str, Any]:
    """The body of a digest: `about` taken over as it is, then totals, frames by news, and alerts.

    `told_before`: ids of the alerts that the digest before told of; None where there was none.
    """
    told = [_frame(part, total, alerts, (about, told_before)) for part in parts for total in part.now]
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
    """New alerts first, by how many speak; then what moved, by how far; then alerts that go on, or are over."""
    weight = frame["units"] if frame["moved"] == "burst" else abs(frame["sigma"] or 0.0)
    moved = frame["moved"] in MOVED
    quiet = ("on", "over", None).index(frame["alert"]) if not moved else 0
    return (not moved, quiet, MOVES.index(frame["moved"]), -weight, -frame["posts"])


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
    """The frames that are worth a picture: those that moved or are on alert, and a few to see the calm by."""
    moved = sum(f["moved"] in MOVED or f["alert"] == "on" for f in body["frames"])
    return list(body["frames"][: min(max(moved, LEAST_CHARTS), CHARTS)])


def nothing_new(body: Row) -> bool:
    """Whether a digest has nothing to tell: no move, alert, gap or new suggestion, and everything was heard."""
    moved = any(f["moved"] in MOVED for f in body["frames"])
    whole = body["coverage"] is not None and body["coverage"] >= 1
    return whole and not (moved or body["alerts"] or body["gaps"] or body["suggestions"])


def _frame(part: Part, total: Row, alerts: Sequence[Row], period: tuple[Row, frozenset[str] | None]) -> dict[str, Any]:
    about, told_before = period
    earlier = next((b["posts"] for b in part.before if b["frame"] == total["frame"]), 0)
    current, previous = share(total["posts"], part.posts[0]), share(earlier, part.posts[1])
    apart = sigma((total["posts"], part.posts[0]), (earlier, part.posts[1]))
    state: State = part.states.get(total["frame"], "learning")
    since = datetime.fromisoformat(about["period"]["from"])
    ours = [a for a in alerts if (a["frame"], a["codebook"]) == (total["frame"], part.codebook["id"])]
    stands = standing(ours, since, told_before)
    told = part.conditions.get(total["frame"]) or condition(state, None, None)
    moved = part.moves.get(total["frame"])
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
        "condition": told.condition,
        "detail": told.detail,
        "moved": _moved(stands == "new", apart, heard=about["coverage"] != 0),
        "alert": stands,
        "onset": min((a["onset"] for a in ours if stands == "over" or a["state"] != "resolved"), default=None),
        "ratio": moved.ratio if moved and times(moved) else None,
        "ratio_low": moved.low if moved and times(moved) else None,
        "against": ": ".join(filter(None, (against(moved), times(moved)))),
        "voices": None,
        "quality": part.quality.get(total["frame"]),
        **({"stances": split} if (split := part.stances.get(total["frame"])) else {}),
    }


def _moved(fresh: bool, apart: float | None, *, heard: bool) -> str:  # noqa: FBT001 - a fact, not a switch
    """An hour of burst without a new alert is no news: the frame counts by its share."""
    if fresh:
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
