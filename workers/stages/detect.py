"""detect: judge the buckets that have closed, frame by frame; settle verdicts, alerts and their outbox together."""

from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

import numpy as np

from services.analysis import bursts, replaying
from services.analysis.coverage import coverage
from services.store import alerts, calibrations, codebooks, feeds, folding, queue, trends
from services.store.pool import Connection, Row
from workers import raising, telling
from workers.calibrating import calibrate
from workers.runtime import Outcome, Runtime
from workers.scene import Scene

FRAMES = 64
BUCKETS = 24 * 14
"""Buckets judged in one transaction; a longer backlog goes on in the next run."""
LOOKBACK = timedelta(days=bursts.HORIZON_DAYS)
PATIENCE = timedelta(minutes=15)
"""How late a feed may be before detection no longer waits for it."""

Verdict = dict[str, Any]


def detect(rt: Runtime) -> Outcome:
    """Judge every frame whose next bucket has closed, and tell of feeds that keep failing or are sent no more."""
    raising.notice_silences(rt)
    told = raising.outages(rt)
    with rt.store.transaction() as tx:
        closed = closed_until(tx, rt.now(), rt.rule.step)
        claimed = alerts.claim_watches(tx, until=closed, limit=FRAMES, lease=rt.lease)
    if claimed:
        calibrate(rt, closed)
    told += raising.gaps(rt, closed) + raising.left_behind(rt, LOOKBACK)
    judged = fenced_off = 0
    again = False
    for version_id, group in groupby(claimed, key=lambda w: w["version_id"]):
        watches = list(group)
        scene = _scene(rt, version_id, watches, closed)
        again |= scene.until < closed and scene.until == scene.start + BUCKETS * rt.rule.step
        for watch in watches:
            new, raised = _judge_frame(rt, watch, scene)
            judged, fenced_off, told = judged + max(new, 0), fenced_off + (new < 0), told + raised
    raising.gather(rt)
    wake = (*(("digest",) if judged else ()), *(("deliver",) if told else ()))
    return Outcome(rows=judged, fenced_off=fenced_off, again=again, wake=wake)


def closed_until(tx: Connection, now: datetime, step: timedelta) -> datetime:
    """The end of the last bucket that every feed which keeps its appointments has been heard through.

    Replays beside live feeds are not waited for.
    """
    present, known = feeds.present(tx, now), feeds.list_feeds(tx)
    since = replaying.live_since(known)
    waited = [f["feed_id"] for f in known if replaying.is_waited_for(f, since, now)]
    heard = feeds.heard_by_all(tx, waited, PATIENCE)
    return _floor(min(present, heard) if heard else present, step)


def _scene(rt: Runtime, version_id: int, watches: list[Row], closed: datetime) -> Scene:
    step = rt.rule.step
    with rt.store.transaction() as tx:
        first = _floor(trends.first_bucket(tx, version_id) or closed, step)
        start = _skipped(tx, min(w["evaluated_until"] or first for w in watches), closed, step)
        waiting = [queue.oldest_queued(tx, start), folding.pending_delta(tx, version_id, start)]
        ready = min([closed, start + BUCKETS * step, *(_floor(w, step) for w in waiting if w is not None)])
        until = max(ready, start)
        since = max(first, start - LOOKBACK)
        starts = np.arange(since.timestamp(), until.timestamp(), step.total_seconds())
        heard = coverage(starts, step.total_seconds(), feeds.spans(tx, since, until))
        return Scene(
            version=next(v for v in codebooks.codebooks_in_service(tx) if v["version_id"] == version_id),
            titles={f["frame"]: f for f in codebooks.list_frames(tx) if f["version_id"] == version_id},
            since=since, start=start, until=until, starts=starts, coverage=heard,
            sources_heard=len({f["source"] for f in feeds.list_feeds(tx) if f["heard_until"]}),
            held=calibrations.schedule(tx, since, until),
        )  # fmt: skip


def _skipped(tx: Connection, start: datetime, closed: datetime, step: timedelta) -> datetime:
    """Where judging goes on: not in the years between a replay and now, in which nobody was to be heard."""
    due = feeds.expected_from(tx, start) or closed
    if due - start <= LOOKBACK:
        return start
    return max(start, min(_floor(due, step), closed - step))


def _judge_frame(rt: Runtime, watch: Row, scene: Scene) -> tuple[int, int]:
    """Settle one frame: (buckets newly judged, alerts raised); -1 buckets when the lease was lost.

    Of a version that has just become current the past is kept too, as it explains it: only new buckets raise anything.
    Buckets in which nobody was to be heard are not kept, but for the newest.
    """
    position = watch["evaluated_until"] or scene.since
    with rt.store.transaction() as tx:
        if not alerts.settle_watch(tx, watch, max(scene.until, position)):
            return -1, 0
        if scene.until <= position and not watch["past_due"]:
            return 0, 0
        verdicts = _verdicts(tx, rt, watch, scene)
        new = [v for v in verdicts if v["bucket"] >= position]
        kept = [v for v in (verdicts if watch["past_due"] else new) if v["coverage"] is not None or v is verdicts[-1]]
        alerts.add_verdicts(tx, watch["version_id"], watch["frame"], kept)
        return len(new), telling.tell(tx, rt, watch, scene, (verdicts, new))


def _verdicts(tx: Connection, rt: Runtime, watch: Row, scene: Scene) -> list[Verdict]:
    points = trends.trend(
        tx, version_id=watch["version_id"], frame=watch["frame"], since=scene.since, until=scene.until,
        step=rt.rule.step,
    )  # fmt: skip
    at = {p["at"].timestamp(): p for p in points}
    none = {"posts": 0, "units": 0}
    counted = [at.get(s, none) for s in scene.starts]
    units = np.array([c["units"] for c in counted], float)
    series = bursts.Series(scene.starts, rt.rule.step.total_seconds(), units, scene.coverage)
    alpha, learning = rt.rule.alpha(len(scene.titles)), rt.rule.learning.total_seconds()
    judged = bursts.judge(series, alpha=alpha, learning_s=learning, held=scene.held)
    return [
        {
            "bucket": datetime.fromtimestamp(start, UTC), "posts": counted[i]["posts"], "units": counted[i]["units"],
            "expected": _number(judged.expected[i]), "upper": _number(judged.upper[i]),
            "probability": _number(judged.probability[i]), "coverage": _number(scene.coverage[i]),
            "state": judged.state[i], "alpha": float(judged.alpha[i]), "dispersion": _number(judged.dispersion[i]),
            "spike": _number(judged.spike[i]), "rise": _number(judged.rise[i]),
            "learned_s": float(judged.learned_s[i]),
            "learned_from": datetime.fromtimestamp(judged.learned_from[i], UTC),
        }
        for i, start in enumerate(scene.starts)
    ]  # fmt: skip


def _floor(at: datetime, step: timedelta) -> datetime:
    seconds = step.total_seconds()
    return datetime.fromtimestamp(at.timestamp() // seconds * seconds, UTC)


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
