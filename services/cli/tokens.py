"""framewatch tokens: who may ask the API what. A token is shown when it is made and never again."""

import re
import secrets
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from schemas.errors import PermanentError, Reason
from schemas.scopes import MEANING, NAME, RESERVED, SCOPES, Scope
from services.analysis import ages
from services.cli import calling, house
from services.cli.alert_rules import moment
from services.store import tokens as rows

json_option = click.option("--json", "as_json", is_flag=True, help="For another program to read.")


@click.group()
def tokens() -> None:
    """Who may ask the API what."""


@tokens.command(epilog=" ".join(f"{scope}: {told}." for scope, told in MEANING.items()))
@click.argument("name")
@click.option("--scope", "scopes", multiple=True, type=click.Choice(SCOPES), default=("read",), show_default=True)
@click.option("--until", default=None, help="When it ends: a time, or a length such as 90d; for good if not said.")
@json_option
def create(*, name: str, scopes: tuple[Scope, ...], until: str | None, as_json: bool) -> None:
    """Make a token for NAME, such as: tokens create grafana --scope read --until 365d."""
    if not re.fullmatch(NAME, name) or name in RESERVED:
        told = (
            f"{name[:70]!r} cannot be a token's name: use letters, digits, . _ and -, and not {' or '.join(RESERVED)}"
        )
        raise PermanentError(Reason.BAD_INPUT, told)
    now = house.now()
    ends = moment(until, now) if until else None
    if ends and ends <= now:
        raise PermanentError(Reason.BAD_INPUT, "a token has to end at a time that is still to come")
    token = rows.assemble(secrets.token_bytes(6), secrets.token_urlsafe(32))
    with house.transaction() as tx:
        token_id = rows.add_token(tx, token, name=name, scopes=scopes, now=now, expires_at=ends)
    if as_json:
        made = {"token": token, "token_id": token_id, "name": name, "scopes": scopes, "expires_at": ends}
        house.echo_json(made)
        return
    click.echo(token)
    click.echo("This is the only time it is shown. Send it as: Authorization: Bearer <token>", err=True)


@tokens.command(name="list")
@json_option
def list_tokens(*, as_json: bool) -> None:
    """Every token ever made; none of them can be shown again."""
    with house.transaction() as tx:
        found = rows.list_tokens(tx)
    if as_json:
        house.echo_json(found)
        return
    table = Table("id", "name", "scopes", "state", "made", "last used", box=None, pad_edge=False)
    for t in found:
        made, used = ages.brief(t["created_at"], house.now()), ages.brief(t["last_used_at"], house.now())
        table.add_row(t["token_id"], t["name"], ", ".join(t["scopes"]), _state(t), made, used)
    if found:
        Console().print(table)
    else:
        calling.say("No token yet. See: framewatch tokens create --help", err=True)


@tokens.command()
@click.argument("token", metavar="NAME_OR_ID")
def revoke(token: str) -> None:
    """End a token, at once and for good."""
    with house.transaction() as tx:
        gone = rows.revoke_token(tx, token, house.now())
    if gone is None:
        raise PermanentError(Reason.NOT_FOUND, f"no token {token[:70]} is in force; see: framewatch tokens list")
    click.echo(f"Revoked {gone['name']} ({gone['token_id']}).")


def _state(token: dict[str, Any]) -> str:
    if token["revoked_at"]:
        return "revoked"
    if token["expires_at"] is None:
        return "in force"
    return "ended" if token["expires_at"] <= house.now() else f"until {token['expires_at']:%d %b %Y}"
