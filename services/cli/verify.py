"""framewatch verify: the identities on a live database, in one snapshot; exit status 1 on any drift."""

import sys
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from services.analysis.identities import Identity, identities
from services.cli import house
from services.cli.progress import progress
from services.store import counts


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For another program to read.")
def verify(*, as_json: bool) -> None:
    """Check that nothing was lost or counted twice."""
    with house.transaction() as tx:
        counts.one_snapshot(tx)
        with progress("checked") as tell:
            found = identities(counts.identity_rows(tx, tell))
    if as_json:
        house.echo_json([_plain(i) for i in found])
    else:
        _print(found)
    if any(i.drift for i in found):
        sys.exit(1)


def _print(found: list[Identity]) -> None:
    table = Table("identity", "numbers", "drift", box=None, pad_edge=False)
    for identity in found:
        numbers = f"{identity} {identity.note}".rstrip()
        table.add_row(identity.name, numbers, str(identity.drift), style="bold red" if identity.drift else None)
    Console().print(table)
    drifted = [i.name for i in found if i.drift]
    click.echo(f"Drift in: {', '.join(drifted)}." if drifted else "Everything adds up.")


def _plain(identity: Identity) -> dict[str, Any]:
    return {
        "name": identity.name,
        "what": identity.left_name,
        "count": identity.left,
        "parts": [{"what": name, "count": number} for name, number in identity.parts.items()],
        "note": identity.note,
        "drift": identity.drift,
    }
