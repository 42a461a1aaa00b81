"""Posts, alerts, feeds, codebooks and digests as the faces list them, put together once for all. It writes nothing."""

import re
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from schemas import wire, wire_digests, wire_feeds
from schemas.errors import PermanentError, Reason
from schemas.wire_history import AlertStep
from services.analysis import slots
from services.analysis.confidential import feed_told
from services.analysis.health import health
from services.store import alerts, codebooks, deliveries, digesting, feeds, histories, pages, posts, readings, versions
from services.store.pool import Connection, Row

_ALERT_ID = re.compile("[0-9a-f]{20}")


def read_posts(
    connection: Connection, wall: datetime, *, frame: str | None = None, since: datetime | None = None,
    until: datetime | None = None, **filters: Any,
) -> wire.PostPage:  # fmt: skip
    """Posts newest first, without `next`; filters: codebook, version, source, lang, q (words), stance, before,
    before_id, limit. Of an old version, posts of the time when it was scored, with the frames they had.

    Raises PermanentError: NOT_FOUND, or BAD_INPUT for a stance without a frame.
    """
    present = feeds.present(connection, wall)
    codebook, version = filters.pop("codebook", None), filters.pop("version", None)
    if frame is None and codebook is None and version is None and not codebooks.current_codebooks(connection):
        about: Row = {"version_id": None, "codebook": None, "version": None}
    else:
        about = versions.frame_asked(connection, frame or readings.EVERYTHING, codebook, version)
    until = versions.until_of(about, until)
    since = since or readings.floor(about.get("ends") or present, readings.BUCKET) - readings.PERIOD
    wanted = None if frame in (None, readings.EVERYTHING) else frame
    stance = filters.pop("stance", None)
    if stance is not None and wanted is None:
        raise PermanentError(Reason.BAD_INPUT, "stance is of a frame: name one beside stance")
    filters |= {} if stance is None else {"stance": stance}
    about_posts: dict[str, Any] = {"version_id": about["version_id"], "frame": wanted, "near": present}
    found = pages.list_posts(connection, **about_posts, since=since, until=until, **filters)
    about = {k: about[k] for k in ("codebook", "version")}
    return wire.PostPage(
        present=present, since=since, until=until, posts=tuple(map(post_told, found)), next=None, **about
    )


def read_post(connection: Connection, post_id: int) -> wire.Post:
    """One post, with its frames of the first current codebook. Raises PermanentError(NOT_FOUND)."""
    current = codebooks.current_codebooks(connection)
    row = posts.read_post(connection, post_id, current[0]["version_id"] if current else None)
    if row is None:
        raise PermanentError(Reason.NOT_FOUND, f"there is no post {post_id}; see: framewatch posts list")
    return post_told(row)


def post_told(row: Row) -> wire.Post:
    """A row of posts as faces tell it."""
    told = {"uncertain": row["uncertain"] or (), "stances": row["stances"] or {}}
    return wire.Post(**readings.fields_of(wire.Post, {**row, **told}))


def read_alerts(connection: Connection, wall: datetime, **page: Any) -> wire.AlertPage:
    """Alerts newest first, without `next`; page: limit, frame, kind, over, before, before_id."""
    found = tuple(wire.AlertLine(**a) for a in alerts.list_alerts(connection, **page))
    return wire.AlertPage(present=feeds.present(connection, wall), alerts=found, next=None)


def read_alert(connection: Connection, wall: datetime, alert_id: str) -> wire.Alert:
    """One alert with evidence, deliveries and its counts as they are now. Raises PermanentError(NOT_FOUND)."""
    check_alert_id(alert_id)
    row = alerts.read_alert(connection, alert_id)
    if row is None:
        raise _no_alert()
    present = feeds.present(connection, wall)
    evidence = row["evidence"]
    book = evidence.get("codebook") or {}
    burst = row["kind"] == "burst"
    sent = tuple(wire.Delivery(**d) for d in deliveries.deliveries_of_alert(connection, alert_id))
    about = {
        "codebook": book.get("id") if row["frame"] else None, "version": book.get("version") if row["frame"] else None,
        "title": (evidence.get("frame") or {}).get("title"), "reason": evidence.get("reason"), "deliveries": sent,
        "live": _live(connection, row, present) if burst else None, "present": present,
        "history": tuple(AlertStep(**asdict(step)) for step in histories.history(connection, row)),
    }  # fmt: skip
    return wire.Alert(**readings.fields_of(wire.Alert, {**row, **about}))


