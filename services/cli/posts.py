"""framewatch posts: honour a deletion; give parked posts another chance."""

import click

from services import settings
from services.analysis import identity
from services.cli import house
from services.store import posts as rows
from services.store import queue


@click.group()
def posts() -> None:
    """Delete posts; give parked ones another chance."""


@posts.command()
@click.argument("source")
@click.argument("native_ids", nargs=-1, metavar="ID...")
@click.option("--author", default="", help="Erase every post of this author, and take nothing of theirs in any more.")
@click.option("--pseudonym", default="", help="The same, by the pseudonym that the console shows.")
def delete(*, source: str, native_ids: tuple[str, ...], author: str, pseudonym: str) -> None:
    """Erase posts of a source, by their own ids or by author; they leave every trend and cannot come back."""
    if not native_ids and not author and not pseudonym:
        raise click.UsageError("name posts by their ids, or an author with --author or --pseudonym")
    now = house.now()
    if author:
        pseudonym = identity.pseudonym(house.author_secret(settings.load()), source, author)
    with house.transaction() as tx:
        gone = rows.delete_posts(tx, source, native_ids, now)
        if pseudonym:
            rows.deny_author(tx, source, pseudonym, now)
            gone += rows.delete_author(tx, source, pseudonym, now)
    click.echo(f"Erased {gone} posts." + (" Nothing of this author is taken in any more." if pseudonym else ""))


@posts.command()
def retry() -> None:
    """Queue parked posts again."""
    with house.transaction() as tx:
        waiting = queue.unpark_posts(tx)
    click.echo(f"{waiting} posts are queued again.")
