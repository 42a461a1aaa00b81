"""What collect and listen share: a page, or a failure, of a claimed feed is settled in one transaction."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from schemas.errors import FramewatchError, PermanentError, Reason, TransientError
from schemas.records import Feed, Page
from services.analysis import hearing
from services.analysis.scheduling import LONGEST_WAIT, next_fetch
from services.store import feeds
from services.store.pool import Connection
from services.store.taking_in import take_in
from workers.runtime import Runtime

MOVED_TIMES, MOVED_FOR = 3, timedelta(days=1)
"""A feed is read at its new place after so many answers that name the same one, over so long a time."""
MENDED_BY_HAND = timedelta(hours=1)
"""What somebody has to mend is not tried again sooner."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a page; `ours` is False when the lease had gone to somebody else, and nothing was written."""

    ours: bool
    rows: int = 0
    feed: Feed | None = None
    """The feed as it stands now, for whoever goes on with it."""


def settle_page(rt: Runtime, feed: Feed, page: Page, now: datetime, *, lease: timedelta | None = None) -> Settled:
    """Store a page with its cursor; with `lease` the feed stays ours for so long (a stream)."""
    present = _present(feed, page, now)
    received = present if feed.clock == "feed" else now  # a walk's posts are newer than how far it was heard
    fresh = rt.intake.rows(feed.source, page.posts, received)
    gone = [rt.intake.author(feed.source, author) for author in page.deleted_authors]
    settled = {
        "cursor": page.cursor, "heard_until": present, "title": page.title, "now": now, "next_fetch_at": now,
        "failures": 0, "reason": None, "error": None, "ended": page.ended, "lease": lease,
    }  # fmt: skip
    with rt.store.transaction() as tx:
        if not feeds.settle_feed(tx, feed, **settled):
            return Settled(ours=False)
        taken = take_in(
            tx, page, fresh, feed_id=feed.feed_id, source=feed.source, gone_authors=gone, received_at=now
        )  # fmt: skip
        tuned = _tune(rt, tx, feed, page, now, known=taken.known, new=taken.new)
        _mark_heard(tx, feed, page, present)
        _follow_move(tx, feed, page, now)
    heard_until = max(feed.heard_until or present, present)
    heard = replace(feed, cursor=page.cursor, heard_until=heard_until, failures=0, **tuned)
    return Settled(ours=True, rows=taken.new + taken.edited, feed=heard)


def settle_failure(rt: Runtime, feed: Feed, error: FramewatchError) -> bool:
    """Write down why a feed could not be heard and when to try again; False when the lease had gone."""
    now = rt.now()
    failures = feed.failures + 1
    asked = error.retry_after if isinstance(error, TransientError) else None
    least = MENDED_BY_HAND if isinstance(error, PermanentError) else None
    due = next_fetch(
        now, feed.interval, min_interval=least, failures=failures, retry_after=asked, jitter=rt.chance()
    )  # fmt: skip
    settled = {
        "cursor": feed.cursor, "heard_until": None, "title": "", "now": now, "next_fetch_at": due,
        "failures": failures, "reason": error.reason.value, "error": str(error), "ended": False,
    }  # fmt: skip
    with rt.store.transaction() as tx:
        ours = feeds.settle_feed(tx, feed, **settled)
        if ours and asked and error.reason in (Reason.RATE_LIMITED, Reason.SERVER_ERROR):
            feeds.hold_host(tx, feed.feed_id, now + min(asked, LONGEST_WAIT))
    return ours


def _present(feed: Feed, page: Page, now: datetime) -> datetime:
    """How far the page has brought us: the time the feed lives in, and no further than a silent one was heard."""
    if feed.clock == "feed":
        return page.as_of or now
    if page.heard_until:
        return min(page.heard_until, now)
    return feed.heard_until if feed.heard_until and _silence(feed, page, now) else now


def _silence(feed: Feed, page: Page, now: datetime) -> timedelta | None:
    """How long a feed that used to speak has said nothing, when that is odd."""
    if page.posts or feed.clock == "feed" or feed.last_post_at is None:
        return None
    silence = now - feed.last_post_at
    return silence if hearing.is_silent(feed.rate, silence) else None


def _tune(
    rt: Runtime, tx: Connection, feed: Feed, page: Page, now: datetime, *, known: int, new: int
) -> dict[str, Any]:  # fmt: skip
    again = page.window and feed.heard_until is not None  # all of a first page is new, and nothing was missed before it
    pace = hearing.next_pace(feed.pace, known, known + new) if again else hearing.Pace(feed.pace)
    rate = feed.rate
    if feed.clock == "wall" and feed.heard_until is not None:
        rate = hearing.next_rate(rate, new, now - feed.heard_until)
    silence = _silence(feed, page, now)
    odd = hearing.told_of_silence(feed.rate or 0.0, silence) if silence else _gap(feed, page) or pace.warning
    warning = " ".join(filter(None, (odd, page.warning)))
    interval = feed.interval * pace.factor
    due = next_fetch(now, interval, min_interval=page.min_interval, jitter=rt.chance())
    tuned = {"pace": pace.factor, "rate": rate, "last_post_at": now if page.posts else feed.last_post_at}
    following = {"warning": warning or None, "next_fetch_at": now if page.more else due}
    feeds.tune_feed(tx, feed.feed_id, **tuned, **following)
    return tuned


def _gap(feed: Feed, page: Page) -> str:
    if page.complete or feed.heard_until is None:
        return ""
    return f"Posts after {feed.heard_until:%d %b %Y %H:%M} UTC could not be had. That time counts as not heard."


def _mark_heard(tx: Connection, feed: Feed, page: Page, present: datetime) -> None:
    oldest = min((p.published_at for p in page.posts if p.published_at), default=present)
    since = feed.heard_until or oldest
    if not page.complete:
        since = max(since, oldest)
    since = min(since, present)
    feeds.add_heard(tx, feed.feed_id, since, present)
    if feed.clock == "feed":
        feeds.extend_expected(tx, feed.feed_id, since, present)


def _follow_move(tx: Connection, feed: Feed, page: Page, now: datetime) -> None:
    """Read a feed at its new place once it has named the same one often enough."""
    if page.moved_to and page.moved_to != feed.address:
        times, since = feeds.note_move(tx, feed.feed_id, page.moved_to, now)
        if times >= MOVED_TIMES and now - since >= MOVED_FOR:
            feeds.move_feed(tx, feed.feed_id, page.moved_to, now)
