"""framewatch posts: honour a deletion; give parked posts another chance."""

import click

from services.cli import house
from services.store import posts as rows
from services.store import queue


@click.group()
def posts() -> None:
    """Delete posts; give parked ones another chance."""


@posts.command()
@click.argument("source")
@click.argument("native_ids", nargs=-1, required=True, metavar="ID...")
def delete(source: str, native_ids: tuple[str, ...]) -> None:
    """Erase posts of a source by their own ids; they are taken out of every trend and cannot come back."""
    with house.transaction() as tx:
        gone = rows.delete_posts(tx, source, native_ids, house.now())
    click.echo(f"Erased {gone} posts.")


@posts.command()
def retry() -> None:
    """Queue parked posts again."""
    with house.transaction() as tx:
        waiting = queue.unpark_posts(tx)
    click.echo(f"{waiting} posts are queued again.")
