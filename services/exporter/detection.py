"""What is told to Prometheus of detection itself: its budget, its threshold, what the replayed past says. No I/O."""

from collections.abc import Iterator, Mapping
from typing import Any

from prometheus_client.metrics_core import Metric

from services.exporter.families import gauge, known


def describe(told: Mapping[str, Any]) -> Iterator[Metric]:
    """Every metric of the detector; `told` as metrics.Figures has it."""
    yield gauge(
        "detector_budget_alerts_per_week",
        "False alarms a week the team accepts, over all frames.",
        value=told["budget"],
    )
    yield gauge(
        "detector_threshold_probability", "Chance below which an hour of one frame is a burst, as in force, 0 to 1.",
        value=told["threshold"],
    )  # fmt: skip
    yield gauge(
        "detector_threshold_theory_probability", "The same as the budget asks for in theory, 0 to 1.",
        value=told["threshold_by_theory"],
    )  # fmt: skip
    yield gauge(
        "detector_replayed_alerts_per_week",
        "Alarms a week, false and true, that the threshold in force tells of the replayed past; NaN before any is.",
        value=known(told["alarms"]),
    )
    yield gauge(
        "detector_replayed_theory_alerts_per_week",
        "Alarms a week that theory's threshold tells of the replayed past; NaN before any is.",
        value=known(told["alarms_by_theory"]),
    )
    yield gauge(
        "detector_calibrated_timestamp_seconds", "When the past was replayed last, by the clock; NaN before.",
        value=known(told["calibrated_at"]),
    )  # fmt: skip
    yield gauge(
        "detector_lag_seconds", "How far the frame judged least is behind the present, seconds; NaN before any is.",
        value=known(told["lag_seconds"]),
    )  # fmt: skip
