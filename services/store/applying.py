"""Makes a codebook, or an old version of it, current: at once where nothing is to be scored, else when that is done.

It decides which version is built and writes the audit; scoring is the stage rescore's. Readers switch in one moment.
"""

from datetime import datetime
from typing import Any

from schemas import codebook as files
from schemas.codebook import Codebook, InlineRule
from schemas.errors import PermanentError, Reason
from services.store import changes, codebooks, counts, deliveries, rescoring, rules, scores
from services.store.pool import Connection, Row

FORGOTTEN = 100_000
"""Rows of a table deleted at once, where a version is asked back while upkeep is at it."""


def apply(
    tx: Connection, text: str, now: datetime, *, name: str = "codebook", by: str = "", again: bool = False
) -> tuple[Codebook, Row]:  # fmt: skip
    """Add the next version of a codebook from YAML; (what it says, its row with `posts` to be scored again).

    Text equal to the current version's, or to the one being built, adds nothing (`posts` is 0) unless it is asked
    `again`: it is then learned anew, from what was heard meanwhile. `by` is who asks.
    Raises PermanentError(BAD_CODEBOOK) as `schemas.codebook.parse` does, and for a rule or channel that is not there.
    """
    read = files.parse(text, name)
    _check_rules(tx, read, name)
    codebooks.lock_codebooks(tx)
    standing = _standing(tx, read.codebook)
    newest = standing.get("building") or standing.get("current")
    if newest and newest["body"] == text and not again:
        return read, {**newest, "posts": 0}
    _overtake(tx, read.codebook, now)
    stored = counts.totals(tx)["posts"]
    version_id, version = codebooks.add_codebook(
        tx, codebook=read.codebook, title=read.title, body=text, state="building", now=now
    )
    codebooks.add_frames(tx, version_id, [_about(frame) for frame in read.frames])
    posts = rescoring.plan_ranges(tx, version_id) if stored else 0
    _note(
        tx, "apply", standing.get("current"), (version_id, version), codebook=read.codebook, by=by, now=now, posts=posts
    )
    state = "building" if posts else _switched(tx, version_id, now)
    return read, {"version_id": version_id, "version": version, "state": state, "posts": posts}


def apply_if_missing(tx: Connection, text: str, now: datetime) -> None:
    """Apply a codebook unless one is there."""
    if not codebooks.list_codebooks(tx):
        apply(tx, text, now)


def rollback(
    tx: Connection, codebook: str | None = None, *, now: datetime, to: int | None = None, by: str = ""
) -> Row:  # fmt: skip
    """Bring back version `to` of a codebook (default: the one before; while one is being built, that is given up).

    Its scores stand as they were; posts that came or changed since are scored first. Returns codebook, version, state
    (`current`, or `building` while `posts` are scored) and posts. `codebook` may be left out when there is one.
    Raises PermanentError(NOT_FOUND) for a codebook or version that is not there, BAD_INPUT for the current one.
    """
    codebooks.lock_codebooks(tx)
    name = codebook or _only(tx)
    standing = _standing(tx, name)
    current = standing.get("current")
    if current and "building" in standing and to in (None, current["version"]):
        _overtake(tx, name, now)
        return {"codebook": name, "version": current["version"], "state": "current", "posts": 0}
    target = _target(tx, name, current, to)
    _overtake(tx, name, now)
    version_id = target["version_id"]
    if not target["kept"]:
        while rescoring.forget_rows(tx, FORGOTTEN) == FORGOTTEN:
            pass
    scores.unscore_version(tx, version_id, rescoring.take_stale(tx, version_id))
    codebooks.build_again(tx, version_id)
    posts = rescoring.plan_ranges(tx, version_id)
    _note(tx, "rollback", current, (version_id, target["version"]), codebook=name, by=by, now=now, posts=posts)
    state = "building" if posts else _switched(tx, version_id, now)
    return {"codebook": name, "version": target["version"], "state": state, "posts": posts}


