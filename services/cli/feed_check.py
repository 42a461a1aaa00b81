"""framewatch feeds check: hear a feed once, as a worker would, and show what would be stored. Stores nothing."""

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import click

from schemas.errors import PermanentError, Reason
from schemas.records import Feed, FetchedPost, Page
from services import settings
from services.analysis.health import once
from services.analysis.naming import many
from services.cli import feed_rows, house
from services.fetch import Fetcher
from services.sources import SOURCES, Means, discover, mode_of, source_for, stream_for
from services.sources.guess import recognise

LISTEN_S = 15
"""Seconds a stream is listened to."""


@click.command()
@click.argument("address")
@click.option("--kind", type=click.Choice(sorted(SOURCES)), help="Else guessed from the address.")
@click.option("--option", "options", multiple=True, metavar="NAME=VALUE", help="An option of this kind; repeatable.")
@click.option("--listen", is_flag=True, help="Listen for a while instead of asking once.")
@click.option("--json", "as_json", is_flag=True, help="One JSON line a post.")
def check(*, address: str, kind: str | None, options: tuple[str, ...], listen: bool, as_json: bool) -> None:
    """Fetch once and show what would be stored; stores nothing."""
    conf = settings.load()
    fetcher = Fetcher(allow_networks=conf.allow_networks, contact=conf.contact, proxy=conf.proxy)
    means = Means(fetcher, house.files(conf), keys=settings.source_keys(conf))
    kind, address = recognise(address, kind or "")
    mode = mode_of(kind, "stream" if listen else "")
    if mode == "push":
        raise PermanentError(Reason.BAD_CONFIG, f"posts are sent to {address}; there is nothing to fetch")
    wanted = feed_rows.options_of(options)
    feed = Feed(0, kind, address, "", "enabled", "wall", wanted, {}, timedelta(minutes=15), None, 0)
    if mode == "stream":
        for page in _heard(feed, means):
            show(page, as_json=as_json, how=once(page, house.now()))
        return
    feeds = discover(kind, means, address)
    if feeds and feeds[0][0] != address:
        told = "".join(f"\n  {place}  {title}" for place, title in feeds[:20])
        click.echo(f"{address} is a web page. It names:{told}\nChecking the first.", err=True)
        feed = replace(feed, address=feeds[0][0])
    page = source_for(kind, means).fetch(feed, house.now())
    show(page, as_json=as_json, how=once(page, house.now()))


def _heard(feed: Feed, means: Means) -> Iterator[Page]:
    """What a stream brings in a while."""
    end = time.monotonic() + LISTEN_S
    click.echo(f"Listening for {LISTEN_S} seconds …", err=True)
    for page in stream_for(feed.source, means).listen(feed, house.now, lambda: time.monotonic() > end):
        if page.posts or page.dropped:
            yield page


def show(page: Page, *, as_json: bool, how: str = "") -> None:
    """The posts of a page, what could not become one, and how a feed that brings it does."""
    for post in page.posts:
        if as_json:
            click.echo(json.dumps(_plain(post), ensure_ascii=False))
        else:
            click.echo(f"{post.published_at or 'no date'}  {post.author or '-'}  {post.text[:100]!r}")
    dropped = ", ".join(f"{n} without use ({reason})" for reason, n in page.dropped.items())
    title = f" from {page.title}" if page.title else ""
    told = f"{many(len(page.posts), 'post')}{title}{'; ' + dropped if dropped else ''}"
    click.echo(f"{how}: {told}" if how else told, err=True)
    for odd in filter(None, (page.warning, page.moved_to and f"It says that it has moved to {page.moved_to}.")):
        click.echo(odd, err=True)


def _plain(post: FetchedPost) -> dict[str, Any]:
    shown = {
        "id": post.native_id, "text": post.text, "published_at": post.published_at and house.plain(post.published_at),
        "lang": post.lang, "author": post.author, "url": post.url, "repost_of": post.repost_of,
    }  # fmt: skip
    return {k: v for k, v in shown.items() if v or k in ("id", "text", "published_at")}
