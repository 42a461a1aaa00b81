"""framewatch channels: where alerts and digests go."""

import json

import click

from schemas.errors import PermanentError, Reason
from schemas.records import Notice
from services.channels import CHANNELS, channel_for, check_config, redact
from services.cli import house
from services.fetch import Fetcher
from services.store import deliveries


@click.group()
def channels() -> None:
    """Where alerts and digests go."""


@channels.command()
@click.argument("name")
@click.argument("kind", type=click.Choice(sorted(CHANNELS)))
@click.argument("config", nargs=-1, metavar="FIELD=VALUE...")
def add(*, name: str, kind: str, config: tuple[str, ...]) -> None:
    """Add the channel NAME, such as: channels add team mail to=team@example.org sender=... host=..."""
    given = dict(pair.partition("=")[::2] for pair in config)
    checked = check_config(kind, given)
    with house.transaction() as tx:
        deliveries.add_channel(tx, name, kind, checked)
    click.echo(f"Added {name}. Try it: framewatch channels test {name}")


@channels.command(name="list")
def list_channels() -> None:
    """Every channel, secrets hidden."""
    with house.transaction() as tx:
        found = deliveries.list_channels(tx)
    for c in found:
        click.echo(f"{c['name']:20} {c['kind']:8} {c['state']:8} {json.dumps(redact(c['kind'], c['config']))}")


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
def test(name: str) -> None:
    """Send a test message through NAME now."""
    conf = house.load()
    with house.transaction() as tx:
        found = next((c for c in deliveries.list_channels(tx) if c["name"] == name), None)
    if found is None:
        raise _unknown(name)
    fetcher = Fetcher(allow_networks=conf.allow_networks, contact=conf.contact)
    channel = channel_for(found["kind"], found["config"], fetcher, public_url=conf.public_url)
    now = house.now()
    channel.send(Notice(f"test.{now:%Y%m%dT%H%M%S}", "test", "framewatch: a test", {"channel": name}), sent_at=now)
    click.echo(f"Sent through {name}.")


def _unknown(name: str) -> PermanentError:
    return PermanentError(Reason.NOT_FOUND, f"there is no channel {name}; see: framewatch channels list")
