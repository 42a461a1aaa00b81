"""framewatch digest: read it before it is sent, send it now, and say when and to whom it goes."""

import tempfile
import webbrowser
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from schemas.errors import PermanentError, Reason
from schemas.records import Notice
from services import settings
from services.analysis import ages, slots
from services.analysis.headlines import subject
from services.analysis.unsubscribing import token
from services.cli import calling, house
from services.store import deliveries, digesting, digests, feeds, mailing
from services.store.pool import Connection, Row


@click.group()
def digest() -> None:
    """Preview and send the digest; say when and to whom it goes."""


@digest.command()
@click.argument("name", required=False)
@click.option("--open", "in_browser", is_flag=True, help="Write it as a page and open that in the browser.")
@click.option("--html", is_flag=True, help="As HTML, pictures inside, instead of plain text.")
@click.option("--json", "as_json", is_flag=True, help="What it is composed of, for another program to read.")
@click.option("--last", is_flag=True, help="The last one that was sent, instead of one as of now.")
@click.option("--at", type=click.DateTime(["%Y-%m-%dT%H:%M", "%Y-%m-%d"]), help="As of then, in the digest's own time.")
def preview(name: str | None, *, in_browser: bool, html: bool, as_json: bool, last: bool, at: datetime | None) -> None:
    """The digest as it would be sent now, over a whole period up to the present."""
    from services.channels.rendering import page, render

    with house.transaction() as tx:
        notice = _last(tx, name) if last else _notice(tx, _row(tx, name), at)
    public_url = _public_url()
    if as_json:
        house.echo_json({"subject": notice.subject, **notice.data})
    elif in_browser:
        path = Path(tempfile.mkdtemp(prefix="framewatch-digest-")) / "digest.html"
        path.write_text(page(notice, public_url), encoding="utf-8")
        opened = webbrowser.open(path.as_uri())
        click.echo(path if opened else f"No browser to open here. The page is {path}")
    else:
        click.echo(f"Subject: {notice.subject}\n", err=True)
        click.echo(page(notice, public_url) if html else render(notice, public_url)[0])


@digest.command()
@click.argument("name", required=False)
@house.json_option
def send(name: str | None, *, as_json: bool) -> None:
    """Put the digest as of now into the outbox, for every reader who has not left. Its slots are not touched."""
    conf = house.load()
    with house.transaction() as tx:
        row = _row(tx, name)
        if row["since"] is None:
            raise PermanentError(Reason.NOT_FOUND, "there is no digest yet; see: framewatch digest add")
        now = house.now()
        found = _notice(tx, row, None)
        notice = replace(found, message_id=f"digest.{row['digest']}.{now:%Y%m%dT%H%M%SZ}.now")
        posting = mailing.Posting(
            row["digest"], row["channels"], lambda reader: token(house.author_secret(conf), reader)
        )
        count = mailing.post_digest(tx, notice, posting, now=now)
    if not count:
        told = "nobody to send it to: every reader has left, or no channel is enabled; see: framewatch channels add"
        raise PermanentError(Reason.NOT_FOUND, told)
    if as_json:
        about = {"message_id": notice.message_id, "subject": notice.subject, "queued": count}
        house.echo_json({"digest": row["digest"], **about})
        return
    click.echo(f"Queued for {count}: {notice.subject}")


@digest.command()
@click.option("--name", default="daily", show_default=True)
@click.option("--cron", "schedule", default="0 7 * * *", show_default=True, help="Minute hour day month weekday.")
@click.option("--timezone", default="UTC", show_default=True, help="The reader's, such as Europe/Berlin.")
@click.option("--channel", "channels", multiple=True, help="Where it goes; may be repeated. Default: every channel.")
@click.option("--silent-when-empty", "silent", is_flag=True, help="Send nothing when there is nothing to tell.")
@house.json_option
def add(*, name: str, schedule: str, timezone: str, channels: tuple[str, ...], silent: bool, as_json: bool) -> None:
    """Add a digest that is sent by schedule, kept in the reader's own time zone."""
    slots.check(schedule, timezone, house.now())
    about: dict[str, Any] = {"schedule": schedule, "timezone": timezone, "since": house.now(), "silent": silent}
    with house.transaction() as tx:
        known = {c["name"] for c in deliveries.list_channels(tx)}
        if missing := sorted(set(channels) - known):
            raise PermanentError(Reason.NOT_FOUND, f"there is no channel {missing[0]}; see: framewatch channels list")
        if not deliveries.add_digest(tx, name, **about, channels=list(channels) or None):
            told = (
                f"there is a digest {name} already; give this one a name (--name NAME), or first: "
                f"framewatch digest remove {name}"
            )
            raise PermanentError(Reason.BAD_INPUT, told)
    following = slots.after(schedule, timezone, house.now())
    if as_json:
        made = {"digest": name, "schedule": schedule, "timezone": timezone, "channels": channels or None}
        house.echo_json({**made, "silent": silent, "next_slot": following})
        return
    click.echo(f"The digest {name} goes out at {schedule} ({timezone}), next on {_local(following, timezone)}.")


