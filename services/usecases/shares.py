"""The usual range of a trend's shares, learned from what is stored when asked for. It writes and words nothing."""

from datetime import timedelta
from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas import wire
from services.analysis import shares
from services.analysis.alerting import Rule
from services.store import codebooks, readings, trends, versions
from services.store.pool import Connection


def with_usual_share(connection: Connection, trend: wire.Trend, *, rule: Rule) -> wire.Trend:
    """The same trend with points that tell `expected_share` and `upper_share` where they are known.

    They are by the share of the same posts (source, language) in the steps before. Nothing is known of all posts, of
    one stance (which is read when there is time, and not of all), and of steps that are no whole hours.
    """
    ranges = _ranges(connection, trend, rule)
    told = zip(trend.points, ranges or repeat((None, None), len(trend.points)), strict=True)
    points = (wire.UsualPoint(**dict(p), expected_share=expected, upper_share=upper) for p, (expected, upper) in told)
    return trend.model_copy(update={"points": tuple(points)})


def _ranges(connection: Connection, trend: wire.Trend, rule: Rule) -> list[tuple[float | None, float | None]]:
    """(expected, upper) of each point; empty where nothing is known of such a trend."""
    step = timedelta(seconds=trend.step_seconds)
    whole = trend.frame == versions.EVERYTHING or trend.stance is not None
    if whole or not trend.points or not shares.can_be_usual(step):
        return []
    version = codebooks.find_codebook(connection, trend.codebook, trend.version)
    if version is None:
        return []
    number = version["version_id"]
    rate = rule.alpha(len(codebooks.frame_names(connection, number))) / rule.step.total_seconds()
    usual = shares.usual(_history(connection, trend, number), rate=rate, learning_s=rule.learning.total_seconds())
    newest = (_newest(of, len(trend.points)) for of in (usual.expected, usual.upper))
    return list(zip(*newest, strict=True))


def _history(connection: Connection, trend: wire.Trend, version_id: int) -> shares.Shares:
    """Of the trend's own steps and those before that they can depend on."""
    step = timedelta(seconds=trend.step_seconds)
    since = readings.floor(trend.since - shares.reach(step), step)
    starts = [since + i * step for i in range((trend.until - since) // step)]
    about: dict[str, Any] = {"version_id": version_id, "source": trend.source, "lang": trend.lang}
    frames = (trend.frame, versions.EVERYTHING)
    counted = trends.trends(connection, frames, since=since, until=trend.until, step=step, **about)
    covered = readings.heard(connection, starts, step, present=trend.present, source=trend.source)
    posts, every = (counted[frame].astype(float) for frame in frames)
    return shares.Shares(
        np.array([s.timestamp() for s in starts]), step.total_seconds(), posts, every, np.array(covered, float)
    )


def _newest(values: NDArray[np.float64], count: int) -> list[float | None]:
    return [None if np.isnan(value) else float(value) for value in values[-count:]]
