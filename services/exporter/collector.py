"""Reads the figures of one scrape from the store. When it cannot, it says so and tells nothing stale."""

import logging
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta

import psycopg.errors
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from schemas.errors import TransientError
from schemas.wire_detection import Condition, State
from services.analysis.alerting import Rule
from services.analysis.conditions import Open, condition
from services.exporter import metrics
from services.store import (
    alerts,
    calibrations,
    codebooks,
    conditions,
    counting,
    counts,
    feeds,
    qualities,
    readings,
    sizes,
    stances,
)
from services.store.pool import Connection, Row, Store

Qualities = Mapping[tuple[str, str], Row]
"""By codebook and frame."""
AFRESH = timedelta(minutes=5)
_RULE = Rule()
WINDOWS = {"1h": timedelta(hours=1), "24h": timedelta(hours=24)}

log = logging.getLogger("framewatch.exporter")


class HouseCollector(Collector):
    """Asks the database anew for each scrape."""

    def __init__(self, store: Store, *, now: Callable[[], datetime], rule: Rule = _RULE) -> None:
        self.store = store
        self.now = now
        self.rule = rule
        self.judged: tuple[datetime, Qualities] | None = None

    def describe(self) -> list[Metric]:
        """Nothing: the registry must not scrape us to learn our names."""
        return []

    def collect(self) -> Iterator[Metric]:
        """All metrics, or `framewatch_up 0` alone."""
        try:
            with self.store.transaction() as tx:
                figures = read_figures(tx, self.now(), self.rule, self.qualities(tx))
        except (TransientError, psycopg.errors.UndefinedTable) as error:
            log.warning("scrape_waits", extra={"told": str(error)})
            yield metrics.up(alive=False)
            return
        yield metrics.up(alive=True)
        yield from metrics.describe(figures)

    def qualities(self, connection: Connection) -> Qualities:
        """How good the frames are: judged by people once a week, so worked out once in five minutes."""
        now = self.now()
        if self.judged is None or not timedelta(0) <= now - self.judged[0] < AFRESH:
            found = qualities.read_quality(connection, now)
            self.judged = now, {key: quality.model_dump() for key, quality in found.items()}
        return self.judged[1]


def read_figures(connection: Connection, wall: datetime, rule: Rule, judged: Qualities) -> metrics.Figures:
    """One reading: a dozen bounded queries in one transaction."""
    last = counts.last_partition_day(connection)
    return metrics.Figures(
        wall=wall,
        frames=_frames(connection, wall, judged),
        alerts=tuple(counts.alert_states(connection)),
        intake=tuple(counts.intake_outcomes(connection)),
        backlog=tuple(counts.backlog(connection)),
        stages=tuple(counts.stage_runs(connection)),
        deliveries=tuple(counts.delivery_states(connection)),
        feeds=tuple(feeds.list_feeds(connection)),
        sizes=sizes.stored_sizes(connection),
        partition_days_ahead=-1 if last is None else (last - wall.date()).days,
        detector=_detector(connection, wall, rule),
    )


def _frames(connection: Connection, wall: datetime, judged: Qualities) -> tuple[Row, ...]:
    present = feeds.present(connection, wall)
    known = codebooks.list_frames(connection)
    periods = {name: readings.last_hours(present, length) for name, length in WINDOWS.items()}
    told = {
        (number, name): counting.counted(connection, number, *period, present=present)
        for number in {f["version_id"] for f in known}
        for name, period in periods.items()
    }
    split = {
        number: stances.frame_stances(
            connection, number, [f["frame"] for f in known if f["version_id"] == number], *periods["24h"]
        )
        for number in {f["version_id"] for f in known}
    }
    verdicts = {(v["version_id"], v["frame"]): readings.unheard(v) for v in alerts.last_verdicts(connection)}
    firing = conditions.alerts_on(connection, wall)
    return tuple(
        {
            "codebook": f["codebook"],
            "frame": f["frame"],
            "quality": judged.get((f["codebook"], f["frame"])),
            "verdict": verdicts.get((f["version_id"], f["frame"])),
            "condition": _condition(
                verdicts.get((f["version_id"], f["frame"])), firing.get((f["codebook"], f["frame"]))
            ),
            "stances": split[f["version_id"]].get(f["frame"]),
            "windows": {name: told[f["version_id"], name][f["frame"]] for name in periods},
        }
        for f in known
    )


def _condition(verdict: Row | None, firing: tuple[str, Open] | None) -> Condition:
    state: State = verdict["state"] if verdict else "learning"
    return condition(state, verdict["bucket"] if verdict else None, firing[1] if firing else None).condition


def _detector(connection: Connection, wall: datetime, rule: Rule) -> Row:
    positions = [w["evaluated_until"] for w in alerts.watch_positions(connection)]
    known = [p for p in positions if p is not None]
    lag = max((feeds.present(connection, wall) - min(known)).total_seconds(), 0.0) if known else None
    found = calibrations.read_calibration(connection)
    theory = rule.alpha(len(positions))
    return {
        "budget": rule.budget,
        "threshold": found.threshold if found else theory,
        "threshold_by_theory": found.threshold_by_theory if found else theory,
        "alarms": found.alarms_a_week if found else None,
        "alarms_by_theory": found.alarms_a_week_by_theory if found else None,
        "calibrated_at": found.made_at.timestamp() if found else None,
        "lag_seconds": lag,
    }
