"""framewatch channels: where alerts and digests go. Secrets go in here and never come out again."""

import re
from typing import Any

import click

from schemas.errors import PermanentError, Reason, TransientError
from schemas.records import Notice
from services.analysis.ages import ago
from services.analysis.naming import many
from services.analysis.quiet import parse
from services.channels import CHANNELS, channel_for, check_config, check_reach, redact
from services.channels import fields as fields_of
from services.cli import calling, demo_mail, house
from services.fetch import Fetcher
from services.settings import Settings
from services.store import deliveries, retrying

_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,38}[A-Za-z0-9])?")
"""The name becomes part of message ids, which travel in headers."""


@click.group()
def channels() -> None:
    """Where alerts and digests go."""


@channels.command()
@click.argument("name")
@click.argument("kind", type=click.Choice(sorted(CHANNELS)))
@click.argument("config", nargs=-1, metavar="FIELD=VALUE...")
def add(*, name: str, kind: str, config: tuple[str, ...]) -> None:
    """Add the channel NAME, such as: channels add team slack url=https://hooks.slack.com/services/…

    FIELD=- asks for the value without showing it. What each kind needs: `channels kinds`.
    """
    if not _NAME.fullmatch(name):
        said = f"{name!r} cannot be a channel's name: at most 40 letters, digits, . _ and -, such as team-1"
        raise PermanentError(Reason.BAD_CONFIG, said)
    checked = check_config(kind, dict(_pair(text, kind) for text in config))
    warning = check_reach(kind, checked, _way_out(house.load()))
    with house.transaction() as tx:
        deliveries.add_channel(tx, name, kind, checked)
    if warning:
        click.echo(f"Saved, but: {warning}", err=True)
    calling.say(f"Added {name}. Try it: framewatch channels test {name}")


@channels.command()
@click.option("--json", "as_json", is_flag=True, help="For another program to read.")
def kinds(*, as_json: bool) -> None:
    """Every kind of channel and its fields; those in brackets may be left out."""
    if as_json:
        house.echo_json({kind: fields_of(kind) for kind in sorted(CHANNELS)})
        return
    for kind in sorted(CHANNELS):
        click.echo(f"{kind:13} {fields_of(kind)}")


@channels.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="For another program to read.")
def list_channels(*, as_json: bool) -> None:
    """Every channel, secrets hidden."""
    with house.transaction() as tx:
        found = deliveries.list_channels(tx)
    if as_json:
        house.echo_json([{**c, "config": redact(c["kind"], c["config"])} for c in found])
        return
    for c in found:
        config = redact(c["kind"], c["config"])
        shown = " ".join(f"{key}={_value(value)}" for key, value in config.items())
        click.echo(f"{c['name']:20} {c['kind']:12} {c['state']:8} {shown}")
    if not found:
        calling.say("No channel yet: alerts reach nobody. See: framewatch channels kinds", err=True)


def _value(value: Any) -> str:
    """As `channels add` takes it: several as A,B."""
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


@channels.command()
@click.argument("name")
def remove(name: str) -> None:
    """Forget the channel NAME."""
    with house.transaction() as tx:
        if not deliveries.delete_channel(tx, name):
            raise _unknown(name)
    click.echo(f"Removed {name}.")


@channels.command()
@click.argument("name")
@click.argument("hours", metavar="HOURS")
def quiet(*, name: str, hours: str) -> None:
    """Hold alerts for NAME back in quiet HOURS: `22:00-07:00 Europe/Berlin`, or `none`. They come when these end."""
    if hours != "none":
        parse(hours)
    with house.transaction() as tx:
        if not deliveries.set_quiet(tx, name, None if hours == "none" else hours):
            raise _unknown(name)
    click.echo(f"{name} is quiet: {hours}.")


@channels.command()
@click.argument("name")
@house.json_option
def test(*, name: str, as_json: bool) -> None:
    """Send a test message through NAME now and say what came of it."""
    conf = house.load()
    with house.transaction() as tx:
        found = next((c for c in deliveries.list_channels(tx) if c["name"] == name), None)
    if found is None:
        raise _unknown(name)
    if demo_mail.is_ours(found):  # its mailbox is on this machine, which no other channel may reach
        conf = demo_mail.allowing(conf, found["config"]["port"])
    now = house.now()
    notice = Notice(f"test.{now:%Y%m%dT%H%M%S}", "test", "framewatch: a test", {"channel": name})
    try:
        channel = channel_for(found["kind"], found["config"], _way_out(conf), public_url=conf.public_url)
        channel.send(notice, sent_at=now)
    except TransientError as error:
        said = f"{name} did not take the test message now: {error} An alert would be tried again by itself."
        raise TransientError(error.reason, said) from None
    except PermanentError as error:
        said = f"{name} did not take the test message: {error}. Until that is mended, no alert arrives there."
        raise PermanentError(error.reason, said) from None
    if as_json:
        house.echo_json({"channel": name, "kind": found["kind"], "message_id": notice.message_id, "sent_at": now})
        return
    click.echo(f"Sent through {name}: {found['kind']} took the test message. Look whether it is there.")


@channels.command()
@click.argument("name", required=False)
@house.json_option
def retry(*, name: str | None, as_json: bool) -> None:
    """Send the messages that were set aside once more, of the channel NAME or of all: under the ids they have."""
    now = house.now()
    with house.transaction() as tx:
        found = retrying.retry(tx, now, channel=name)
    if as_json:
        house.echo_json({"queued": sum(row["messages"] for row in found), "channels": found})
        return
    for row in found:
        oldest = f"the oldest was made {ago(row['oldest'], now)}"
        click.echo(f"{row['channel']}: {many(row['messages'], 'message')} queued again; {oldest}.")
    if not found:
        click.echo(f"Nothing is set aside for {name}." if name else "Nothing is set aside that a channel could take.")


def _pair(text: str, kind: str) -> tuple[str, Any]:
    field, equals, value = text.partition("=")
    if not equals:  # what stands there may be a secret: it is not repeated
        raise PermanentError(Reason.BAD_CONFIG, f"each part must be FIELD=VALUE; {kind} takes: {fields_of(kind)}")
    return field, click.prompt(field, hide_input=True, err=True) if value == "-" else value


def _way_out(conf: Settings) -> Fetcher:
    return Fetcher(allow_networks=conf.allow_networks, contact=conf.contact, proxy=conf.proxy)


def _unknown(name: str) -> PermanentError:
    return PermanentError(Reason.NOT_FOUND, f"there is no channel {name}; see: framewatch channels list")
