"""How our metrics are named and what an unknown value is. Knows none of them."""

import math
from collections.abc import Iterable

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily


def gauge(name: str, text: str, labels: Iterable[str] = (), *, value: float | None = None) -> GaugeMetricFamily:
    """A gauge of ours, with its one value when it has no labels."""
    return GaugeMetricFamily(
        f"framewatch_{name}", text, value=value, labels=None if value is not None else list(labels)
    )


def counter(name: str, text: str, labels: Iterable[str]) -> CounterMetricFamily:
    """A counter of ours; `_total` is added by the client."""
    return CounterMetricFamily(f"framewatch_{name}", text, labels=list(labels))


def known(value: float | None) -> float:
    """A value, NaN when it is unknown: a gap is never zero."""
    return math.nan if value is None else float(value)
