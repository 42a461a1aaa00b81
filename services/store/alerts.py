"""Detection's rows: watches, verdicts, alerts, and the facts an evidence bundle is made of."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from psycopg.types.json import Jsonb

from services.store import posts
from services.store.pool import Connection, Row, one, row, rows, run

_VERDICT = (
    "bucket", "posts", "units", "expected", "upper", "probability", "coverage", "state", "alpha", "learned_s",
    "learned_from", "spike", "rise",
)  # fmt: skip
CLEAR = 0.5
"""Probability from which a post is named as one of the first of a frame: more likely than not.

A frame may count posts from far less on, which is right for counting and wrong for showing what it is.
"""


def claim_watches(connection: Connection, *, until: datetime, limit: int, lease: timedelta) -> list[Row]:
    """Frames not yet evaluated up to `until`, or whose past is not, leased.

    version_id, frame, evaluated_until, past_due, fence.
    """
    return rows(connection, "alerts", "claim_watches", until=until, limit=limit, lease=lease)


def settle_watch(connection: Connection, watch: Row, until: datetime) -> bool:
    """Detection of a frame has come to `until`; False when the lease went to somebody else."""
    values = {k: watch[k] for k in ("version_id", "frame", "fence")}
    return row(connection, "alerts", "settle_watch", until=until, **values) is not None


def add_verdicts(connection: Connection, version_id: int, frame: str, verdicts: Sequence[Mapping[str, Any]]) -> None:
    """Keep what was judged of each closed bucket."""
    if verdicts:
        values = {name: [v.get(name) for v in verdicts] for name in _VERDICT}
        run(connection, "alerts", "add_verdicts", version_id=version_id, frame=frame, **values)


def list_verdicts(
    connection: Connection, version_id: int, frame: str, *, since: datetime, until: datetime
) -> list[Row]:
    """What was judged of each bucket of a period."""
    values = {"version_id": version_id, "frame": frame, "since": since, "until": until}
    return rows(connection, "alerts", "list_verdicts", **values)


def judged_series(connection: Connection, version_id: int, frame: str, **period: Any) -> Row:
    """What was judged in a period (since, until, step), as lists: places (0 at `since`), expected, upper and state."""
    found = row(connection, "alerts", "judged_series", version_id=version_id, frame=frame, **period)
    return found or {}


def last_verdicts(connection: Connection) -> list[Row]:
    """The newest verdict of every current frame."""
    return rows(connection, "alerts", "last_verdicts")


def open_alert(connection: Connection, version_id: int, frame: str, *, rule: str, kind: str = "burst") -> Row | None:
    """The alert of a rule that goes on in a frame, under this or an earlier version of its codebook."""
    return row(connection, "alerts", "open_alert", version_id=version_id, frame=frame, rule=rule, kind=kind)


def orphans(connection: Connection, version_id: int, frame: str, rules: Sequence[str]) -> list[Row]:
    """Alerts that go on in a frame by other rules than these."""
    return rows(connection, "alerts", "orphans", version_id=version_id, frame=frame, rules=list(rules))


def left_behind(connection: Connection, horizon: timedelta) -> list[Row]:
    """Alerts of frames that no bucket can end: alert_id, last_bucket, gone (whether the frame left the codebook)."""
    return rows(connection, "alerts", "left_behind", horizon=horizon)


def gap_told(connection: Connection, since: datetime, until: datetime) -> bool:
    """Whether a gap that overlaps this stretch was raised before."""
    return row(connection, "alerts", "gap_told", since=since, until=until) is not None


def open_gap(connection: Connection) -> Row | None:
    """The gap in coverage that goes on."""
    return row(connection, "alerts", "open_gap")


def open_outage(connection: Connection, feed_id: int) -> Row | None:
    """The firing outage of a feed."""
    return row(connection, "alerts", "open_outage", feed_id=feed_id)


def raise_alert(connection: Connection, alert: Mapping[str, Any]) -> bool:
    """Raise an alert; False when this id was raised before."""
    values = {**alert, "evidence": Jsonb(alert["evidence"])}
    return row(connection, "alerts", "raise_alert", **values) is not None


def extend_alert(connection: Connection, alert_id: str, last_bucket: datetime) -> None:
    """The alert goes on."""
    run(connection, "alerts", "extend_alert", alert_id=alert_id, last_bucket=last_bucket)


def resolve_alert(
    connection: Connection, alert_id: str, *, last_bucket: datetime, now: datetime, by: str | None = None,
    why: str = "calm",
) -> bool:  # fmt: skip
    """The alert is over, because of `why`, or by whose hand; False when it was already."""
    told = {"last_bucket": last_bucket, "now": now, "by": by, "why": why}
    return row(connection, "alerts", "resolve_alert", alert_id=alert_id, **told) is not None


def list_alerts(
    connection: Connection, *, limit: int, frame: str | None = None, kind: str | None = None,
    over: bool | None = None, before: datetime | None = None, before_id: str | None = None,
) -> list[Row]:  # fmt: skip
    """Alerts, newest first: of a frame, of a kind, those that are over or those that go on."""
    values = {"frame": frame, "kind": kind, "over": over, "before": before, "before_id": before_id, "limit": limit}
    return rows(connection, "alerts", "list_alerts", **values)


def read_alert(connection: Connection, alert_id: str) -> Row | None:
    """One alert with its evidence."""
    return row(connection, "alerts", "read_alert", alert_id=alert_id)


def alert_counts(connection: Connection, **period: Any) -> Row:
    """Posts, texts, units, authors and publishers of a frame in a period."""
    return one(connection, "alerts", "alert_counts", **_held(connection, period))


def alert_sources(connection: Connection, **period: Any) -> list[Row]:
    """Posts by source, most first."""
    return rows(connection, "alerts", "alert_sources", **{"unit_key": None, **period})


def alert_languages(connection: Connection, **period: Any) -> list[Row]:
    """Posts by language, most first."""
    return rows(connection, "alerts", "alert_languages", **{"unit_key": None, **period})


def alert_links(connection: Connection, **period: Any) -> list[Row]:
    """The links named most."""
    return rows(connection, "alerts", "alert_links", **_held(connection, period))


def first_carriers(connection: Connection, **period: Any) -> list[Row]:
    """The earliest post of each of the first authors, of the clear ones where there are any."""
    return rows(connection, "alerts", "first_carriers", **{"clear": CLEAR, **_held(connection, period)})


def typical_posts(connection: Connection, **period: Any) -> list[Row]:
    """The surest posts, one a text."""
    return rows(connection, "alerts", "typical_posts", **_held(connection, period))


def _held(connection: Connection, period: Mapping[str, Any]) -> Row:
    days = period.get("days") or posts.days_received(connection, period["since"], period["until"])
    return {"unit_key": None, **period, "days": days}


def waves_past(connection: Connection, frame: str, before: datetime) -> list[Row]:
    """Coordinated alerts of a frame that nothing was added to since `before`."""
    return rows(connection, "alerts", "waves_past", frame=frame, before=before)


def failing_feeds(connection: Connection, failures: int) -> list[Row]:
    """Feeds that failed `failures` times in a row, silent senders, and those whose outage is still open."""
    return rows(connection, "alerts", "failing_feeds", failures=failures)


def watch_positions(connection: Connection) -> list[Row]:
    """How far detection of every current frame has come: version_id, frame, evaluated_until."""
    return rows(connection, "alerts", "watch_positions")


def facts(connection: Connection, *, clear: float = CLEAR, **period: Any) -> dict[str, Any]:
    """All that an evidence bundle tells about a frame in a period; first carriers are those from `clear` on."""
    held = _held(connection, period)
    return {
        "counts": alert_counts(connection, **held),
        "sources": alert_sources(connection, **period),
        "languages": alert_languages(connection, **period),
        "links": alert_links(connection, **held),
        "first_carriers": first_carriers(connection, clear=clear, **held),
        "typical": typical_posts(connection, **held),
    }
