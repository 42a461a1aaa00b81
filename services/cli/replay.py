"""framewatch replay: a file of posts through the running pipeline, as a feed that lives in its own time."""

import shutil
import time
from hashlib import sha256
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from schemas.errors import PermanentError, Reason
from services import settings
from services.cli import house, lines
from services.store import counts, feeds
from services.store.pool import Connection

SHOWN = ("collect", "classify", "rollup")
SETTLE_S = 6.0
"""How long the figures of a run that has just ended are waited for."""


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--speed", default="max", show_default=True, help="How many times faster than it happened, or max.")
@click.option("--page", default=2000, show_default=True, help="Posts a fetch.")
@house.json_option
def replay(*, file: Path, speed: str, page: int, as_json: bool) -> None:
    """Send FILE (JSON lines, plain or gzip) through the running pipeline; prints posts a second by stage."""
    conf = house.load()
    if house.running(settings.home_of(conf)) is None and not settings.load().database_url:
        raise PermanentError(Reason.BAD_CONFIG, "nothing runs in this home; start it first: framewatch up")
    total, first = _measure(file)
    options: dict[str, Any] = {"page": page, **_speed(speed, first)}
    placed = _place(file, house.files(conf))
    with house.transaction() as tx:
        feed_id, _ = feeds.add_feed(
            tx, source="jsonl", address=str(placed), title=f"Replay of {file.name}", now=house.now(), interval_s=1,
            clock="feed", options=options,
        )  # fmt: skip
        before = _stages(tx)
    began = time.monotonic()
    _follow(feed_id, total)
    seconds = time.monotonic() - began
    about = {"feed_id": feed_id, "posts": total, **_rate(total, seconds)}
    told = {**about, "stages": _spent(before, _written_down())}
    house.echo_json(told) if as_json else _report(told)


def _follow(feed_id: int, total: int) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        collected = progress.add_task("collected", total=total)
        classified = progress.add_task("classified", total=total)
        while True:
            with house.transaction() as tx:
                feed = next(f for f in feeds.list_feeds(tx) if f["feed_id"] == feed_id)
                waiting = {b["stage"]: b["waiting"] for b in counts.backlog(tx)}
            if feed["failures"] and feed["state"] == "enabled":
                progress.console.print(f"[yellow]{feed['last_error']}[/yellow]")
            taken = total if feed["state"] == "ended" else min(feed["posts"], total)
            progress.update(collected, completed=taken)
            progress.update(classified, completed=max(taken - waiting["classify"], 0))
            if feed["state"] == "ended" and not waiting["classify"] and not waiting["rollup"]:
                return
            time.sleep(0.5)


def _written_down() -> dict[str, dict[str, Any]]:
    """What the stages have done, once each has ended a run since the last post was through: then they write it down."""
    until = time.monotonic() + SETTLE_S
    with house.transaction() as tx:
        at_end = _stages(tx)
    while True:
        with house.transaction() as tx:
            found = _stages(tx)
        over = all(found.get(s, {}).get("runs") != at_end.get(s, {}).get("runs") for s in SHOWN)
        if over or time.monotonic() > until:
            return found
        time.sleep(0.2)


def _stages(tx: Connection) -> dict[str, dict[str, Any]]:
    return {s["stage"]: s for s in counts.stage_runs(tx)}


def _spent(before: dict[str, Any], after: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What each stage did in the meantime: rows, its own seconds, rows a second of these."""
    zero = {"rows": 0, "seconds": 0.0}
    told = {}
    for stage in SHOWN:
        one, two = before.get(stage, zero), after.get(stage, zero)
        rows = two["rows"] - one["rows"]
        told[stage] = {"rows": rows, **_rate(rows, two["seconds"] - one["seconds"])}
    return told


def _rate(rows: int, seconds: float) -> dict[str, float | None]:
    return {"seconds": seconds, "per_second": rows / seconds if seconds > 0 else None}


def _report(told: dict[str, Any]) -> None:
    for stage, did in told["stages"].items():
        click.echo(f"{stage:9} {did['rows']:>10,} done  {did['per_second'] or 0:>9,.0f} a second of its own")
    click.echo(f"posts     {told['posts']:>10,} in all{told['per_second'] or 0:>9,.0f} a second")


def _measure(file: Path) -> tuple[int, str]:
    total, first = 0, ""
    for post in lines.read(file):
        first = first or str(post.get("published_at") or "")
        total += 1
    if not total:
        raise PermanentError(Reason.BAD_INPUT, f"{file} holds no posts")
    return total, first


def _speed(speed: str, first: str) -> dict[str, Any]:
    if speed == "max":
        return {}
    try:
        factor = float(speed)
    except ValueError:
        factor = 0.0
    if not factor > 0:
        raise PermanentError(Reason.BAD_INPUT, f"--speed is a number above 0 or max, not {speed}")
    return {"speed": factor, "started_at": house.now().isoformat(), "from": first}


def _place(file: Path, folder: Path) -> Path:
    """The file below the folder that feeds may read, copied there under a name that tells its content."""
    digest = sha256(file.read_bytes()).hexdigest()[:12]
    placed = folder / "replays" / f"{digest}-{file.name}"
    placed.parent.mkdir(parents=True, exist_ok=True)
    if not placed.exists():
        shutil.copyfile(file, placed)
    return placed