def progress(tx: Connection, codebook: str | None = None) -> list[Row]:
    """What is being built: codebook, kind, from_version, to_version, posts (to score in all), done, share (0 to 1) …"""
    found = changes.building_changes(tx, codebook)
    return [{**r, "share": r["done"] / r["posts"] if r["posts"] else 1.0} for r in found]


def promote(tx: Connection, now: datetime) -> int:
    """Let readers see every version whose history is scored; how many. Hold the codebooks alone before."""
    built = codebooks.built_codebooks(tx)
    for version in built:
        version_id = version["version_id"]
        codebooks.copy_watches(tx, version_id)
        codebooks.retire_current(tx, version["codebook"])
        codebooks.make_current(tx, version_id, now)
        changes.end_change(tx, version_id, "done", now, changes.moved_posts(tx, version["current_id"], version_id))
        rescoring.forget_ranges(tx, version_id)
    return len(built)


def _note(tx: Connection, kind: str, before: Row | None, after: tuple[int, int], **told: Any) -> None:
    """The audit's row; `after` is version_id and version."""
    from_version = before["version"] if before else None
    changes.add_change(tx, kind=kind, from_version=from_version, version_id=after[0], to_version=after[1], **told)


def _switched(tx: Connection, version_id: int, now: datetime) -> str:
    promote(tx, now)
    return next(str(v["state"]) for v in codebooks.list_codebooks(tx) if v["version_id"] == version_id)


def _standing(tx: Connection, codebook: str) -> dict[str, Row]:
    """The current version of a codebook and the one being built, as far as there are."""
    return {v["state"]: v for v in codebooks.codebooks_in_service(tx) if v["codebook"] == codebook}


def _overtake(tx: Connection, codebook: str, now: datetime) -> None:
    """Give up what is being built of a codebook."""
    building = _standing(tx, codebook).get("building")
    if building:
        codebooks.retire_building(tx, codebook)
        changes.end_change(tx, building["version_id"], "overtaken", now)
        rescoring.forget_ranges(tx, building["version_id"])


def _only(tx: Connection) -> str:
    found = sorted({v["codebook"] for v in codebooks.list_codebooks(tx)})
    if len(found) == 1:
        return str(found[0])
    told = f"there are several codebooks, name one: {', '.join(found)}" if found else "no codebook has been applied yet"
    raise PermanentError(Reason.NOT_FOUND, told)


def _target(tx: Connection, name: str, current: Row | None, to: int | None) -> Row:
    if current and current["version"] == to:
        raise PermanentError(Reason.BAD_INPUT, f"{name} version {to} is the current one already")
    found = codebooks.last_current(tx, name) if to is None else codebooks.find_codebook(tx, name, to)
    if found is None:
        which = "an earlier version" if to is None else f"a version {to}"
        raise PermanentError(Reason.NOT_FOUND, f"the codebook {name} has not {which}; see: framewatch codebook list")
    return found


def _about(frame: files.Frame) -> dict[str, Any]:
    """What is kept of a frame as columns; its posts stay in the text of the version."""
    said = frame.model_dump(mode="json", exclude={"examples", "counterexamples"}, exclude_defaults=True)
    return {"id": frame.id, "title": frame.title, "description": frame.description, **said}


def _check_rules(tx: Connection, read: Codebook, name: str) -> None:
    """Raises PermanentError(BAD_CODEBOOK) for a frame whose rule, or a channel of it, is not there."""
    saved = {r["name"] for r in rules.list_rules(tx)} | {rules.DEFAULT}
    channels = {c["name"] for c in deliveries.list_channels(tx)}
    for frame in read.frames:
        if isinstance(frame.rule, str) and frame.rule not in saved:
            told = f"there is no rule {frame.rule}; save it: framewatch alerts rules set {frame.rule} min_posts=10"
            raise PermanentError(Reason.BAD_CODEBOOK, f"{name}: frame {frame.id}: {told}")
        unknown = sorted(set(frame.rule.channels or ()) - channels) if isinstance(frame.rule, InlineRule) else []
        if unknown:
            told = f"there is no channel {', '.join(unknown)}; add it: framewatch channels add"
            raise PermanentError(Reason.BAD_CODEBOOK, f"{name}: frame {frame.id}: {told}")
