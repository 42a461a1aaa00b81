"""Where an episode first has enough behind it: reads what each length of it stands on. Writes nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.analysis import alerting
from services.analysis.alerting import Rule
from services.store import alerts, stances, trends
from services.store.pool import Connection, Row


@dataclass(frozen=True, slots=True)
class Supported:
    """How many buckets of a run it takes, and what stands behind them."""

    length: int
    counts: Row


def first_supported(
    connection: Connection, rule: Rule, watch: Mapping[str, Any], run: Sequence[Mapping[str, Any]], *,
    sources_heard: int,
) -> Supported | None:  # fmt: skip
    """The shortest beginning of a run of verdicts behind which enough independent posts stand; None when none does.

    `watch` names version_id and frame. The stage that raises alerts and the dry run both ask here.
    """
    about = {"version_id": watch["version_id"], "frame": watch["frame"], "since": run[0]["bucket"]}
    posts = 0
    for length, verdict in enumerate(run, start=1):
        posts += verdict["posts"]
        if posts < rule.min_posts:
            continue
        until = verdict["bucket"] + rule.step
        counts = dict(alerts.alert_counts(connection, **about, until=until))
        if rule.min_share > 0:
            counts["scored"] = trends.posts_scored(connection, watch["version_id"], about["since"], until)
        if rule.min_promotes > 0:
            counts["stances"] = stances.stance_counts(connection, **about, until=until)
        sources = len(alerts.alert_sources(connection, **about, until=until))
        if alerting.supported(rule, counts, sources=sources, sources_heard=sources_heard):
            return Supported(length, counts)
    return None
