"""Reddit: subreddits, their comments, users and searches, over OAuth with an app's credentials.

Without credentials the same places are read as web feeds, which hold less and are refused more often. Must not
page by `before`: when that post is gone, the answer is empty for ever.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from schemas.errors import PermanentError, Reason, TransientError
from schemas.records import Feed, Page
from services.analysis.links import web_link
from services.fetch import Response, shown
from services.sources import rss
from services.sources.base import Known, Means, Mode
from services.sources.reading import at, word
from services.sources.reddit.address import Place, place_of
from services.sources.reddit.api import REMEDY, RedditApi, limit_lifted, limit_reached
from services.sources.reddit.posts import Listing, is_gone, name_of, page_of, read_listing, without_footer
from services.sources.reddit.walk import Walk, read_walk, step

MODES: tuple[Mode, ...] = ("poll",)
HOST = "reddit.com"
_API, _SITE = "https://oauth.reddit.com", "https://www.reddit.com"
_REFUSED = (Reason.NO_ACCESS, Reason.RATE_LIMITED)


def read_address(address: str) -> str:
    """`r/NAME`, `r/NAME/comments`, `user/NAME`, `search:WORDS`, `r/NAME/search:WORDS`; links to such pages too.

    Raises PermanentError(BAD_ADDRESS).
    """
    return place_of(address).canonical


def parse(body: bytes, *, address: str) -> Page:
    """The posts of a saved listing, or of a saved web feed. Raises PermanentError(NOT_A_FEED)."""
    if body.lstrip()[:5] in (b"<?xml", b"<feed"):
        return _without_footers(rss.parse(body, address=address))
    return page_of(read_listing(body, shown(address)).things)


class RedditSource:
    """Reads Reddit; thread-safe. `api` is the server of `gone`, for gateways."""

    def __init__(self, means: Means, *, api: str = "") -> None:
        self._means = means
        self._base = api
        self._api = RedditApi(means)
        self._feeds = rss.RssSource(means)

    def fetch(self, feed: Feed, now: datetime) -> Page:
        """The next page. Raises what RedditApi.get raises, and PermanentError(NOT_A_FEED, BAD_CONFIG)."""
        place, base = place_of(feed.address), _base(feed.options)
        if not any(self._means.keys.get(key) for key in ("reddit_client_id", "reddit_client_secret")):
            return self._fetch_web_feed(feed, place, base or _SITE, now)
        walk = read_walk(feed.cursor)
        response, listing = self._listing(place, walk, base)
        names = [name for thing in listing.things if not _pinned(thing) and (name := name_of(thing))]
        taken = step(walk, names, fresh=not feed.cursor, last=listing.last)
        waiting = limit_lifted(response) if limit_reached(response) else None
        return replace(
            page_of(listing.things),
            cursor=taken.cursor,
            more=taken.more and not waiting,
            complete=taken.complete,
            # Inside a walk nothing is heard without a gap beyond what was heard before it.
            heard_until=feed.heard_until if taken.more else None,
            min_interval=waiting,
        )

    def gone(self, posts: Sequence[Known]) -> frozenset[str]:
        """Those of `posts` that Reddit lists no more, or only as removed. Raises what RedditApi.get raises."""
        asked = {post.native_id for post in posts if post.native_id.startswith(("t1_", "t3_"))}
        if not asked:
            return frozenset()
        query = urlencode({"id": ",".join(sorted(asked)), "raw_json": "1"})
        response = self._api.get(f"{self._base or _API}/api/info?{query}", self._base or _SITE)
        things = read_listing(response.body, shown(response.url)).things
        return frozenset(asked - {name_of(thing) for thing in things if not is_gone(thing)})

    def _listing(self, place: Place, walk: Walk, base: str) -> tuple[Response, Listing]:
        """The page after the first name of `walk.after` that still exists."""
        for after in walk.after or ("",):
            response = self._api.get(place.page(base or _API, after), base or _SITE)
            listing = read_listing(response.body, shown(response.url))
            if any(word(thing, "kind") == "t5" for thing in listing.things):  # led on to a search for subreddits
                raise TransientError(Reason.NOT_FOUND, f"Reddit knows no {place.canonical}. Check the name.")
            if listing.things:
                break
        return response, listing

    def _fetch_web_feed(self, feed: Feed, place: Place, base: str, now: datetime) -> Page:
        try:
            page = self._feeds.fetch(replace(feed, address=place.web_feed(base)), now)
        except TransientError as error:
            if error.reason not in _REFUSED:
                raise
            told = f"{error} Reddit often refuses readers without credentials. {REMEDY}"
            raise TransientError(error.reason, told, error.retry_after) from None
        return _without_footers(page)


def _without_footers(page: Page) -> Page:
    return replace(page, posts=tuple(replace(p, text=without_footer(p.text) or p.text) for p in page.posts))


def _base(options: Mapping[str, Any]) -> str:
    base = str(options.get("api") or "").rstrip("/")
    if base and not web_link(base):
        raise PermanentError(Reason.BAD_CONFIG, "The feed's option `api` is no http(s) address.")
    return base


def _pinned(thing: Any) -> bool:
    return bool(at(thing, "data", "stickied") or at(thing, "data", "pinned"))
