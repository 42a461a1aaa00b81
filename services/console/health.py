"""Words for how a feed does and why it fails, for people who did not write it. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from schemas.errors import Reason
from schemas.records import HealthWord
from services.analysis import replaying
from services.analysis.ages import ago, is_old, lasting
from services.analysis.health import health, lag
from services.analysis.naming import many

REASONS: dict[str, str] = {
    Reason.BLOCKED_ADDRESS: "its address is private, and private addresses are not asked unless the operator allows it",
    Reason.NAME_NOT_FOUND: "the name of its server cannot be found: check the address",
    Reason.UNREACHABLE: "its server does not answer",
    Reason.TIMEOUT: "its server takes too long to answer",
    Reason.TLS: "its server's certificate is not valid",
    Reason.RATE_LIMITED: "it asks us to come less often; we wait as long as it wants",
    Reason.SERVER_ERROR: "its server reports an error of its own",
    Reason.NO_ACCESS: "it refuses us: it may want a login, or block programs",
    Reason.NO_CREDENTIALS: "it needs a key or a token that is not set",
    Reason.BUDGET_SPENT: "what may be spent on it is spent for this period",
    Reason.SILENT: "the connection stands and nothing comes",
    Reason.NOT_FOUND: "there is nothing at its address",
    Reason.GONE: "it is gone for good, its server says",
    Reason.REFUSED: "its server refuses the request",
    Reason.REDIRECTED: "it leads elsewhere",
    Reason.TOO_MANY_REDIRECTS: "it leads round in circles",
    Reason.TOO_LARGE: "its answer is too large to be read",
    Reason.TRUNCATED: "its answer breaks off",
    Reason.NOT_A_FEED: "what is at its address is not a feed",
    Reason.UNSAFE_XML: "its answer is XML of a kind that can do harm, and was not read",
    Reason.BAD_ADDRESS: "its address is not one of its kind",
    Reason.BAD_CONFIG: "a setting it needs is wrong or missing",
    Reason.UNKNOWN_KIND: "this version does not know its kind",
    Reason.CRASHED: "reading it failed in a way that is a bug of ours; the log says more",
}


def told(feed: Mapping[str, Any], now: datetime, live_since: datetime | None = None) -> str:
    """One sentence on how a feed does, where live feeds are since then."""
    state = health(feed, now)
    heard = f"Last heard {ago(feed['heard_until'], now)}." if feed["heard_until"] else "It was never heard."
    if state == "failing":
        count = feed["failures"]
        why = REASONS.get(feed["last_reason"] or "", "it could not be read")
        tries = "once" if count == 1 else f"{many(count, 'time')} in a row"
        return f"Failed {tries}: {why}. {heard} {_next(feed, now)}"
    if state == "late" and feed["mode"] == "push":
        return _sentence(feed["warning"]) + " Is its sender still running?"
    if state == "late":
        since = feed["heard_until"] or feed["added_at"]
        span = f"since {ago(since, now)[3:]}" if is_old(since, now) else f"for {lasting(lag(feed, now))}"
        return f"Nothing was heard of it {span}, longer than it should take. {_next(feed, now)}"
    if state == "warning":
        moved = f"It says that it has moved to {feed['moved_to']}." if feed.get("moved_to") else ""
        return " ".join(filter(None, (_sentence(feed["warning"] or ""), moved)))
    told_of: dict[HealthWord, str] = {
        "new": "Waits for its first fetch." if feed["mode"] != "push" else "Nothing was sent yet.",
        "replaying": _sentence(replaying.told(feed, live_since, now)) or "A replay: its posts come in their own time.",
        "heard": "All is well.",
        "paused": f"Paused; its silence is no gap. {heard}",
        "ended": "A replay, read to its end." if feed["clock"] != "wall" else f"Nothing more comes of it. {heard}",
    }
    return told_of[state]


def _next(feed: Mapping[str, Any], now: datetime) -> str:
    wait = feed["next_fetch_at"] - now
    return f"Tried again in {lasting(wait)}." if wait.total_seconds() >= 1 else "Tried again now."


def _sentence(text: str) -> str:
    return text and text[0].upper() + text[1:].rstrip(".") + "."
