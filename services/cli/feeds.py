"""framewatch feeds: add, list, try and parse feeds; lists of feeds in and out."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from schemas.errors import PermanentError, Reason
from schemas.records import Feed, FetchedPost, Page
from services import settings
from services.analysis.listing import Listed
from services.cli import feed_rows, house
from services.cli.feed_lists import export_feeds, import_feeds
from services.fetch import Fetcher
from services.sources import SOURCES, Means, parse_file, source_for
from services.sources.guess import recognise
from services.store import feeds as rows

kind_option = click.option("--kind", type=click.Choice(sorted(SOURCES)), default="rss", show_default=True)
guessed_option = click.option("--kind", type=click.Choice(sorted(SOURCES)), help="Else guessed from the address.")


@click.group()
def feeds() -> None:
    """Add, list, try and parse feeds."""


@feeds.command()
@click.argument("addresses", nargs=-1, required=True, metavar="ADDRESS...")
@guessed_option
@click.option("--title", default="", help="A name of your own; else the feed's.")
@click.option("--every", default=15, show_default=True, help="Minutes between fetches.")
@click.option("--option", "options", multiple=True, metavar="NAME=VALUE", help="An option of this kind; repeatable.")
@click.option("--listen", is_flag=True, help="Hold a connection instead of asking now and then.")
def add(*, addresses: tuple[str, ...], kind: str | None, title: str, every: int, options: tuple[str, ...],
        listen: bool) -> None:  # fmt: skip
    """Add feeds; each is fetched at once. What kind each is follows from its address, unless you name it."""
    wanted, mode = feed_rows.options_of(options), "stream" if listen else ""
    found = [Listed(a, kind or "", title, max(every, 1) * 60, wanted, mode=mode) for a in addresses]
    checked = [feed_rows.checked(feed) for feed in found]
    with house.transaction() as tx:
        known = feed_rows.known_feeds(tx)
        for feed in checked:
            new = feed_rows.add(tx, feed, known, house.now())
            click.echo(f"{'Added' if new else 'Already there'}: {feed.address} ({feed.kind})")


@feeds.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="For another program to read.")
def list_feeds(*, as_json: bool) -> None:
    """Every feed with its health."""
    with house.transaction() as tx:
        found = rows.list_feeds(tx)
    if as_json:
        house.echo_json(found)
        return
    table = Table("id", "kind", "state", "posts", "last heard", "address", "what is wrong", box=None, pad_edge=False)
    for f in found:
        table.add_row(str(f["feed_id"]), f["source"], f["state"], f"{f['posts']:,}",
                      house.ago(f["heard_until"], house.now()), f["address"], f["last_error"] or "")  # fmt: skip
    Console().print(table)


@feeds.command()
@click.argument("feed_id", type=int)
@click.argument("state", type=click.Choice(["enabled", "paused"]))
def set_state(feed_id: int, state: str) -> None:
    """Pause a feed, or enable it again. A paused feed's silence is no gap."""
    with house.transaction() as tx:
        if not rows.set_feed_state(tx, feed_id, state, house.now()):
            raise _unknown(feed_id)
        (rows.expect_feed if state == "enabled" else rows.stop_expecting_feed)(tx, feed_id, house.now())
    click.echo(f"Feed {feed_id} is {state}.")


@feeds.command()
@click.argument("feed_id", type=int)
def remove(feed_id: int) -> None:
    """Forget a feed; its posts stay."""
    with house.transaction() as tx:
        if not rows.delete_feed(tx, feed_id):
            raise _unknown(feed_id)
    click.echo(f"Feed {feed_id} is removed.")


@feeds.command()
@click.argument("address")
@guessed_option
@click.option("--json", "as_json", is_flag=True, help="One JSON line a post.")
def check(*, address: str, kind: str | None, as_json: bool) -> None:
    """Fetch once and show what would be stored; stores nothing."""
    kind, address = recognise(address, kind or "")
    conf = settings.load()
    fetcher = Fetcher(allow_networks=conf.allow_networks, contact=conf.contact)
    source = source_for(kind, Means(fetcher, house.files(conf)))
    feed = Feed(0, kind, address, "", "enabled", "wall", {}, {}, timedelta(minutes=15), None, 0)
    _show(source.fetch(feed, house.now()), as_json=as_json)


@feeds.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@kind_option
@click.option("--json", "as_json", is_flag=True, help="One JSON line a post.")
def parse(*, file: Path, kind: str, as_json: bool) -> None:
    """The same from a saved response, without a network."""
    _show(parse_file(kind, file.read_bytes(), file.name), as_json=as_json)


def _show(page: Page, *, as_json: bool) -> None:
    for post in page.posts:
        if as_json:
            click.echo(json.dumps(_plain(post), ensure_ascii=False))
        else:
            click.echo(f"{post.published_at or 'no date'}  {post.author or '-'}  {post.text[:100]!r}")
    dropped = ", ".join(f"{n} without use ({reason})" for reason, n in page.dropped.items())
    title = f" from {page.title}" if page.title else ""
    click.echo(f"{len(page.posts)} posts{title}{'; ' + dropped if dropped else ''}", err=True)


def _plain(post: FetchedPost) -> dict[str, Any]:
    shown = {
        "id": post.native_id, "text": post.text, "published_at": post.published_at and post.published_at.isoformat(),
        "lang": post.lang, "author": post.author, "url": post.url, "repost_of": post.repost_of,
    }  # fmt: skip
    return {k: v for k, v in shown.items() if v or k in ("id", "text", "published_at")}


def _unknown(feed_id: int) -> PermanentError:
    return PermanentError(Reason.NOT_FOUND, f"there is no feed {feed_id}; see: framewatch feeds list")


feeds.add_command(import_feeds)
feeds.add_command(export_feeds)
