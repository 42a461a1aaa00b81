"""framewatch feeds: add, list, try and parse feeds; lists of feeds in and out."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from services.analysis import health
from services.analysis.confidential import feed_told, masked
from services.analysis.listing import Listed
from services.cli import calling, feed_rows, house, remedies
from services.cli.feed_check import check, show
from services.cli.feed_lists import export_feeds, import_feeds
from services.sources import SOURCES, parse_file
from services.store import feeds as rows
from services.usecases import adding

kind_option = click.option("--kind", type=click.Choice(sorted(SOURCES)), default="rss", show_default=True)
guessed_option = click.option("--kind", type=click.Choice(sorted(SOURCES)), help="Else guessed from the address.")


@click.group()
def feeds() -> None:
    """Add, list, try and parse feeds."""


@feeds.command()
@click.argument("addresses", nargs=-1, required=True, metavar="ADDRESS...")
@guessed_option
@click.option("--title", default="", help="A name of your own; else the feed's.")
@click.option("--every", default=None, type=click.IntRange(min=1), help="Minutes between fetches; 15 if not said.")
@click.option("--option", "options", multiple=True, metavar="NAME=VALUE", help="An option of this kind; repeatable.")
@click.option("--listen", is_flag=True, help="Hold a connection instead of asking now and then.")
@house.json_option
def add(*, addresses: tuple[str, ...], kind: str | None, title: str, every: int | None, options: tuple[str, ...],
        listen: bool, as_json: bool) -> None:  # fmt: skip
    """Add feeds; each is fetched at once. What kind each is follows from its address, unless you name it."""
    wanted, mode = feed_rows.options_of(options), "stream" if listen else ""
    found = [Listed(a, kind or "", title, (every or 0) * 60, wanted, mode=mode) for a in addresses]
    checked = [adding.checked(feed) for feed in found]
    with house.transaction() as tx:
        known = adding.known_feeds(tx)
        new = [adding.add(tx, feed, known, house.now()) for feed in checked]
        now = adding.known_feeds(tx)
    if as_json:
        told = [
            {"feed_id": now[f.kind, f.address]["feed_id"], "source": f.kind, "address": masked(f.address), "new": added}
            for f, added in zip(checked, new, strict=True)
        ]
        house.echo_json(told)
        return
    for feed, added in zip(checked, new, strict=True):
        click.echo(f"{'Added' if added else 'Already there'}: {masked(feed.address)} ({feed.kind})")


@feeds.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="For another program to read.")
def list_feeds(*, as_json: bool) -> None:
    """Every feed with its health."""
    now = house.now()
    with house.transaction() as tx:
        found = [{**feed_told(f), "health": health.health(f, now)} for f in rows.list_feeds(tx)]
    if as_json:
        house.echo_json(found)
        return
    table = Table("id", "kind", "health", "posts", "heard until", "address", "what is wrong", box=None, pad_edge=False)
    table.columns[4].no_wrap = True
    table.columns[5].overflow = "fold"  # whole, so that it can be copied
    for f in found:
        table.add_row(str(f["feed_id"]), f["source"], f["health"], f"{f['posts']:,}", health.heard_until(f, now),
                      f["address"], told_of(f))  # fmt: skip
    Console().print(table)
    for line in remedies.of_feeds(f["health"] for f in found):
        calling.say(line)


@feeds.command()
@click.argument("feed_id", type=int)
@click.argument("state", type=click.Choice(["enabled", "paused"]))
def set_state(feed_id: int, state: str) -> None:
    """Pause a feed, or enable it again. A paused feed's silence is no gap."""
    with house.transaction() as tx:
        adding.set_state(tx, feed_id, state, house.now())
    click.echo(f"Feed {feed_id} is {state}.")


@feeds.command()
@click.argument("feed_id", type=int)
def remove(feed_id: int) -> None:
    """Forget a feed; its posts stay."""
    with house.transaction() as tx:
        if not rows.delete_feed(tx, feed_id):
            raise adding.unknown(feed_id)
    click.echo(f"Feed {feed_id} is removed.")


@feeds.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@kind_option
@click.option("--json", "as_json", is_flag=True, help="One JSON line a post.")
def parse(*, file: Path, kind: str, as_json: bool) -> None:
    """The same from a saved response, without a network."""
    show(parse_file(kind, file.read_bytes(), file.name), as_json=as_json)


def told_of(feed: Mapping[str, Any]) -> str:
    """What a person should know of a feed: why it fails, or what is odd about it."""
    moved = f"It says that it has moved to {feed['moved_to']}." if feed["moved_to"] else ""
    return feed["last_error"] or " ".join(filter(None, (feed["warning"], moved)))


feeds.add_command(check)
feeds.add_command(import_feeds)
feeds.add_command(export_feeds)
