"""Alerts about hearing itself: feeds that stay silent, stretches in which too little was heard, what was left behind.

They hold back no other alert. Also lets the messages of a run go. What is told to whom is decided elsewhere.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from services.analysis import alerting, evidence, silence
from services.analysis.bursts import COVERED
from services.analysis.coverage import Run, coverage, uncovered
from services.analysis.naming import many
from services.analysis.telling import Measure
from services.store import alerts, announcing, feeds, senders, tellings
from services.store.pool import Connection, Row
from workers.runtime import Runtime

OUTAGE_FAILURES = 3
"""Failed fetches in a row after which a feed counts as silent."""
LOOK_BACK = timedelta(days=2)
"""Gaps that ended longer ago are history, and in the digest."""
GAP_BUCKETS = 2
"""Buckets in a row with too little heard that make a gap, and with enough that end it: one may be a restart."""


def gather(rt: Runtime) -> None:
    """Let the messages of this run go, together where they belong together."""
    with rt.store.transaction() as tx:
        tellings.gather(tx, rt.now())


def notice_silences(rt: Runtime) -> None:
    """Mark feeds whose sender is silent beyond its habits, looking once an hour; they are outages from then on."""
    with rt.store.transaction() as tx:
        for feed_id in senders.note_there(tx, rt.now()):
            _notice(tx, feed_id, rt.now())


def outages(rt: Runtime) -> int:
    """Raise an outage for each feed that fails or is sent no more, resolve those heard again; how many were told of."""
    with rt.store.transaction() as tx:
        return sum(_outage(tx, rt, feed) for feed in alerts.failing_feeds(tx, OUTAGE_FAILURES))


def left_behind(rt: Runtime, horizon: timedelta) -> int:
    """End the alerts of frames that left the codebook, and those older than all that is looked at; how many."""
    with rt.store.transaction() as tx:
        told = 0
        for alert in alerts.left_behind(tx, horizon):
            why = (
                "its frame left the codebook"
                if alert["gone"]
                else f"nothing was heard for {many(horizon.days, 'day')} after it"
            )
            last = alert["last_bucket"]
            told += announcing.resolve(tx, alert["alert_id"], last_bucket=last, now=rt.now(), rule=rt.rule, why=why)
        return told


def gaps(rt: Runtime, closed: datetime) -> int:
    """Raise a gap for each stretch in which no frame could be judged, and resolve it once enough is heard."""
    step = rt.rule.step
    with rt.store.transaction() as tx:
        spans = feeds.spans(tx, closed - LOOK_BACK, closed)
        starts = np.arange((closed - LOOK_BACK).timestamp(), closed.timestamp(), step.total_seconds())
        heard = coverage(starts, step.total_seconds(), spans)
        runs = uncovered(starts, heard, covered=COVERED, least=GAP_BUCKETS)
        told = sum(_gap(tx, rt, run) for run in runs)
        # Whatever became of its beginning: an open gap is over when the newest buckets were heard.
        open_gap = alerts.open_gap(tx)
        if open_gap and bool(np.all(heard[-GAP_BUCKETS:] >= COVERED)):
            last = open_gap["last_bucket"]
            told += announcing.resolve(
                tx, open_gap["alert_id"], last_bucket=last, now=rt.now(), rule=rt.rule, why="heard"
            )
        return told


def _notice(tx: Connection, feed_id: int, now: datetime) -> None:
    since = senders.hold_sender(tx, feed_id)
    found = silence.silence(senders.sender_hours(tx, feed_id, now - silence.MEMORY), now) if since else None
    if since and found and found.odd:
        senders.warn_of_sender(tx, feed_id, silence.told(found, since))
        senders.end_stay(tx, feed_id, since.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1))


def _outage(tx: Connection, rt: Runtime, feed: Row) -> int:
    now = rt.now()
    open_outage = alerts.open_outage(tx, feed["feed_id"])
    if open_outage:
        if feed["failing"]:
            return 0
        if feed["mode"] == "push":
            senders.warn_of_sender(tx, feed["feed_id"], None)
        return int(announcing.resolve(tx, open_outage["alert_id"], last_bucket=now, now=now, rule=rt.rule, why="heard"))
    onset = feed["heard_until"] or feed["added_at"]
    identity = alerting.alert_id("outage", str(feed["feed_id"]), onset.isoformat())
    bundle = evidence.outage(identity, feed, onset, now)
    alert = _alert("outage", identity, (onset, now), bundle) | {"feed_id": feed["feed_id"]}
    return int(announcing.fire(tx, alert, rt.rule, measure=Measure(), now=now))


def _gap(tx: Connection, rt: Runtime, run: Run) -> int:
    """Raise the gap of a run, or extend it; one that is over when it is found is told once, as over."""
    begin, end = (datetime.fromtimestamp(s, UTC) for s in (run.begin, run.end))
    step, now = rt.rule.step, rt.now()
    open_gap = alerts.open_gap(tx)
    if open_gap is not None:
        if not run.over:
            alerts.extend_alert(tx, open_gap["alert_id"], end - step)
        return 0
    if alerts.gap_told(tx, begin, end):
        return 0
    identity = alerting.alert_id("gap", begin.isoformat())
    bundle = evidence.gap(identity, begin, end, run.covered, over=run.over)
    alert = _alert("gap", identity, (begin, end - step), bundle)
    told = announcing.fire(tx, alert, rt.rule, measure=Measure(), now=now)
    if run.over:
        alerts.resolve_alert(tx, identity, last_bucket=end - step, now=now, why="heard")
    return int(told)


def _alert(kind: str, identity: str, period: tuple[datetime, datetime], bundle: dict[str, Any]) -> dict[str, Any]:
    onset, last = period
    return {"alert_id": identity, "kind": kind, "rule": kind, "version_id": None, "frame": None, "feed_id": None,
            "onset": onset, "last_bucket": last, "evidence": bundle}  # fmt: skip
