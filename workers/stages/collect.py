"""collect: claim due feeds, fetch them side by side, settle posts and cursor of each in one transaction."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from schemas.errors import FramewatchError, PermanentError, TransientError
from schemas.records import Feed, FetchedPost, Page, StoredPost
from services.analysis.duplicates import unit_key
from services.analysis.identity import pseudonym
from services.analysis.scheduling import next_fetch
from services.analysis.text import hash_of, text_for_encoder
from services.analysis.times import event_time
from services.store import feeds, posts
from services.store.pool import Connection
from workers.runtime import Outcome, Runtime

FEEDS = 8


def collect(rt: Runtime) -> Outcome:
    """Fetch the feeds that are due."""
    with rt.store.transaction() as tx:
        claimed = feeds.claim_feeds(tx, limit=FEEDS, lease=rt.lease)
    if not claimed:
        return Outcome()
    with ThreadPoolExecutor(len(claimed), "fetch") as pool:
        outcomes = list(pool.map(lambda feed: collect_feed(rt, feed), claimed))
    new = sum(o.rows for o in outcomes)
    return Outcome(
        rows=new,
        failures=sum(o.failures for o in outcomes),
        fenced_off=sum(o.fenced_off for o in outcomes),
        again=len(claimed) == FEEDS or any(o.again for o in outcomes),
        wake=("classify",) if new else (),
    )


def collect_feed(rt: Runtime, feed: Feed) -> Outcome:
    """Fetch one claimed feed and settle what came of it."""
    now = rt.now()
    try:
        page = rt.source(feed.source).fetch(feed, now)
    except (TransientError, PermanentError) as error:
        return _settle_failure(rt, feed, error)
    return _settle_page(rt, feed, page, now)


def _settle_page(rt: Runtime, feed: Feed, page: Page, now: datetime) -> Outcome:
    present = page.as_of if feed.clock == "feed" and page.as_of else now
    fresh, twice = _prepare(rt, feed, page.posts, present)
    due = now if page.more else next_fetch(now, feed.interval, min_interval=page.min_interval, jitter=rt.chance())
    settled = {
        "cursor": page.cursor, "heard_until": present, "title": page.title, "now": now, "next_fetch_at": due,
        "failures": 0, "reason": None, "error": None, "ended": page.ended,
    }  # fmt: skip
    with rt.store.transaction() as tx:
        if not feeds.settle_feed(tx, feed, **settled):
            return Outcome(fenced_off=1)
        new = posts.insert_posts(tx, fresh, feed_id=feed.feed_id, source=feed.source, received_at=now)
        known = len(fresh) - new
        edited = posts.edit_posts(tx, fresh, source=feed.source, received_at=now) if known else 0
        posts.delete_posts(tx, feed.source, page.deleted, now)
        dropped = {f"dropped:{reason}": n for reason, n in page.dropped.items()}
        fetched = len(page.posts) + sum(page.dropped.values())
        counts = {"fetched": fetched, "new": new, "duplicate": known + twice, "edited": edited, **dropped}
        feeds.add_intake(tx, feed.feed_id, counts)
        _mark_heard(tx, feed, page, present)
    return Outcome(rows=new + edited, again=page.more)


def _mark_heard(tx: Connection, feed: Feed, page: Page, present: datetime) -> None:
    oldest = min((p.published_at for p in page.posts if p.published_at), default=present)
    since = feed.heard_until or oldest
    if not page.complete:
        since = max(since, oldest)
    since = min(since, present)
    feeds.add_heard(tx, feed.feed_id, since, present)
    if feed.clock == "feed":
        feeds.extend_expected(tx, feed.feed_id, since, present)


def _settle_failure(rt: Runtime, feed: Feed, error: FramewatchError) -> Outcome:
    now = rt.now()
    failures = feed.failures + 1
    asked = error.retry_after if isinstance(error, TransientError) else None
    due = next_fetch(now, feed.interval, failures=failures, retry_after=asked, jitter=rt.chance())
    settled = {
        "cursor": feed.cursor, "heard_until": None, "title": "", "now": now, "next_fetch_at": due,
        "failures": failures, "reason": error.reason.value, "error": str(error), "ended": False,
    }  # fmt: skip
    with rt.store.transaction() as tx:
        ours = feeds.settle_feed(tx, feed, **settled)
    return Outcome(failures=1, fenced_off=0 if ours else 1)


def _prepare(
    rt: Runtime, feed: Feed, fetched: Sequence[FetchedPost], present: datetime
) -> tuple[list[StoredPost], int]:
    """Rows for the distinct identities of a page (the last of each wins), and how many came twice."""
    distinct = {post.native_id: post for post in fetched}
    return [_stored(rt, feed, post, present) for post in distinct.values()], len(fetched) - len(distinct)


def _stored(rt: Runtime, feed: Feed, post: FetchedPost, present: datetime) -> StoredPost:
    published_at, quality = event_time(post.published_at, post.published_raw, present)
    told = text_for_encoder(post.text)
    return StoredPost(
        native_id=post.native_id,
        text=post.text,
        text_hash=hash_of(told),
        unit_key=unit_key(post.text),
        published_at=published_at,
        time_quality=quality,
        url=post.url,
        author=pseudonym(rt.author_key, feed.source, post.author),
        lang=post.lang or rt.language(told),
        repost_of=post.repost_of,
    )
