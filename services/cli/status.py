"""framewatch status: what is running in this home, how far behind each stage is, what moves, what was heard."""

import sys
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from schemas.errors import FramewatchError
from services import settings
from services.analysis import health
from services.analysis.naming import many
from services.analysis.promise import UNKNOWN
from services.cli import board, calling, house, remedies
from services.store.standing import read_standing

FRAMES = 5
_TITLES = {"api": "API"}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For another program to read.")
def status(*, as_json: bool) -> None:
    """What is running, how far behind it is, and what moves. As it happens: `top`."""
    home = settings.home_of(settings.load())
    found: dict[str, Any] = {"home": str(home), "up": house.running(home), "database": None}
    try:
        with house.transaction() as tx:
            found["database"] = read_standing(tx, house.now(), frames=FRAMES)
    except FramewatchError as error:
        found["problem"] = str(error)
    house.echo_json(found) if as_json else _print(found)
    if found["database"] is None:
        sys.exit(1)


def _print(found: dict[str, Any]) -> None:
    console = Console()
    _print_processes(console, found)
    database = found["database"]
    if database is None:
        console.print(Text(calling.as_called(found["problem"]), style="red"), soft_wrap=True)
        return
    sizes, waits = database["sizes"], database["deliveries"]
    _say(
        console,
        f"\n{many(sizes['posts'], 'post')}, {many(sizes['embeddings'], 'distinct text')} embedded,"
        f" {board.going_on(len(database['alerts']))}; the stream is at {database['present']:%d %b %Y %H:%M} UTC",
    )
    _say(console, remedies.of_present(database["feeds"]))
    console.print()
    console.print(board.stages(database, {}, house.now()))
    for behind in remedies.of_stages(database["backlog"]):
        _say(console, behind, "yellow")
    console.print()
    console.print(board.frames(database, console.width))
    for line in board.alerts(database["alerts"]):
        console.print(line)
    console.print()
    kept = database["detection"]
    _say(console, kept["told"] if kept else UNKNOWN)
    console.print()
    _print_feeds(console, database["feeds"])
    _say(console, remedies.of_messages(waits.get("parked", 0)), "bold red")
    _say(console, remedies.of_posts(sizes["parked_posts"]), "bold red")


def _say(console: Console, told: str, style: str = "") -> None:
    """A line as it is, with commands as they are called here; nothing for nothing."""
    if told:
        console.print(Text(calling.as_called(told), style=style), soft_wrap=True)


def _print_processes(console: Console, found: dict[str, Any]) -> None:
    console.print(f"Home      {found['home']}", highlight=False, soft_wrap=True)
    run = found["up"]
    if run is None:
        told = "Processes none is looked after from this home"
        apart = ". In containers that is as it should be; else: framewatch up"
        _say(console, told + (apart if found["database"] else ""))
        return
    for name, address in run["addresses"].items():
        more = f"   (documentation: {address}/docs)" if name == "api" else ""
        console.print(f"{_TITLES.get(name, name.capitalize()):9} {address}{more}", highlight=False, soft_wrap=True)
    processes = run["processes"]
    up = sum(p["state"] == "running" for p in processes.values())
    console.print(f"Processes {up} of {len(processes)} run: {', '.join(processes)}", soft_wrap=True)
    for told, bad in remedies.of_processes(run):
        _say(console, f"          {told}", "red" if bad else "yellow")


def _print_feeds(console: Console, known: list[dict[str, Any]]) -> None:
    table = Table("feed", "health", "posts", "heard until", "failures", "what is wrong", box=None, pad_edge=False)
    table.columns[3].no_wrap = True
    now = house.now()
    for feed in known:
        style = "yellow" if feed["health"] in health.NEED_A_LOOK else ""
        table.add_row(
            feed["title"] or feed["address"],
            Text(feed["health"], style),
            f"{feed['posts']:,}",
            health.heard_until(feed, now),
            str(feed["failures"]),
            feed["last_error"] or feed["warning"] or feed["beside"] or "",
        )
    console.print(table if known else Text("There is no feed."))
    lines = remedies.of_feeds(f["health"] for f in known) if known else ["Add one: framewatch feeds add URL"]
    for line in lines:
        _say(console, line)
