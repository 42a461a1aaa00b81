"""framewatch alerts: list and show them, say what is to become of them, and try rules on stored history."""

from dataclasses import asdict
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from schemas.errors import PermanentError, Reason
from schemas.rule import check
from services.analysis.alerting import Rule
from services.analysis.courses import MESSAGES, STEPS, as_told
from services.analysis.naming import many
from services.cli import house
from services.cli.alert_rules import default_rule, moment, rules, terms_given
from services.cli.progress import progress
from services.store import alerts as rows
from services.store import announcing, codebooks, deliveries, histories
from services.store import rules as rule_rows
from services.store.dry_run import MAX_DAYS, dry_run
from services.store.rechecks import recheck
from services.store.sharing import stix_of

AS_JSON = click.option("--json", "as_json", is_flag=True, help="For another program to read.")


@click.group()
def alerts() -> None:
    """List alerts, show one with its evidence, silence them, and try rules."""


alerts.add_command(rules)


@alerts.command(name="list")
@click.option("--frame", default=None, help="Only alerts of this frame.")
@click.option("--open", "only_open", is_flag=True, help="Only those that go on.")
@click.option("--limit", default=20, show_default=True)
@AS_JSON
def list_alerts(*, frame: str | None, only_open: bool, limit: int, as_json: bool) -> None:
    """The newest alerts."""
    now = house.now()
    with house.transaction() as tx:
        found = rows.list_alerts(tx, limit=limit, frame=frame, over=False if only_open else None)
        if frame is not None and not found:
            rule_rows.check_muted(tx, frame=frame, feed_id=None)
    if as_json:
        house.echo_json(found)
        return
    if not found:
        click.echo("No alert goes on." if only_open else "No alert was raised yet.")
    for alert in found:
        click.echo(f"{alert['alert_id']}  {as_told(alert, now):8} {alert['reason']}")


@alerts.command()
@click.argument("alert_id")
@AS_JSON
@click.option("--stix", "as_stix", is_flag=True, help="As a STIX 2.1 bundle: for OpenCTI, MISP and the like.")
def show(*, alert_id: str, as_json: bool, as_stix: bool) -> None:
    """One alert with its evidence and everything that happened to it."""
    if as_stix:
        with house.transaction() as tx:
            house.echo_json(stix_of(tx, alert_id))
        return
    with house.transaction() as tx:
        alert = rows.read_alert(tx, alert_id)
        if alert is None:
            raise PermanentError(Reason.NOT_FOUND, f"there is no alert {alert_id}; see: framewatch alerts list")
        alert["deliveries"] = deliveries.deliveries_of_alert(tx, alert_id)
        alert["history"] = [asdict(step) for step in histories.history(tx, alert)]
    if as_json:
        house.echo_json(alert)
        return
    from services.channels.rendering import render_text

    click.echo(f"{alert_id} {as_told(alert, house.now())}.\n")
    click.echo(render_text("alert", {**alert["evidence"], "state": alert["state"]}))
    table = Table("when, UTC", "what", "who or where", "why", box=None, pad_edge=False)
    for step in alert["history"]:
        when = f"{step['at']:%d %b %Y %H:%M}" if step["at"] else "?"
        until = f" until {step['until']:%d %b %Y %H:%M}" if step["until"] and step["what"] != "waiting" else ""
        message = f" {MESSAGES[step['message']]}" if step["message"] else ""
        what = f"{STEPS[step['what']]}{message}{until}"
        table.add_row(when, what, step["by"] or step["channel"] or "", step["why"] or "")
    Console().print(table)


@alerts.command()
@click.argument("alert_id")
def ack(alert_id: str) -> None:
    """Say that somebody has ALERT_ID in hand: nothing more is told of it until it is over."""
    with house.transaction() as tx:
        announcing.ack(tx, alert_id, house.now(), house.who())
    click.echo(f"{alert_id} is acknowledged; its end will still be told.")


@alerts.command()
@click.argument("alert_id")
@click.option("--until", required=True, help="A time such as 2026-05-01T08:00+02:00, or a length: 30m, 4h, 2d.")
def snooze(*, alert_id: str, until: str) -> None:
    """Say nothing of ALERT_ID until a time."""
    now = house.now()
    with house.transaction() as tx:
        at = announcing.snooze(tx, alert_id, moment(until, now), now=now, by=house.who())["snoozed_until"]
    click.echo(f"{alert_id} is snoozed until {at:%d %b %Y %H:%M} UTC.")


@alerts.command()
@click.argument("alert_id")
def resolve(alert_id: str) -> None:
    """End ALERT_ID by hand; the same burst is not raised again."""
    with house.transaction() as tx:
        announcing.end_by_hand(tx, alert_id, default=default_rule(), now=house.now(), by=house.who())
    click.echo(f"{alert_id} is over: ended by hand.")