def check_alert_id(alert_id: str) -> None:
    """Raises PermanentError(NOT_FOUND) for what cannot be an alert's id."""
    if not _ALERT_ID.fullmatch(alert_id):
        raise _no_alert()


def _no_alert() -> PermanentError:
    return PermanentError(Reason.NOT_FOUND, "there is no alert of this id")


def _live(connection: Connection, row: Row, present: datetime) -> wire.Live:
    """The counts of the episode now, under the version of the codebook that readers see, if it has the frame."""
    step = timedelta(seconds=row["evidence"].get("step_seconds") or 3600)
    until = row["last_bucket"] + step if row["state"] == "resolved" else readings.last_hours(present, step)[1]
    book = (row["evidence"].get("codebook") or {}).get("id")
    seen = [f for f in codebooks.list_frames(connection) if f["codebook"] == book and f["frame"] == row["frame"]]
    version_id = seen[0]["version_id"] if seen else row["version_id"]
    period = {"since": row["onset"], "until": until}
    counts = alerts.alert_counts(connection, version_id=version_id, frame=row["frame"], **period)
    return wire.Live(**period, **counts)


def read_feeds(connection: Connection, wall: datetime) -> wire_feeds.Feeds:
    """Every feed, without passwords."""
    rows = ({**feed_told(f), "health": health(f, wall)} for f in feeds.list_feeds(connection))
    found = tuple(wire_feeds.Feed(**readings.fields_of(wire_feeds.Feed, f)) for f in rows)
    return wire_feeds.Feeds(present=feeds.present(connection, wall), feeds=found)


def read_feed(connection: Connection, wall: datetime, feed_id: int) -> wire_feeds.FeedHealth:
    """One feed, how far behind it is and what became of what it brought. Raises PermanentError(NOT_FOUND)."""
    row = next((f for f in feeds.list_feeds(connection) if f["feed_id"] == feed_id), None)
    if row is None:
        raise PermanentError(Reason.NOT_FOUND, f"there is no feed {feed_id}")
    present = feeds.present(connection, wall)
    heard = row["heard_until"]
    told = {
        **feed_told(row), "present": present, "health": health(row, wall),
        "lag_s": None if heard is None else max((present - heard).total_seconds(), 0.0),
        "coverage": readings.heard_from(connection, feed_id, present), "intake": feeds.intake_of(connection, feed_id),
    }  # fmt: skip
    return wire_feeds.FeedHealth(**readings.fields_of(wire_feeds.FeedHealth, told))


def read_codebooks(connection: Connection, wall: datetime) -> wire.Codebooks:
    """Every version of every codebook, the frames of the current ones named."""
    named: dict[int, list[str]] = {}
    for frame in codebooks.list_frames(connection):
        named.setdefault(frame["version_id"], []).append(frame["frame"])
    found = codebooks.list_codebooks(connection)
    told = (
        readings.fields_of(wire.CodebookVersion, {**c, "frames": tuple(named.get(c["version_id"], ()))}) for c in found
    )
    books = tuple(wire.CodebookVersion(**c) for c in told)
    return wire.Codebooks(present=feeds.present(connection, wall), codebooks=books)


def read_last_digest(connection: Connection, wall: datetime) -> wire.Digest:
    """The newest digest. Raises PermanentError(NOT_FOUND) before there is one."""
    row = deliveries.last_digest(connection)
    if row is None:
        raise PermanentError(Reason.NOT_FOUND, "no digest has been composed yet")
    return wire.Digest(present=feeds.present(connection, wall), **row)


def read_digests(connection: Connection, wall: datetime) -> wire_digests.Digests:
    """Every digest, with its last slot and its next."""
    found = []
    for row in deliveries.list_digests(connection):
        following = slots.after(row["schedule"], row["timezone"], wall)
        told = readings.fields_of(wire_digests.DigestSchedule, {**row, "next_slot": following})
        found.append(wire_digests.DigestSchedule(**told))
    return wire_digests.Digests(digests=tuple(found))


def preview_digest(connection: Connection, wall: datetime) -> wire.Digest:
    """The digest of the day before the present. Raises PermanentError(NOT_FOUND) while no codebook is current."""
    present = feeds.present(connection, wall)
    body = digesting.read_digest(connection, digesting.Edition("preview", present, present - readings.DAY, "UTC"))
    if body is None:
        raise PermanentError(Reason.NOT_FOUND, "no codebook is current yet, so there is nothing to tell")
    return wire.Digest(present=present, digest="preview", slot=present, composed_at=wall, body=body)
