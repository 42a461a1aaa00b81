"""Feeds: rows, leases, cursors, and the spans they were expected and heard in."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from psycopg.types.json import Jsonb

from schemas.records import Feed
from services.analysis.coverage import SENDER_STAYS
from services.store.pool import Connection, Row, one, row, rows, run
from services.store.senders import note_sent


def add_feed(
    connection: Connection, *, source: str, address: str, title: str, now: datetime, interval_s: int,
    clock: str = "wall", mode: str = "poll", host: str = "", options: Mapping[str, Any] | None = None,
) -> tuple[int, bool]:  # fmt: skip
    """Add a feed, due at once; (feed_id, whether it is new). `host` is whom it troubles, if its address hides that."""
    values = {"source": source, "address": address, "title": title, "now": now, "interval_s": interval_s}
    values |= {"clock": clock, "mode": mode, "host": host or host_of(address), "options": Jsonb(dict(options or {}))}
    added = one(connection, "feeds", "add_feed", **values)
    if clock == "wall" and mode != "push":
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


def claim_feeds(
    connection: Connection, *, limit: int, lease: timedelta, per_host: int = 2, gap: timedelta = timedelta(0)
) -> list[Feed]:
    """Due feeds that are polled, leased to the caller: one a host, `gap` after its last, `per_host` under way."""
    values = {"limit": limit, "lease": lease, "per_host": per_host, "gap": gap}
    return [_feed(r) for r in rows(connection, "feeds", "claim_feeds", **values)]


def claim_streams(connection: Connection, *, limit: int, lease: timedelta) -> list[Feed]:
    """Streams that nobody listens to, leased to the caller."""
    return [_feed(r) for r in rows(connection, "feeds", "claim_streams", limit=limit, lease=lease)]


def hold_host(connection: Connection, feed_id: int, until: datetime) -> None:
    """Leave the host of a feed alone until then, whoever of us would ask it."""
    run(connection, "feeds", "hold_host", feed_id=feed_id, until=until)


def settle_feed(connection: Connection, feed: Feed, **values: Any) -> bool:
    """Write cursor, position and next fetch; False when the lease went to somebody else.

    With `lease` the feed is kept for so long (False, too, when it was paused or removed); without it, it is free.
    """
    values = {"lease": None, **values, "cursor": Jsonb(dict(values["cursor"]))}
    return row(connection, "feeds", "settle_feed", feed_id=feed.feed_id, fence=feed.fence, **values) is not None


def tune_feed(connection: Connection, feed_id: int, **values: Any) -> None:
    """Keep what a page taught us: pace, rate, warning, next_fetch_at, last_post_at (None keeps it)."""
    run(connection, "feeds", "tune_feed", feed_id=feed_id, **values)


def hurry_feed(connection: Connection, feed_id: int, now: datetime) -> None:
    """Fetch the feed now instead of when it was to be."""
    run(connection, "feeds", "hurry_feed", feed_id=feed_id, now=now)


def find_push(connection: Connection, name: str, now: datetime) -> int | None:
    """The feed that posts are sent to under a name, marked as heard now; None when there is none that is enabled."""
    found = row(connection, "feeds", "find_push", name=name, now=now)
    if found is None:
        return None
    add_heard(connection, found["feed_id"], now, now + SENDER_STAYS)
    note_sent(connection, found["feed_id"], now)
    return int(found["feed_id"])


def note_move(connection: Connection, feed_id: int, moved_to: str, now: datetime) -> tuple[int, datetime]:
    """A feed says that it has moved for good; how often it said so of the same place, and since when."""
    noted = one(connection, "feeds", "note_move", feed_id=feed_id, moved_to=moved_to, now=now)
    return noted["moved_times"], noted["moved_since"]


def move_feed(connection: Connection, feed_id: int, address: str, now: datetime) -> bool:
    """Read the feed at `address` from now on; False when another feed does."""
    values = {"feed_id": feed_id, "address": address, "host": host_of(address), "now": now}
    return row(connection, "feeds", "move_feed", **values) is not None


def spend(connection: Connection, name: str, units: int, limit: int) -> bool:
    """Spend units of an account if its limit allows it; negative ones are given back."""
    return row(connection, "feeds", "spend", name=name, units=units, limit=limit) is not None or units <= 0


def host_of(address: str) -> str:
    """Whom asking for `address` troubles: its host and port, or, for what is no web address, itself."""
    try:
        return urlsplit(address).netloc.rpartition("@")[2].lower() or address
    except ValueError:
        return address


def add_intake(connection: Connection, feed_id: int, outcomes: Mapping[str, int]) -> None:
    """Count what became of fetched posts."""
    told = {k: v for k, v in outcomes.items() if v}
    run(connection, "feeds", "add_intake", feed_id=feed_id, outcomes=list(told), posts=list(told.values()))


def intake_of(connection: Connection, feed_id: int) -> dict[str, int]:
    """Number of posts of a feed by what became of them."""
    return {r["outcome"]: r["posts"] for r in rows(connection, "feeds", "intake_of", feed_id=feed_id)}


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


def expected_from(connection: Connection, since: datetime) -> datetime | None:
    """The first moment from `since` on in which somebody was to be heard; None when there is none."""
    at: datetime | None = one(connection, "feeds", "expected_from", since=since)["at"]
    return at


def was_silent(connection: Connection, since: datetime, until: datetime) -> bool:
    """Whether something should have been heard in a period and nothing was."""
    return bool(one(connection, "feeds", "was_silent", since=since, until=until)["silent"])


def present(connection: Connection, wall: datetime) -> datetime:
    """The time the stream lives in: `wall` with live feeds, else how far the replayed ones have come."""
    value: datetime = one(connection, "feeds", "present", wall=wall)["present"]
    return value


def heard_by_all(connection: Connection, feed_ids: Sequence[int], patience: timedelta) -> datetime | None:
    """Until when each of these feeds that keeps its appointments was heard."""
    asked = {"feed_ids": list(feed_ids), "patience": patience}
    value: datetime | None = one(connection, "feeds", "heard_by_all", **asked)["heard_until"]
    return value


def move_feeds(connection: Connection, pattern: str, base: str) -> int:
    """Give replayed feeds whose address is like `pattern` the base address `base`; how many moved."""
    return len(rows(connection, "feeds", "move_feeds", pattern=pattern, base=base))


def _feed(r: Row) -> Feed:
    interval = timedelta(seconds=r.pop("interval_s"))
    return Feed(interval=interval, **r)
