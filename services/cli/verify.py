"""framewatch verify: the identities on a live database, in one snapshot; exit status 1 on any drift."""

import sys
from dataclasses import replace
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from services.analysis.identities import Identity, identities
from services.cli import house
from services.cli.progress import progress
from services.store import counts

NAMES = {
    "fetched": "fetched posts", "kept": "new posts", "counted once": "posts counted once", "stored": "stored posts",
    "scores": "scores kept", "ghosts": "stray scores", "trend": "trend totals",
    "trend points": "trends, 5 minutes", "trend steps": "trends, longer", "side by side": "frames compared",
    "stances": "counts by stance", "words": "words kept", "windows": "the last day", "alerts": "alerts",
}  # fmt: skip
"""What people are told of each identity; programs have its own name."""


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
    table = Table("what is checked", "numbers", "off by", box=None, pad_edge=False)
    for identity in found:
        table.add_row(
            NAMES[identity.name], _told(identity), str(identity.drift), style="bold red" if identity.drift else None
        )
    Console().print(table)
    drifted = [NAMES[i.name] for i in found if i.drift]
    click.echo(f"These do not add up: {'; '.join(drifted)}." if drifted else "Everything adds up.")


def _told(identity: Identity) -> str:
    """The numbers for people: what must be none as a count, else both sides; waiting and set aside by their words."""
    if identity.parts == {"none": 0}:
        return f"{identity.left:,} {identity.left_name} {identity.note}".rstrip()
    words = {"pending": "waiting", "parked": "set aside"}
    parts = {words.get(name, name): number for name, number in identity.parts.items()}
    return f"{replace(identity, parts=parts)} {identity.note}".rstrip()


def _plain(identity: Identity) -> dict[str, Any]:
    return {
        "name": identity.name,
        "what": identity.left_name,
        "count": identity.left,
        "parts": [{"what": name, "count": number} for name, number in identity.parts.items()],
        "note": identity.note,
        "drift": identity.drift,
    }
