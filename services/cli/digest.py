"""framewatch digest: read it before it is sent, or send it now."""

import click

from schemas.errors import PermanentError, Reason
from schemas.records import Notice
from services.analysis.digest import subject
from services.cli import house
from services.store import deliveries, digests, feeds
from services.store.pool import Connection


@click.group()
def digest() -> None:
    """Preview and send the digest."""


@digest.command()
@click.option("--html", is_flag=True, help="As HTML instead of plain text.")
@click.option("--last", is_flag=True, help="The last one that was sent, instead of one as of now.")
def preview(*, html: bool, last: bool) -> None:
    """The digest of the day before the present, as it would be sent now."""
    from services.channels.rendering import render

    with house.transaction() as tx:
        notice = _last(tx) if last else _notice(tx)
    text, markup = render(notice, "")
    click.echo(f"Subject: {notice.subject}\n", err=True)
    click.echo(markup if html else text)


@digest.command()
def send() -> None:
    """Put the digest of the day before the present into the outbox, for every channel."""
    with house.transaction() as tx:
        notice = _notice(tx)
        deliveries.add_deliveries(tx, notice, now=house.now(), digest=notice.data["digest"])
    click.echo(f"Queued: {notice.subject}")


@digest.command()
@click.option("--name", default="daily", show_default=True)
@click.option("--cron", "schedule", default="0 7 * * *", show_default=True, help="Minute hour day month weekday.")
@click.option("--timezone", default="UTC", show_default=True, help="The reader's, such as Europe/Berlin.")
def add(*, name: str, schedule: str, timezone: str) -> None:
    """Add a digest that is sent by schedule."""
    check_schedule(schedule, timezone)
    with house.transaction() as tx:
        deliveries.add_digest(tx, name, schedule=schedule, timezone=timezone, since=house.now())
    click.echo(f"The digest {name} goes out at {schedule} ({timezone}).")


def check_schedule(schedule: str, timezone: str) -> None:
    """Raises PermanentError(BAD_CONFIG) for a schedule or time zone that cannot be kept."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    from cronsim import CronSim, CronSimError

    try:
        CronSim(schedule, house.now().astimezone(ZoneInfo(timezone)))
    except CronSimError as error:
        raise PermanentError(Reason.BAD_CONFIG, f"{schedule!r} is no schedule: {error}; try '0 7 * * *'") from error
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise PermanentError(Reason.BAD_CONFIG, f"{timezone!r} is no time zone; try Europe/Berlin") from error


def _notice(tx: Connection) -> Notice:
    slot = feeds.present(tx, house.now())
    body = digests.read_digest(tx, "preview", slot)
    if body is None:
        raise PermanentError(Reason.NOT_FOUND, "no codebook is current yet; see: framewatch codebook apply FILE")
    return Notice(f"digest.preview.{slot:%Y%m%dT%H%M%SZ}", "digest", subject(body, slot), body)


def _last(tx: Connection) -> Notice:
    found = deliveries.last_digest(tx)
    if found is None:
        raise PermanentError(Reason.NOT_FOUND, "no digest was sent yet; see: framewatch digest preview")
    return Notice(f"digest.{found['digest']}", "digest", subject(found["body"], found["slot"]), found["body"])