@alerts.command()
@click.option("--frame", default=None, help="Id of a frame.")
@click.option("--feed", "feed_id", type=int, default=None, help="Number of a feed, as `feeds list` has it.")
@click.option("--until", default=None, help="A time, or a length: 30m, 4h, 2d. Default: for good.")
def mute(*, frame: str | None, feed_id: int | None, until: str | None) -> None:
    """Tell nobody of a frame or a feed; alerts are still raised and kept."""
    _one(frame, feed_id)
    now = house.now()
    with house.transaction() as tx:
        rule_rows.check_muted(tx, frame=frame, feed_id=feed_id)
        ends = moment(until, now) if until else None
        if ends is not None and ends <= now:
            raise PermanentError(Reason.BAD_INPUT, "mute until a time that is still to come")
        rule_rows.add_mute(tx, frame=frame, feed_id=feed_id, until=ends, now=now, by=house.who())
    click.echo(f"Muted {frame or f'feed {feed_id}'}{f' until {ends:%d %b %Y %H:%M} UTC' if ends else ''}.")


@alerts.command()
@click.option("--frame", default=None, help="Id of a frame.")
@click.option("--feed", "feed_id", type=int, default=None, help="Number of a feed.")
def unmute(*, frame: str | None, feed_id: int | None) -> None:
    """Speak of a frame or a feed again."""
    _one(frame, feed_id)
    with house.transaction() as tx:
        ended = rule_rows.end_mutes(tx, frame=frame, feed_id=feed_id, now=house.now(), by=house.who())
        if not ended:
            rule_rows.check_muted(tx, frame=frame, feed_id=feed_id)
    click.echo(f"Speaking of {frame or f'feed {feed_id}'} again." if ended else "It was not muted.")


@alerts.command(name="recheck")
@click.argument("alert_id")
@AS_JSON
def recheck_alert(*, alert_id: str, as_json: bool) -> None:
    """Recompute the evidence of ALERT_ID from stored data, and say what differs and why."""
    with house.transaction() as tx:
        found = recheck(tx, alert_id)
    if as_json:
        house.echo_json(found)
        return
    for row in found["differences"]:
        click.echo(f"{row['field']}: {row['told']}")
    if not found["differences"]:
        click.echo("Stored data says the same as when it fired.")
        return
    causes = found["causes"]
    click.echo(
        f"Since it fired, {many(causes['late_arrivals'], 'post')} of that time came late and "
        f"{many(causes['deleted_since'], 'post')} were deleted, of any frame."
    )


@alerts.command(name="dry-run")
@click.option("--rule", "name", default="burst", show_default=True, help="A saved rule, or a new one's name.")
@click.option("--days", type=click.IntRange(1, MAX_DAYS), default=30, show_default=True)
@click.option("--file", "path", type=click.Path(exists=True, dir_okay=False), help="Its terms, YAML or JSON.")
@click.argument("terms", nargs=-1, metavar="[FIELD=VALUE...]")
@AS_JSON
def dry_run_rule(*, name: str, days: int, path: str | None, terms: tuple[str, ...], as_json: bool) -> None:
    """What a rule, as saved or as given here, would have fired on stored history. Nothing is saved or sent."""
    given = terms_given(path, terms)
    with house.transaction() as tx:
        default = default_rule()
        rule: Rule = (
            rule_rows.checked(tx, name, check(given, name), default) if given else rule_rows.named(tx, name, default)
        )
        with progress("frames", 1 if rule.frame else len(codebooks.list_frames(tx))) as tell:
            found = dry_run(tx, rule, days=days, wall=house.now(), tell=tell)
    if as_json:
        house.echo_json(found)
        return
    _tell(found)


def _tell(found: dict[str, Any]) -> None:
    times, again = len(found["firings"]), found["again_within_a_day"]
    often = {0: "not have fired", 1: "have fired once"}.get(times, f"have fired {many(times, 'time')}")
    soon = f"; {again} of them within a day of the one before" if again else ""
    click.echo(
        f"{found['rule']} would {often} in the {many(found['days'], 'day')} until "
        f"{found['until']:%d %b %Y %H:%M} UTC, over {many(found['frames'], 'frame')}{soon}."
    )
    for firing in found["firings"]:
        click.echo(f"{firing['fired_at']:%d %b %Y %H:%M}  {firing['reason']}")


def _one(frame: str | None, feed_id: int | None) -> None:
    if (frame is None) == (feed_id is None):
        raise PermanentError(Reason.BAD_INPUT, "name one of them: --frame ID or --feed NUMBER")
