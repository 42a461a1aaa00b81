"""framewatch status: what is running in this home, how far behind each stage is, what was heard."""

import sys
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from schemas.errors import FramewatchError
from services import settings
from services.cli import house
from services.store import counts, feeds


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For another program to read.")
def status(*, as_json: bool) -> None:
    """What is running, and how far behind."""
    home = settings.home_of(settings.load())
    found: dict[str, Any] = {"home": str(home), "up": house.running(home), "database": None}
    try:
        with house.transaction() as tx:
            found["database"] = {
                "present": feeds.present(tx, house.now()),
                "totals": counts.totals(tx),
                "backlog": counts.backlog(tx),
                "stages": counts.stage_runs(tx),
                "feeds": feeds.list_feeds(tx),
            }
    except FramewatchError as error:
        found["problem"] = str(error)
    house.echo_json(found) if as_json else _print(found)
    if found["database"] is None:
        sys.exit(1)


def _print(found: dict[str, Any]) -> None:
    console = Console()
    console.print(f"Home      {found['home']}", highlight=False, soft_wrap=True)
    run = found["up"]
    if run is None:
        console.print("Processes none are looked after from this home (on one machine: framewatch up)")
    else:
        for name, address in run["addresses"].items():
            console.print(f"{name.capitalize():9} {address}", highlight=False, soft_wrap=True)
        table = Table("process", "state", "pid", "restarts", box=None, pad_edge=False)
        for name, process in run["processes"].items():
            table.add_row(name, process["state"], str(process["pid"] or ""), str(process["restarts"]))
        console.print(table)
    if found["database"] is None:
        console.print(f"[red]{found['problem']}[/red]")
        return
    _print_database(console, found["database"])


def _print_database(console: Console, database: dict[str, Any]) -> None:
    totals = database["totals"]
    console.print(
        f"\n{totals['posts']:,} posts, {totals['embeddings']:,} distinct texts embedded, {totals['alerts']:,} alerts"
        f" ({totals['firing']:,} firing); the stream is at {database['present']:%d %b %Y %H:%M} UTC",
        highlight=False,
        soft_wrap=True,
    )
    ran = {s["stage"]: s for s in database["stages"]}
    table = Table("stage", "waiting", "oldest", "rows done", "failures", "last run", box=None, pad_edge=False)
    for line in database["backlog"]:
        done = ran.get(line["stage"], {"rows": 0, "failures": 0, "ran_at": None})
        table.add_row(
            line["stage"], f"{line['waiting']:,}", f"{line['oldest_s']:.0f} s", f"{done['rows']:,}",
            f"{done['failures']:,}", house.ago(done["ran_at"], house.now()),
        )  # fmt: skip
    console.print(table)
    table = Table("feed", "state", "posts", "heard until", "failures", "what is wrong", box=None, pad_edge=False)
    for feed in database["feeds"]:
        heard = f"{feed['heard_until']:%d %b %Y %H:%M}" if feed["heard_until"] else "never"
        table.add_row(
            feed["title"] or feed["address"], feed["state"], f"{feed['posts']:,}", heard, str(feed["failures"]),
            feed["last_error"] or "",
        )  # fmt: skip
    console.print(table)
