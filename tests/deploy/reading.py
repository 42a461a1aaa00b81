"""What deploy/ says, read as data: the compose file, the rules, the dashboards, and the metrics the exporter tells."""

import json
import re
from collections import defaultdict
from dataclasses import fields
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, get_origin

import yaml

from services.exporter import metrics

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE = ROOT / "docker-compose.yml"
RULES = DEPLOY / "prometheus" / "rules.yml"
DASHBOARDS = sorted((DEPLOY / "grafana" / "dashboards").glob("*.json"))

_NAME = re.compile(r"(?<![\w:])(?:[a-z]+:framewatch_\w+:\w+|framewatch_\w+)")
_SELECTOR = re.compile(r"(framewatch_\w+)\{([^}]*)\}")
_MATCHER = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"')


@cache
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))
    return loaded


def services() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = compose()["services"]
    return found


def ours() -> dict[str, dict[str, Any]]:
    """The services that run our own image."""
    return {name: service for name, service in services().items() if service["image"].startswith("framewatch:")}


@cache
def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"] for rule in group["rules"]]


def dashboard(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


def panel_expressions() -> list[tuple[str, str]]:
    """(panel, PromQL) of every dashboard."""
    panels = [panel for path in DASHBOARDS for panel in dashboard(path)["panels"]]
    return [(panel["title"], target["expr"]) for panel in panels for target in panel.get("targets", ())]


def names_in(expression: str) -> set[str]:
    """Metrics of ours, and records, that an expression reads."""
    return set(_NAME.findall(re.sub(r'"[^"]*"', '""', expression)))


def matchers_in(expression: str) -> list[tuple[str, str, str, str]]:
    """(metric, label, operator, value) of every selector of ours in an expression."""
    return [
        (metric, *matcher) for metric, inside in _SELECTOR.findall(expression) for matcher in _MATCHER.findall(inside)
    ]


@cache
def told() -> dict[str, dict[str, set[str]]]:
    """Every metric the exporter tells: its labels, and each label's values over a house with one of everything."""
    windows = {window: {"posts": 1, "units": 1, "share": 1.0} for window in metrics.WINDOWS}
    now = datetime(2026, 1, 1, tzinfo=UTC)
    feed = {"source": "rss", "state": "enabled", "failures": 0, "heard_until": now, "added_at": now}
    feed |= {"clock": "wall", "mode": "poll", "warning": None, "interval_s": 900, "pace": 1.0}
    house: dict[str, Any] = {f.name: () if get_origin(f.type) is tuple else 1 for f in fields(metrics.Figures)}
    house |= {f.name: defaultdict(int) for f in fields(metrics.Figures) if f.type == metrics.Row}
    house |= {"wall": now, "feeds": (feed,)}
    house |= {
        "frames": (
            {
                "codebook": "c",
                "frame": "f",
                "verdict": None,
                "condition": "learning",
                "quality": {"judged": 1},
                "windows": windows,
                "stances": {"promotes": {"posts": 1}},
            },
        )
    }
    figures = metrics.Figures(**house)
    found: dict[str, dict[str, set[str]]] = {}
    for metric in (metrics.up(alive=True), *metrics.describe(figures)):
        for sample in metric.samples:
            labels = found.setdefault(sample.name, {})
            for label, value in sample.labels.items():
                labels.setdefault(label, set()).add(value)
    return found
