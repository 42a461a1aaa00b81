"""How the house looks in a terminal: tables of one screen, in the terminal's own colours. Reads and writes nothing."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from services.analysis import ages, health
from services.analysis.naming import many
from services.analysis.sparkline import sparkline
from services.cli import calling, remedies

Row = Mapping[str, Any]
WIDE = 24
_STYLES = {"on alert": "bold red", "burst": "red", "calm": "green", "learning": "blue", "too little heard": "yellow"}
_FLOW = ("collect", "listen", "classify", "rollup", "detect", "deliver", "digest")


def board(found: Row, rates: Mapping[str, Row], now: datetime, *, width: int) -> RenderableType:
    """The whole of it: frames, stages, feeds and alerts."""
    return Group(
        frames(found, width), Text(), stages(found, rates, now), Text(), *feeds(found["feeds"], width),
        *alerts(found["alerts"]),
    )  # fmt: skip


def frames(found: Row, width: int) -> Table:
    """Frames that move most: state, the last two days, the last closed hour, the last day."""
    table = Table(box=None, pad_edge=False, expand=False)
    widest = max((len(frame["condition"]) for frame in found["frames"]), default=0)
    room = max(width - WIDE - widest - 30, 12)
    table.add_column("frame", no_wrap=True, max_width=room, min_width=min(room, 20), overflow="ellipsis")
    table.add_column("state", no_wrap=True)
    table.add_column("voices an hour, 2 days", no_wrap=True, min_width=WIDE)
    for name in ("last h", "usual", "share 24h"):
        table.add_column(name, justify="right", no_wrap=True)
    for frame in found["frames"]:
        told = str(frame["condition"])
        line = Text(sparkline(frame["hours"], WIDE), style="red" if frame["state"] == "burst" else "cyan")
        table.add_row(
            Text(frame["title"]), Text(told, _STYLES[told]), line, _number(frame["units"]), _number(frame["expected"]),
            _percent(frame["share"]),
        )  # fmt: skip
    if more := found["frames_watched"] - len(found["frames"]):
        table.add_row(Text(f"… and {more} more", style="dim"))
    if not found["frames"]:
        table.add_row(Text("no codebook is current", style="dim"))
    return table


def stages(found: Row, rates: Mapping[str, Row], now: datetime) -> Table:
    """Stages: what waits, how fast it goes, what failed."""
    table = Table("stage", box=None, pad_edge=False)
    speed = ("rows/s", "busy") if rates else ()
    for name in ("waiting", "oldest", *speed, "failures", "last run"):
        table.add_column(name, justify="right", no_wrap=True)
    waiting = {b["stage"]: b for b in found["backlog"]}
    for stage in sorted(found["stages"], key=lambda s: (_place(s["stage"]), s["stage"])):
        name = stage["stage"]
        left, rate = waiting.get(name), rates.get(name)
        old = left["oldest_s"] if left else 0.0
        table.add_row(
            name,
            f"{left['waiting']:,}" if left else "",
            Text(_seconds(old) if left and left["waiting"] else "", style="bold red" if old > remedies.OLD_S else ""),
            *([f"{rate['rows']:,.1f}", f"{rate['busy']:.0%}"] if rate else [""] * len(speed)),
            Text(f"{stage['failures']:,}", style="yellow" if rate and rate["failures"] else ""),
            ages.brief(stage["ran_at"], now),
        )
    return table


def feeds(known: Sequence[Row], width: int, most: int = 4) -> list[RenderableType]:
    """How many feeds do how, and those that are late or fail."""
    bad = [f for f in known if f["health"] in health.NEED_A_LOOK]
    how = health.counted(f["health"] for f in known)
    told: list[RenderableType] = [Text(f"{many(len(known), 'feed')}: {how}" if known else "There is no feed.")]
    for feed in bad[:most]:
        why = feed["last_error"] or feed["warning"] or "not heard in time"
        line = f"  {feed['title'] or feed['address']}: {why}"
        told.append(Text(line[: width - 1], style="yellow", no_wrap=True))
    if len(bad) > most:
        told.append(Text(calling.as_called(f"  … and {len(bad) - most} more: framewatch feeds list"), style="dim"))
    return told


def alerts(known: Sequence[Row], most: int = 4) -> list[RenderableType]:
    """Alerts that go on."""
    if not known:
        return [Text("No alert goes on.")]
    told: list[RenderableType] = [Text(going_on(len(known)), style="bold red")]
    for alert in known[:most]:
        told.append(Padding(Text(str(alert["reason"])), (0, 0, 0, 2)))
        if alert.get("detail"):
            told.append(Padding(Text(f"on alert {alert['detail']}", style="dim"), (0, 0, 0, 4)))
    if len(known) > most:
        told.append(Text(calling.as_called(f"  … and {len(known) - most} more: framewatch alerts list"), style="dim"))
    return told


def going_on(alerts: int) -> str:
    """1 alert goes on, 2 alerts go on."""
    return many(alerts, "alert goes on", "alerts go on")


def rates(before: Row, after: Row, seconds: float) -> dict[str, Row]:
    """What each stage did between two overviews: rows a second, part of a worker's time, failures."""
    earlier = {s["stage"]: s for s in before["stages"]}
    found: dict[str, Row] = {}
    for stage in after["stages"]:
        then = earlier.get(stage["stage"])
        if then and seconds > 0:
            done = {k: max(stage[k] - then[k], 0) for k in ("rows", "seconds", "failures")}
            about = {"rows": done["rows"] / seconds, "busy": done["seconds"] / seconds, "failures": done["failures"]}
            found[stage["stage"]] = about
    return found


def _place(stage: str) -> int:
    """In the order of the flow, what stands beside it last."""
    return _FLOW.index(stage) if stage in _FLOW else len(_FLOW)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:,.1f}".removesuffix(".0")


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f}%"


def _seconds(value: float) -> str:
    return f"{value:.0f} s" if value < 120 else f"{value / 60:.0f} min" if value < 7200 else f"{value / 3600:.0f} h"
