"""framewatch posts: list them, honour a deletion, give parked posts another chance."""

from typing import Any

import click

from services import settings
from services.analysis import identity
from services.analysis.naming import language, many
from services.cli import house
from services.cli.trends import narrowed, period
from services.sources import SOURCES
from services.store import listings, queue
from services.store import posts as rows


@click.group()
def posts() -> None:
    """List posts and delete them; give those set aside another chance."""


@posts.command(name="list")
@click.option("--frame", default=None, help="Only posts that carry this frame.")
@click.option("--words", "q", default=None, help='Only posts with these words; "a phrase", or, -without.')
@narrowed
@click.option("--limit", type=click.IntRange(1, 500), default=20, show_default=True, help="The newest so many.")
@click.option("--json", "as_json", is_flag=True, help="For another program to read.")
def list_posts(*, as_json: bool, **asked: Any) -> None:
    """The newest posts, with the frames they carry, or carried under an old version of the codebook."""
    with house.transaction() as tx:
        page = listings.read_posts(tx, house.now(), **period(asked))
    if as_json:
        click.echo(page.model_dump_json(indent=2))
        return
    for post in page.posts:
        told = ", ".join(f"{f} (probability {p:.0%})" + (f" {post.stances[f]}" if f in post.stances else "")
                         for f, p in post.frames.items())  # fmt: skip
        said = f"{post.source}, {language(post.lang)}  {told or 'no frame'}"
        click.echo(f"{post.post_id:>8}  {post.published_at:%d %b %Y %H:%M}  {said}")
        click.echo(f"{'':8}  {' '.join(post.text.split())[:200]}")
    if not page.posts:
        click.echo("No post fits.")


@posts.command()
@click.argument("source", type=click.Choice(sorted(SOURCES)), metavar="SOURCE")
@click.argument("native_ids", nargs=-1, metavar="ID...")
@click.option("--author", default="", help="Erase every post of this author, and take nothing of theirs in any more.")
@click.option("--pseudonym", default="", help="The same, by the pseudonym that the console shows.")
@house.json_option
def delete(*, source: str, native_ids: tuple[str, ...], author: str, pseudonym: str, as_json: bool) -> None:
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
    if as_json:
        house.echo_json({"erased": gone, "author_denied": bool(pseudonym)})
        return
    click.echo(f"Erased {many(gone, 'post')}." + (" Nothing of this author is taken in any more." if pseudonym else ""))


@posts.command()
@house.json_option
def retry(*, as_json: bool) -> None:
    """Try again to score the posts that were set aside."""
    with house.transaction() as tx:
        waiting = queue.unpark_posts(tx)
    house.echo_json({"queued": waiting}) if as_json else click.echo(f"Queued again: {many(waiting, 'post')}.")
