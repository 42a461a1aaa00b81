"""Recomputes the evidence of an alert from stored data, and says what differs and why. It writes nothing."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from schemas.errors import PermanentError, Reason
from services.analysis.rechecking import differences
from services.store import alerts, trends
from services.store.pool import Connection, Row, one, rows


def late_arrivals(connection: Connection, **about: Any) -> list[int]:
    """Posts of a frame in a period that were received after the alert was raised."""
    return [r["post_id"] for r in rows(connection, "rechecks", "late_arrivals", **about)]


def fates(connection: Connection, version_id: int, frame: str, post_ids: Sequence[int]) -> list[Row]:
    """What became of posts: post_id, deleted_at, edited_at, carries."""
    return rows(connection, "rechecks", "fates", version_id=version_id, frame=frame, post_id=list(post_ids))


def erased_since(connection: Connection, raised_at: datetime) -> int:
    """How many posts were deleted since an alert was raised."""
    return int(one(connection, "rechecks", "erased_since", raised_at=raised_at)["posts"])


def scores_kept(connection: Connection, version_id: int) -> bool:
    """Whether the scores of a codebook version are still there."""
    return bool(one(connection, "rechecks", "scores_kept", version_id=version_id)["kept"])


def recheck(connection: Connection, alert_id: str) -> dict[str, Any]:
    """What of an alert's frozen evidence stored data no longer says: alert_id, differences and causes.

    Raises PermanentError: NOT_FOUND, or BAD_INPUT where nothing was counted or the scores are gone.
    """
    alert = alerts.read_alert(connection, alert_id)
    if alert is None:
        raise PermanentError(Reason.NOT_FOUND, f"there is no alert {alert_id}; see: framewatch alerts list")
    if alert["frame"] is None:
        told = "nothing was counted for this alert: it tells of what was not heard"
        raise PermanentError(Reason.BAD_INPUT, told)
    if not scores_kept(connection, alert["version_id"]):
        told = "the scores of the codebook version it fired under are no longer kept, so nothing can be recomputed"
        raise PermanentError(Reason.BAD_INPUT, told)
    frozen = alert["evidence"]
    since, until = (datetime.fromisoformat(frozen[k]) for k in ("onset", "until"))
    about: dict[str, Any] = {"version_id": alert["version_id"], "frame": alert["frame"], "since": since, "until": until}
    fresh = _fresh(connection, alert, about)
    late = late_arrivals(connection, **about, raised_at=alert["raised_at"])
    named = {p["post_id"] for bundle in (frozen, fresh) for k in ("first_carriers", "typical") for p in bundle[k]}
    became = {
        r["post_id"]: fate
        for r in fates(connection, alert["version_id"], alert["frame"], sorted(named))
        if (fate := _fate(r, r["post_id"] in late, alert["raised_at"]))
    }
    causes = {"late_arrivals": len(late), "deleted_since": erased_since(connection, alert["raised_at"])}
    return {"alert_id": alert_id, "differences": differences(frozen, fresh, became), "causes": causes}


def _fresh(connection: Connection, alert: Row, about: dict[str, Any]) -> dict[str, Any]:
    since, until = about["since"], about["until"]
    key = None
    if wave := alert["evidence"].get("wave"):
        key = bytes.fromhex(wave["unit_key"])
        # The last account's second belongs to the wave.
        until = datetime.fromtimestamp(until.timestamp() + 1, until.tzinfo)
    # A bundle of before quotes were chosen by their probability does not tell that of its first carriers.
    chosen = all("score" in p for p in alert["evidence"]["first_carriers"])
    clear = alerts.CLEAR if chosen else 0.0
    facts = alerts.facts(connection, **{**about, "until": until}, unit_key=key, clear=clear)
    scored = alert["evidence"].get("scored")
    if key is None:
        scored = trends.posts_scored(connection, alert["version_id"], since, until)
    return facts | {"scored": scored}


def _fate(row: Row, late: bool, raised_at: datetime) -> str:  # noqa: FBT001
    if row["deleted_at"] is not None:
        return f"it was deleted on {row['deleted_at']:%d %b %Y %H:%M} UTC"
    if not row["carries"]:
        return "it was scored again and no longer carries the frame"
    if late:
        return "it was received only after the alert was raised"
    if row["edited_at"] is not None and row["edited_at"] > raised_at:
        return f"it was edited on {row['edited_at']:%d %b %Y %H:%M} UTC"
    return ""
