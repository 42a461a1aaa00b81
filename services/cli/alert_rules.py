"""framewatch alerts rules: who is told of what. Also reads what such commands are given: terms, times, lengths."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click
import yaml

from schemas.errors import PermanentError, Reason
from schemas.rule import NAME, check, parse
from services.analysis.alerting import Rule, rules_for
from services.analysis.naming import many
from services.cli import calling, house
from services.store import rules as rows

_LENGTH = re.compile(r"(\d{1,5})\s*(m|min|h|d|w)")
_UNITS = {"m": "minutes", "min": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@click.group()
def rules() -> None:
    """Who is told of what: rules for every frame, or for one."""


@rules.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="For another program to read.")
def list_rules(*, as_json: bool) -> None:
    """Every rule; `burst` is the one of the settings while no other has its name."""
    with house.transaction() as tx:
        saved = {r["name"]: r["terms"] for r in rows.list_rules(tx)}
        found = rows.in_force(tx, default_rule())
        muted = rows.list_mutes(tx, house.now())
    if as_json:
        house.echo_json({"rules": [_plain(r, saved) for r in found], "mutes": muted})
        return
    for rule in found:
        state = "" if rule.enabled else "  (switched off)"
        told = ", ".join(rule.channels) if rule.channels else "every channel"
        click.echo(
            f"{rule.name:20} {rule.frame or 'every frame':24} {many(rule.min_posts, 'post')}, "
            f"{many(rule.min_authors, 'author')}, "
            f"{many(rule.budget, 'false alarm')} a week, to {told}{state}"
        )
    for mute in muted:
        ends = f" until {mute['until']:%d %b %Y %H:%M} UTC" if mute["until"] else ""
        click.echo(f"muted: {mute['frame'] or 'feed ' + str(mute['feed_id'])}{ends}")


@rules.command(name="set")
@click.argument("name")
@click.option("--file", "path", type=click.Path(exists=True, dir_okay=False), help="Its terms, YAML or JSON.")
@click.argument("terms", nargs=-1, metavar="[FIELD=VALUE...]")
@house.json_option
def set_rule(*, name: str, path: str | None, terms: tuple[str, ...], as_json: bool) -> None:
    """Save the rule NAME, such as: rules set staged frame=staged-theatrics min_posts=10 channels=[team]."""
    if not re.fullmatch(NAME, name) or len(name) > 60:
        raise PermanentError(Reason.BAD_INPUT, f"{name!r} is no name for a rule: use small letters, digits and -")
    given = check(terms_given(path, terms), name)
    default = default_rule()
    with house.transaction() as tx:
        rule = rows.checked(tx, name, given, default)
        saved = given.model_dump(mode="json", exclude_defaults=True)
        rows.set_rule(tx, name, saved, house.now())
        replaced = _replaced(rule, rows.in_force(tx, default))
    if as_json:
        house.echo_json({**_plain(rule, {name: saved}), "instead_of": replaced})
        return
    calling.say(f"Saved {name}. What it would have fired: framewatch alerts dry-run --rule {name}")
    if replaced:
        click.echo(f"It decides for {rule.frame} from now on, instead of {', '.join(replaced)}.")


def _replaced(rule: Rule, others: Sequence[Rule]) -> list[str]:
    """The general rules that a saved one takes its frame from."""
    if rule.frame is None or not rule.enabled or any(r.name != rule.name for r in rules_for(rule.frame, others)):
        return []
    return [r.name for r in others if r.frame is None and r.enabled]


@rules.command()
@click.argument("name")
def remove(name: str) -> None:
    """Forget the rule NAME."""
    with house.transaction() as tx:
        if not rows.remove_rule(tx, name):
            raise PermanentError(Reason.NOT_FOUND, f"there is no saved rule {name}; see: framewatch alerts rules list")
    click.echo(f"Removed {name}.")


def default_rule() -> Rule:
    """The rule of the settings."""
    conf = house.load()
    return Rule(budget=conf.budget, learning=timedelta(days=conf.learning_days))


def terms_given(path: str | None, pairs: tuple[str, ...]) -> dict[str, Any]:
    """Terms from a file and from FIELD=VALUE, the latter winning. Raises PermanentError(BAD_INPUT)."""
    told = parse(Path(path).read_text(encoding="utf-8"), path) if path else {}
    if not isinstance(told, dict):
        raise PermanentError(Reason.BAD_INPUT, f"{path}: give fields, such as min_posts: 10")
    for pair in pairs:
        field, sign, value = pair.partition("=")
        if not sign:
            raise PermanentError(Reason.BAD_INPUT, f"{pair}: write FIELD=VALUE, such as min_posts=10")
        told[field.strip()] = value.strip() if field.strip() == "quiet" else _value(value)
    return told


def moment(text: str, now: datetime) -> datetime:
    """A time, or a length from now. Raises PermanentError(BAD_INPUT)."""
    if found := _LENGTH.fullmatch(text.strip()):
        return now + timedelta(**{_UNITS[found[2]]: int(found[1])})
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError as error:
        told = f"{text!r} is no time: write 2026-05-01T08:00+02:00, or a length such as 30m, 4h, 2d"
        raise PermanentError(Reason.BAD_INPUT, told) from error
    if at.tzinfo is None:
        raise PermanentError(Reason.BAD_INPUT, f"{text!r} has no time zone: add one, such as +02:00 or Z")
    return at


def _value(text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise PermanentError(Reason.BAD_INPUT, f"{text!r} cannot be read as a value") from error


def _plain(rule: Rule, saved: dict[str, Any]) -> dict[str, Any]:
    keys = (
        "name", "frame", "budget", "min_posts", "min_authors", "min_units", "min_share", "min_promotes", "one_source",
        "enabled",
    )  # fmt: skip
    told = {k: getattr(rule, k) for k in keys} | {"factor": rule.growth.factor, "more_voices": rule.growth.more_voices}
    channels = list(rule.channels) if rule.channels else None
    return told | {"channels": channels, "quiet": saved.get(rule.name, {}).get("quiet"), "saved": rule.name in saved}
