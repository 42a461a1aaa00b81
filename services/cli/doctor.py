"""framewatch doctor: what is wrong, and how to mend it; exit status 1 when something is."""

import shutil
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta

import click

from schemas.errors import FramewatchError
from services import settings
from services.analysis import ages
from services.analysis.confidential import feed_told
from services.analysis.naming import many
from services.cli import calling, house
from services.settings import Settings
from services.store import alerts, codebooks, counts, feeds
from services.store.migrate import pending
from services.store.pool import Connection

LATE = timedelta(minutes=2)
DAYS_AHEAD = 3

Finding = tuple[str, str]
"""What is wrong, and how to mend it."""


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For another program to read.")
def doctor(*, as_json: bool) -> None:
    """What is wrong, and how to mend it."""
    conf = settings.load()
    found = [*_machine(conf), *_broker(conf)]
    try:
        with house.transaction() as tx:
            lacking = pending(tx)
        if lacking:
            found.append((f"The database lacks {', '.join(lacking)}.", "Run: framewatch migrate"))
        else:
            with house.transaction() as tx:
                found += [finding for examine in EXAMINATIONS for finding in examine(tx)]
    except FramewatchError as error:
        found.append((str(error), "Start everything with `framewatch up`, or mend FRAMEWATCH_DATABASE_URL."))
    found = [(calling.as_called(what), calling.as_called(remedy)) for what, remedy in found]
    if as_json:
        house.echo_json([{"what": what, "remedy": remedy} for what, remedy in found])
    for what, remedy in () if as_json else found:
        click.echo(f"- {what}\n  {remedy}")
    if found:
        sys.exit(1)
    if not as_json:
        click.echo("Nothing is wrong.")


def _machine(conf: Settings) -> Iterator[Finding]:
    home = settings.home_of(conf)
    folder = home if home.exists() else home.parent
    if folder.exists() and shutil.disk_usage(folder).free < 2**29:
        yield f"{folder} has less than 512 MB left.", "Make room, or move FRAMEWATCH_HOME."
    run = house.running(home)
    for name, process in (run or {"processes": {}})["processes"].items():
        if process["state"] != "running":
            yield f"{name} is not running: {process['reason']}", f"Its log is {process['log']}"


def _broker(conf: Settings) -> Iterator[Finding]:
    import redis

    url = conf.redis_url
    if not url:
        from services.embedded.redis import Redis

        try:
            url = Redis(settings.home_of(conf)).url
        except FramewatchError as error:
            yield str(error), "Start everything with `framewatch up`, or set FRAMEWATCH_REDIS_URL."
            return
    try:
        client = redis.Redis.from_url(url, socket_connect_timeout=3)
        client.ping()
        client.close()
    except redis.RedisError as error:
        yield f"Redis does not answer: {error}", "Start everything with `framewatch up`, or mend FRAMEWATCH_REDIS_URL."


def _stages(tx: Connection) -> Iterator[Finding]:
    now = house.now()
    ran = {s["stage"]: s["ran_at"] for s in counts.stage_runs(tx)}
    for stage in ("collect", "classify", "rollup", "detect", "deliver", "digest"):
        if stage not in ran or now - ran[stage] > LATE:
            when = ages.brief(ran.get(stage), now)
            yield (
                f"The stage {stage} last ran {when}.",
                "Look at `framewatch status`; is its worker, and beat, running?",
            )


def _rows(tx: Connection) -> Iterator[Finding]:
    totals = counts.totals(tx)
    if totals["parked_posts"]:
        yield (
            f"{many(totals['parked_posts'], 'post')} set aside.",
            "Workers died on them. Try again: framewatch posts retry",
        )
    if totals["parked_deliveries"]:
        yield (
            f"{many(totals['parked_deliveries'], 'message')} set aside: could not be delivered.",
            "Why: framewatch alerts list, then alerts show ID; is it mended: framewatch channels test NAME; "
            "send them again: framewatch channels retry",
        )
    last = counts.last_partition_day(tx)
    if last is None or last < (house.now() + timedelta(days=DAYS_AHEAD)).date():
        yield "Posts will soon have no partition to go to.", "Run: framewatch migrate; and see that upkeep runs."


def _content(tx: Connection) -> Iterator[Finding]:
    if not codebooks.current_codebooks(tx):
        yield "No codebook is current.", "Run: framewatch codebook apply FILE"
    if not feeds.list_feeds(tx):
        yield "There is no feed.", "Run: framewatch feeds add URL"
    for feed in map(feed_told, alerts.failing_feeds(tx, 3)):
        if feed["failing"] and feed["mode"] == "push":
            yield (
                f"{feed['address']}: {feed['warning']}.",
                f"See that its sender runs; if it has ended: framewatch feeds set-state {feed['feed_id']} paused",
            )
        elif feed["failing"]:
            yield f"{feed['address']}: {feed['last_error']}", "Try it: framewatch feeds check URL"


EXAMINATIONS: tuple[Callable[[Connection], Iterator[Finding]], ...] = (_stages, _rows, _content)
