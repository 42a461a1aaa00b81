"""Alert rules and mutes as rows, and the rules in force read from them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from schemas.errors import PermanentError, Reason
from schemas.rule import RuleTerms, check
from services.analysis.alerting import Rule, rules_for, with_terms
from services.analysis.naming import many
from services.store import codebooks, deliveries, feeds
from services.store.pool import Connection, Row, one, row, rows, run

DEFAULT = Rule().name
"""Name of the rule of the settings."""


def list_rules(connection: Connection) -> list[Row]:
    """Saved rules: name, terms, changed_at."""
    return rows(connection, "rules", "list_rules")


def set_rule(connection: Connection, name: str, terms: Mapping[str, Any], now: datetime) -> None:
    """Save a rule, or change the one of this name."""
    run(connection, "rules", "set_rule", name=name, terms=Jsonb(dict(terms)), now=now)


def remove_rule(connection: Connection, name: str) -> bool:
    """Forget a rule; False when there is none."""
    return row(connection, "rules", "remove_rule", name=name) is not None


def add_mute(
    connection: Connection, *, frame: str | None, feed_id: int | None, until: datetime | None, now: datetime, by: str
) -> int:
    """Say nothing of a frame or a feed any more, until then or for good; our number of the mute."""
    told = {"frame": frame, "feed_id": feed_id, "until": until, "now": now, "by": by}
    made: int = one(connection, "rules", "add_mute", **told)["mute_id"]
    return made


def end_mute(connection: Connection, mute_id: int, *, now: datetime, by: str) -> bool:
    """Speak of it again; False when there is no such mute in force."""
    return row(connection, "rules", "end_mute", mute_id=mute_id, now=now, by=by) is not None


def end_mutes(connection: Connection, *, frame: str | None, feed_id: int | None, now: datetime, by: str) -> int:
    """Speak of it again; how many mutes were ended."""
    return len(rows(connection, "rules", "end_mutes", frame=frame, feed_id=feed_id, now=now, by=by))


def list_mutes(connection: Connection, now: datetime) -> list[Row]:
    """Mutes in force: frame or feed_id, until, made_at."""
    return rows(connection, "rules", "list_mutes", now=now)


def in_force(connection: Connection, default: Rule) -> list[Rule]:
    """Every rule there is: the saved ones, `default` unless one has its name, and those that frames bring along.

    A frame's own rule is named as the frame; one that it names decides for it under that name. A saved rule that
    names the frame goes before both.
    """
    every = _saved(connection, default)
    taken = {r.frame for r in every}
    frames = [f for f in codebooks.list_frames(connection) if f["frame"] not in taken]
    own = (_own(f["frame"], f["details"].get("rule"), every, default) for f in frames)
    return [*every, *(rule for rule in own if rule is not None)]


def deciding(connection: Connection, frame: str, default: Rule) -> list[Rule]:
    """The rules that decide for a frame."""
    return rules_for(frame, in_force(connection, default))


def deciding_as(connection: Connection, frame: str, told: Any, default: Rule) -> list[Rule]:
    """The rules that would decide for a frame whose codebook said `told` of its rule (a name, terms, or None)."""
    every = _saved(connection, default)
    own = None if any(r.frame == frame for r in every) else _own(frame, told, every, default)
    return rules_for(frame, every if own is None else [*every, own])


def _saved(connection: Connection, default: Rule) -> list[Rule]:
    saved = [with_terms(r["name"], check(r["terms"], r["name"]), default) for r in list_rules(connection)]
    return saved if any(r.name == default.name for r in saved) else [default, *saved]


def _own(frame: str, told: Any, every: Sequence[Rule], default: Rule) -> Rule | None:
    if isinstance(told, dict):
        return replace(with_terms(frame, check(told, frame), default), frame=frame)
    found = next((r for r in every if r.name == told), None)
    return None if found is None else replace(found, frame=frame)


def named(connection: Connection, name: str, default: Rule) -> Rule:
    """The rule of a name. Raises PermanentError(NOT_FOUND)."""
    for rule in in_force(connection, default):
        if rule.name == name:
            return rule
    raise PermanentError(Reason.NOT_FOUND, f"there is no rule {name}; see: framewatch alerts rules list")


def checked(connection: Connection, name: str, terms: RuleTerms, default: Rule) -> Rule:
    """The rule as it would be in force. Raises PermanentError(BAD_INPUT) for one that cannot be."""
    frames = {f["frame"] for f in codebooks.list_frames(connection)}
    if terms.frame is not None and terms.frame not in frames:
        known = ", ".join(sorted(frames)) or "none; apply a codebook first"
        raise PermanentError(Reason.BAD_INPUT, f"rule {name}: there is no frame {terms.frame}; known are: {known}")
    channels = {c["name"] for c in deliveries.list_channels(connection)}
    unknown = sorted(set(terms.channels or ()) - channels)
    if unknown:
        known = ", ".join(sorted(channels)) or "none; add one: framewatch channels add"
        raise PermanentError(
            Reason.BAD_INPUT, f"rule {name}: there is no channel {', '.join(unknown)}; known are: {known}"
        )
    rule = with_terms(name, terms, default)
    for wanted, field in ((rule.min_authors, "min_authors"), (rule.min_units, "min_units")):
        if wanted > rule.min_posts:
            raise PermanentError(
                Reason.BAD_INPUT,
                f"rule {name}: {field} {wanted} cannot stand behind {many(rule.min_posts, 'post')}; raise min_posts",
            )
    return rule


def check_muted(connection: Connection, *, frame: str | None, feed_id: int | None) -> None:
    """Raises PermanentError(NOT_FOUND) for a frame or a feed that there is not."""
    if frame is not None and frame not in {f["frame"] for f in codebooks.list_frames(connection)}:
        raise PermanentError(Reason.NOT_FOUND, f"there is no frame {frame}; see: framewatch codebook list")
    if feed_id is not None and feed_id not in {f["feed_id"] for f in feeds.list_feeds(connection)}:
        raise PermanentError(Reason.NOT_FOUND, f"there is no feed {feed_id}; see: framewatch feeds list")
