"""framewatch migrate: bring the database to this version's schema (containers run it once before the rest)."""

import click

from services.cli import house
from services.store.migrate import prepare


@click.command()
@house.json_option
def migrate(*, as_json: bool) -> None:
    """Bring the database to this version."""
    done = prepare(
        house.load().database_url, house.now().date(), lambda name: click.echo(f"Applying {name} …", err=True)
    )
    if as_json:
        house.echo_json({"applied": done})
        return
    click.echo(f"Applied {', '.join(done)}." if done else "The database is up to date.")
