"""framewatch alerts: list them, and show one with its evidence."""

import click
from rich.console import Console
from rich.table import Table

from schemas.errors import PermanentError, Reason
from services.cli import house
from services.store import alerts as rows
from services.store import deliveries


@click.group()
def alerts() -> None:
    """List alerts, and show one with its evidence."""


@alerts.command(name="list")
@click.option("--frame", default=None, help="Only alerts of this frame.")
@click.option("--limit", default=20, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="For another program to read.")
def list_alerts(*, frame: str | None, limit: int, as_json: bool) -> None:
    """The newest alerts."""
    with house.transaction() as tx:
        found = rows.list_alerts(tx, limit=limit, frame=frame)
    if as_json:
        house.echo_json(found)
        return
    if not found:
        click.echo("No alert was raised yet.")
    for alert in found:
        click.echo(f"{alert['alert_id']}  {alert['state']:9} {alert['reason']}")


@alerts.command()
@click.argument("alert_id")
@click.option("--json", "as_json", is_flag=True, help="For another program to read.")
def show(*, alert_id: str, as_json: bool) -> None:
    """One alert with its evidence and what became of its messages."""
    with house.transaction() as tx:
        alert = rows.read_alert(tx, alert_id)
        if alert is None:
            raise PermanentError(Reason.NOT_FOUND, f"there is no alert {alert_id}; see: framewatch alerts list")
        alert["deliveries"] = deliveries.deliveries_of_alert(tx, alert_id)
    if as_json:
        house.echo_json(alert)
        return
    from services.channels.rendering import render_text

    click.echo(render_text("alert", alert["evidence"]))
    table = Table("message", "channel", "state", "attempts", "why", box=None, pad_edge=False)
    for d in alert["deliveries"]:
        why = d["last_error"] or d["reason"] or ""
        table.add_row(d["message_id"], d["channel"] or "-", d["state"], str(d["attempts"]), why)
    Console().print(table)