@digest.command("list")
@click.option("--json", "as_json", is_flag=True, help="For another program to read.")
def list_(*, as_json: bool) -> None:
    """Every digest: its schedule, its last slot and the next, and how many read it."""
    with house.transaction() as tx:
        told = [_shown(d, digests.list_readers(tx, d["digest"])) for d in deliveries.list_digests(tx)]
    if as_json:
        house.echo_json(told)
    elif not told:
        calling.say("There is no digest. Add one: framewatch digest add --timezone Europe/Berlin")
    else:
        table = Table("digest", "schedule", "time zone", "last", "next", "readers", "to", box=None, pad_edge=False)
        for one in told:
            last = _local(one["last_slot"], one["timezone"]) if one["last_slot"] else "never"
            left = f", {one['left']} left" if one["left"] else ""
            table.add_row(
                one["digest"], one["schedule"], one["timezone"], last, _local(one["next_slot"], one["timezone"]),
                f"{one['readers']}{left}", ", ".join(one["channels"] or ["every channel"]),
            )  # fmt: skip
        Console().print(table)


@digest.command()
@click.argument("name")
def remove(name: str) -> None:
    """Forget a digest, and who left it."""
    with house.transaction() as tx:
        if not digests.remove_digest(tx, name):
            raise PermanentError(Reason.NOT_FOUND, f"there is no digest {name}; see: framewatch digest list")
    click.echo(f"The digest {name} is not sent any more.")


@digest.command()
@click.argument("name", required=False)
@click.option("--back", metavar="ADDRESS", help="Write to a reader again who had left, at their wish.")
@click.option("--json", "as_json", is_flag=True, help="For another program to read.")
def readers(name: str | None, *, back: str | None, as_json: bool) -> None:
    """Who reads a digest, and who has left it."""
    with house.transaction() as tx:
        if back:
            row = _row(tx, name)
            if not digests.resubscribe(tx, row["digest"], back):
                raise PermanentError(Reason.NOT_FOUND, f"nobody of the address {back} has left {row['digest']}")
        told = digests.list_readers(tx, name)
        if name and not told:
            _row(tx, name)
    if as_json:
        house.echo_json(told)
        return
    table = Table("digest", "reader", "last mail", "state", box=None, pad_edge=False)
    for one in told:
        left = f"left on {one['unsubscribed_at']:%d %b %Y}" if one["unsubscribed_at"] else "reads it"
        table.add_row(one["digest"], one["address"], ages.brief(one["sent_at"], house.now()), left)
    Console().print(table if told else "Nobody yet: readers are known from the first mail on.")


def _public_url() -> str:
    """Where readers find the console: as set, else where `framewatch up` has it."""
    conf = house.load()
    run = house.running(settings.home_of(conf))
    return conf.public_url or (str(run["addresses"].get("console", "")) if run else "")


def _shown(row: Row, known: list[Row]) -> Row:
    left = sum(r["unsubscribed_at"] is not None for r in known)
    following = slots.after(row["schedule"], row["timezone"], house.now())
    return {**row, "next_slot": following, "readers": len(known) - left, "left": left}


def _local(moment: datetime, timezone: str) -> str:
    from services.channels.wording import local

    return local(moment, timezone, "%a %-d %b %Y %H:%M")


def _row(tx: Connection, name: str | None) -> Row:
    """The digest of a name, or the only one; before there is any, a daily one that is not scheduled."""
    known = deliveries.list_digests(tx)
    found = [d for d in known if name in (None, d["digest"])]
    if not known and name is None:
        return {"digest": "daily", "schedule": "0 7 * * *", "timezone": "UTC", "channels": None, "since": None}
    if len(found) == 1:
        return found[0]
    names = ", ".join(d["digest"] for d in known) or "none"
    told = f"there is no digest {name}" if name else "there are several digests, say which"
    raise PermanentError(Reason.NOT_FOUND, f"{told}; known are: {names}; add one: framewatch digest add")


def _notice(tx: Connection, row: Row, at: datetime | None) -> Notice:
    slot = feeds.present(tx, house.now())
    if at is not None:
        slot = _in_zone(at, row["timezone"])
    latest = slots.latest(row["schedule"], row["timezone"], slot)
    length = latest - slots.before(row["schedule"], row["timezone"], latest)
    body = digesting.read_digest(tx, digesting.Edition(row["digest"], slot, slot - length, row["timezone"]))
    if body is None:
        raise PermanentError(Reason.NOT_FOUND, "no codebook is current yet; see: framewatch codebook apply FILE")
    return Notice(f"digest.preview.{slot:%Y%m%dT%H%M%SZ}", "digest", subject(body, slot), body)


def _in_zone(at: datetime, timezone: str) -> datetime:
    from zoneinfo import ZoneInfo

    return at.replace(tzinfo=ZoneInfo(timezone)).astimezone(UTC)


def _last(tx: Connection, name: str | None) -> Notice:
    found = deliveries.last_digest(tx, name)
    if found is None:
        raise PermanentError(Reason.NOT_FOUND, "no digest was sent yet; see: framewatch digest preview")
    return Notice(f"digest.{found['digest']}", "digest", subject(found["body"], found["slot"]), found["body"])
