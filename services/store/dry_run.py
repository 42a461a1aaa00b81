"""What a rule would have told of stored history: the same pure functions as the stage, and nothing is written."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.analysis import alerting, bursts, evidence
from services.analysis.alerting import Episode, Rule
from services.analysis.budget import Schedule
from services.analysis.coverage import coverage
from services.store import calibrations, codebooks, feeds, firings, trends
from services.store.pool import Connection, Row

MAX_DAYS = 366
HISTORY = timedelta(days=bursts.HORIZON_DAYS)
"""How far back a baseline looks."""
Floats = NDArray[np.float64]


def dry_run(
    connection: Connection, rule: Rule, *, days: int, wall: datetime,
    tell: Callable[[int, int | None], None] = lambda _done, _total: None,
) -> dict[str, Any]:  # fmt: skip
    """What `rule` would have fired in the last `days` days of every frame it is for; `tell` hears of each frame done.

    Keys: rule, since, until, frames (how many were looked at), firings (frame, title, codebook, alert_id, onset,
    fired_at, last, over, counts, expected, reason), oldest first, and `again_within_a_day`.
    """
    until = floor_of(feeds.present(connection, wall), rule.step)
    since = until - timedelta(days=days)
    heard_from = len({f["source"] for f in feeds.list_feeds(connection) if f["heard_until"]})
    found: list[dict[str, Any]] = []
    looked = 0
    for version in codebooks.current_codebooks(connection):
        frames = [f for f in codebooks.list_frames(connection) if f["version_id"] == version["version_id"]]
        first = trends.first_bucket(connection, version["version_id"])
        if first is None or first >= until:
            continue
        series = heard_series(connection, max(floor_of(first, rule.step), since - HISTORY), until, rule.step)
        for frame in frames:
            if rule.frame in (None, frame["frame"]):
                looked += 1
                verdicts = judged(connection, frame, series, rule=rule, frames=len(frames))
                tell(looked, None)
                found += _firings(connection, rule, frame, verdicts, since=since, sources_heard=heard_from)
    found.sort(key=lambda f: (f["onset"], f["frame"]))
    return {
        "rule": rule.name, "terms": evidence.terms(rule), "since": since, "until": until, "days": days,
        "frames": looked, "firings": found, "again_within_a_day": _close(found),
    }  # fmt: skip


def judged(
    connection: Connection, frame: Row, series: tuple[Floats, Floats], *, rule: Rule, frames: int
) -> list[dict[str, Any]]:
    """The verdicts of one frame by the threshold of a rule, as detection makes them."""
    starts, step = series[0], rule.step
    since, until = (datetime.fromtimestamp(s, UTC) for s in (starts[0], starts[-1] + step.total_seconds()))
    about = {"version_id": frame["version_id"], "frame": frame["frame"]}
    points = trends.trend(connection, **about, since=since, until=until, step=step)
    held = calibrations.schedule(connection, since, until)
    return judged_counts({p["at"].timestamp(): p for p in points}, series, rule=rule, frames=frames, held=held)


def judged_counts(
    at: Mapping[float, Mapping[str, int]], series: tuple[Floats, Floats], *, rule: Rule, frames: int,
    held: Schedule = (),
) -> list[dict[str, Any]]:  # fmt: skip
    """The verdicts on posts and units counted by the start of their bucket, as detection makes them.

    `held`: what replays over all frames asked for; none of it where frames are not yet stored.
    """
    starts, heard = series
    step = rule.step
    counted = [at.get(s, {"posts": 0, "units": 0}) for s in starts]
    units = np.array([c["units"] for c in counted], float)
    told = bursts.judge(
        bursts.Series(starts, step.total_seconds(), units, heard),
        alpha=rule.alpha(frames), learning_s=rule.learning.total_seconds(), held=held,
    )  # fmt: skip
    return [
        {"bucket": datetime.fromtimestamp(s, UTC), "posts": counted[i]["posts"], "units": counted[i]["units"],
         "expected": float(np.nan_to_num(told.expected[i])), "probability": float(told.probability[i]),
         "state": told.state[i], "alpha": float(told.alpha[i])}
        for i, s in enumerate(starts)
    ]  # fmt: skip


def heard_series(
    connection: Connection, since: datetime, until: datetime, step: timedelta
) -> tuple[Floats, Floats]:  # fmt: skip
    """Starts of the buckets of a period, in seconds since 1970, and which part of each was heard."""
    starts = np.arange(since.timestamp(), until.timestamp(), step.total_seconds())
    return starts, coverage(starts, step.total_seconds(), feeds.spans(connection, since, until))


def _firings(
    connection: Connection, rule: Rule, frame: Row, verdicts: Sequence[dict[str, Any]], *, since: datetime,
    sources_heard: int,
) -> list[dict[str, Any]]:  # fmt: skip
    found = []
    for episode in alerting.episodes(verdicts, rule.step):
        if episode.onset < since:
            continue
        run = [v for v in verdicts if episode.onset <= v["bucket"] <= episode.last]
        stands = firings.first_supported(connection, rule, frame, run, sources_heard=sources_heard)
        if stands is not None:
            found.append(_told(rule, frame, episode, (run[: stands.length], stands.counts)))
    return found


def _told(rule: Rule, frame: Row, episode: Episode, stands: tuple[list[dict[str, Any]], Row]) -> dict[str, Any]:
    run, counts = stands
    expected = sum(v["expected"] for v in run)
    identity = alerting.alert_id(rule.name, frame["codebook"], frame["frame"], episode.onset.isoformat())
    return {
        "alert_id": identity, "codebook": frame["codebook"], "frame": frame["frame"], "title": frame["title"],
        "onset": episode.onset, "fired_at": run[-1]["bucket"] + rule.step, "last": episode.last, "over": episode.over,
        "counts": {k: counts[k] for k in ("posts", "texts", "units", "authors", "publishers")}, "expected": expected,
        "reason": evidence.reason(
            frame["title"], counts, expected=expected, span=(episode.onset, run[-1]["bucket"] + rule.step)
        ),
    }  # fmt: skip


def _close(found: Sequence[dict[str, Any]]) -> int:
    """How many came within a day of one before it in the same frame."""
    last: dict[str, datetime] = {}
    close = 0
    for firing in found:
        before = last.get(firing["frame"])
        close += before is not None and firing["onset"] - before < timedelta(days=1)
        last[firing["frame"]] = firing["last"]
    return close


def floor_of(at: datetime, step: timedelta) -> datetime:
    """The start of the bucket that a moment falls into."""
    seconds = step.total_seconds()
    return datetime.fromtimestamp(at.timestamp() // seconds * seconds, UTC)
