"""Raises an alert and fills the outbox in the caller's transaction; also the alerts about feeds that stay silent."""

from datetime import datetime
from typing import Any

from schemas.records import Notice
from services.analysis import alerting, evidence
from services.store import alerts, deliveries
from services.store.pool import Connection, Row
from workers.runtime import Runtime

OUTAGE_FAILURES = 3
"""Failed fetches in a row after which a feed counts as silent."""


def raise_alert(tx: Connection, alert: dict[str, Any], now: datetime) -> bool:
    """Raise an alert with a delivery for each channel; False when this id was raised before."""
    if not alerts.raise_alert(tx, {**alert, "now": now}):
        return False
    bundle = alert["evidence"]
    notice = Notice(f"alert.{alert['alert_id']}", "alert", evidence.subject(bundle), bundle)
    deliveries.add_deliveries(tx, notice, now=now, alert_id=alert["alert_id"])
    return True


def outages(rt: Runtime) -> int:
    """Raise an outage for each feed that keeps failing and resolve those heard again; how many were raised."""
    now = rt.now()
    with rt.store.transaction() as tx:
        return sum(_outage(tx, feed, now) for feed in alerts.failing_feeds(tx, OUTAGE_FAILURES))


def _outage(tx: Connection, feed: Row, now: datetime) -> int:
    open_outage = alerts.open_outage(tx, feed["feed_id"])
    if open_outage:
        if not feed["failing"]:
            alerts.resolve_alert(tx, open_outage["alert_id"], last_bucket=now, now=now)
        return 0
    onset = feed["heard_until"] or feed["added_at"]
    identity = alerting.alert_id("outage", str(feed["feed_id"]), onset.isoformat())
    bundle = evidence.outage(identity, feed, onset, now)
    alert = {"alert_id": identity, "kind": "outage", "rule": "outage", "version_id": None, "frame": None,
             "feed_id": feed["feed_id"], "onset": onset, "last_bucket": now, "evidence": bundle}  # fmt: skip
    return int(raise_alert(tx, alert, now))
