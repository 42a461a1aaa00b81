"""Feeds: rows, leases, cursors, and the spans they were expected and heard in."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from psycopg.types.json import Jsonb

from schemas.records import Feed
from services.store.pool import Connection, Row, one, row, rows, run


def add_feed(
    connection: Connection, *, source: str, address: str, title: str, now: datetime, interval_s: int,
    clock: str = "wall", options: Mapping[str, Any] | None = None,
) -> tuple[int, bool]:  # fmt: skip
    """Add a feed, due at once; (feed_id, whether it is new)."""
    values = {"source": source, "address": address, "title": title, "now": now, "interval_s": interval_s}
    added = one(connection, "feeds", "add_feed", clock=clock, options=Jsonb(dict(options or {})), **values)
    if clock == "wall":
        expect_feed(connection, added["feed_id"], now)
    return added["feed_id"], added["added"]


def expect_feed(connection: Connection, feed_id: int, now: datetime) -> None:
    """From now on the feed should be heard."""
    run(connection, "feeds", "expect_feed", feed_id=feed_id, now=now)


def stop_expecting_feed(connection: Connection, feed_id: int, now: datetime) -> None:
    """From now on the feed's silence is no gap."""
    run(connection, "feeds", "stop_expecting_feed", feed_id=feed_id, now=now)


def set_feed_state(connection: Connection, feed_id: int, state: str, now: datetime) -> bool:
    """Enable, pause or end a feed; False when there is none."""
    return row(connection, "feeds", "set_feed_state", feed_id=feed_id, state=state, now=now) is not None


def delete_feed(connection: Connection, feed_id: int) -> bool:
    """Forget a feed (its posts stay); False when there is none."""
    return row(connection, "feeds", "delete_feed", feed_id=feed_id) is not None


def list_feeds(connection: Connection) -> list[Row]:
    """Every feed with its health."""
    return rows(connection, "feeds", "list_feeds")


def claim_feeds(connection: Connection, *, limit: int, lease: timedelta) -> list[Feed]:
    """Due feeds, leased to the caller."""
    return [_feed(r) for r in rows(connection, "feeds", "claim_feeds", limit=limit, lease=lease)]


def settle_feed(connection: Connection, feed: Feed, **values: Any) -> bool:
    """Write cursor, position and next fetch; False when the lease went to somebody else."""
    values["cursor"] = Jsonb(dict(values["cursor"]))
    found = row(connection, "feeds", "settle_feed", feed_id=feed.feed_id, fence=feed.fence, **values)
    return found is not None


def add_intake(connection: Connection, feed_id: int, outcomes: Mapping[str, int]) -> None:
    """Count what became of fetched posts."""
    told = {k: v for k, v in outcomes.items() if v}
    run(connection, "feeds", "add_intake", feed_id=feed_id, outcomes=list(told), posts=list(told.values()))


def add_heard(connection: Connection, feed_id: int, starts_at: datetime, ends_at: datetime) -> None:
    """The feed was heard in this span; it joins the span before when they touch."""
    if not extend_heard(connection, feed_id, starts_at, ends_at):
        run(connection, "feeds", "add_heard", feed_id=feed_id, starts_at=starts_at, ends_at=ends_at)


def extend_heard(connection: Connection, feed_id: int, starts_at: datetime, ends_at: datetime) -> bool:
    """Lengthen the feed's last span when this one touches it; False when it does not."""
    span = {"feed_id": feed_id, "starts_at": starts_at, "ends_at": ends_at}
    return row(connection, "feeds", "extend_heard", **span) is not None


def extend_expected(connection: Connection, feed_id: int, starts_at: datetime, ends_at: datetime) -> None:
    """A feed with a clock of its own is expected as far as it has come."""
    run(connection, "feeds", "extend_expected", feed_id=feed_id, starts_at=starts_at, ends_at=ends_at)


def spans(connection: Connection, since: datetime, until: datetime) -> list[Row]:
    """Expected and heard spans that touch a period: feed_id, kind, starts_at, ends_at."""
    return rows(connection, "feeds", "spans", since=since, until=until)


def present(connection: Connection, wall: datetime) -> datetime:
    """The time the stream lives in: `wall` with live feeds, else how far the replayed ones have come."""
    value: datetime = one(connection, "feeds", "present", wall=wall)["present"]
    return value


def heard_by_all(connection: Connection, patience: timedelta) -> datetime | None:
    """Until when every feed that keeps its appointments was heard."""
    value: datetime | None = one(connection, "feeds", "heard_by_all", patience=patience)["heard_until"]
    return value


def move_feeds(connection: Connection, pattern: str, base: str) -> int:
    """Give replayed feeds whose address is like `pattern` the base address `base`; how many moved."""
    return len(rows(connection, "feeds", "move_feeds", pattern=pattern, base=base))


def _feed(r: Row) -> Feed:
    interval = timedelta(seconds=r.pop("interval_s"))
    return Feed(interval=interval, **r)
