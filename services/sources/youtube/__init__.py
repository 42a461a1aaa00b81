"""YouTube: the newest videos of a channel or playlist by its feed, without a key; a video's comments by the Data API.

Must not search (it has a quota of its own, a hundred calls a day), or keep a video's numbers.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

from schemas.errors import PermanentError, Reason, TransientError
from schemas.records import Feed, Page
from services.analysis.times import parse_time
from services.fetch import Response
from services.sources.base import Known, Means, Mode
from services.sources.items import MAX_ITEMS
from services.sources.reading import many, read_json, word
from services.sources.youtube.api import API, BadPageError, MissingError, YoutubeApi
from services.sources.youtube.comments import (
    FIRST_PAGES,
    Pass,
    after_replies,
    after_threads,
    read_cursor,
    read_threads,
)
from services.sources.youtube.feed import read_feed

MODES: tuple[Mode, ...] = ("poll",)
SITE = "https://www.youtube.com"
SHORTEST = timedelta(minutes=15)
"""YouTube's feeds say `max-age=900`."""
_FULL_EVERY = timedelta(hours=24)
_BATCH = 50
"""Ids that one question about videos or comments may name."""
_HOSTS = {"youtube.com", "www.youtube.com", "m.youtube.com", "youtu.be", "www.youtube-nocookie.com"}
_CHANNEL, _PLAYLIST = re.compile(r"UC[\w-]{22}", re.ASCII), re.compile(r"(?:PL|UU|FL|OL|LL)[\w-]{10,50}", re.ASCII)
_VIDEO, _HANDLE = re.compile(r"[\w-]{11}", re.ASCII), re.compile(r"@[\w.·-]{3,100}")
_REMEDY = (
    "Ask for a key in the Google Cloud console and enable the YouTube Data API for it. A channel's videos need no key "
    "when its address is of the form https://www.youtube.com/channel/UC…"
)

What = Literal["channel", "handle", "playlist", "video"]


@dataclass(frozen=True, slots=True)
class Target:
    """What an address names."""

    what: What
    name: str

    @property
    def address(self) -> str:
        """The one address it is kept as."""
        paths = {"channel": "/channel/", "handle": "/", "playlist": "/playlist?list=", "video": "/watch?v="}
        return f"{SITE}{paths[self.what]}{self.name}"


def read_address(address: str) -> str:
    """A channel id, `@handle`, or the address of a channel, playlist or video. Raises PermanentError(BAD_ADDRESS)."""
    return read_target(address).address


def parse(body: bytes, *, address: str) -> Page:
    """The videos in a saved feed, or the comments in a saved answer of the API. Raises as read_feed and read_json."""
    if body.lstrip()[:1] in (b"{", b"["):
        return read_threads(read_json(body, "This address"))
    return read_feed(body, address=address)


def read_target(address: str) -> Target:
    """What `address` names. Raises PermanentError(BAD_ADDRESS)."""
    text = address.strip()
    found = _named(text) or _linked(text)
    if found is None:
        raise PermanentError(
            Reason.BAD_ADDRESS,
            f"{text[:200]!r} names nothing on YouTube. A channel (https://www.youtube.com/channel/UC… or @handle), a "
            "playlist (…/playlist?list=…) or a video (…/watch?v=…) does.",
        )
    return found


class YoutubeSource:
    """Reads feeds at `site` and comments at `api`, unless the feed's option `api` names one place for both."""

    def __init__(self, means: Means, *, site: str = SITE, api: str = API) -> None:
        self._means = means
        self._site = site
        self._api = YoutubeApi(means, api, _REMEDY)

    def fetch(self, feed: Feed, now: datetime) -> Page:
        """The newest videos, or the next page of comments. Raises what Fetcher.get, parse and YoutubeApi.ask raise."""
        target = read_target(feed.address)
        own = str(feed.options.get("api") or "").rstrip("/")
        api, site = (replace(self._api, base=own), own) if own else (self._api, self._site)
        if target.what == "video":
            page = _comments(api, target.name, feed, now)
            # Inside a pass the feed is heard no further than before.
            return replace(page, heard_until=feed.heard_until) if page.more else page
        kept: dict[str, Any] = {"target": target.address}
        cursor = feed.cursor if feed.cursor.get("target") == target.address else {}
        if target.what == "handle":
            channel = word(cursor, "channel") or _channel_of(api, target.name, now)
            kept, target = {**kept, "channel": channel}, Target("channel", channel)
        page = self._videos(site, target, cursor, now)
        return replace(page, cursor={**page.cursor, **kept})

    def gone(self, posts: Sequence[Known]) -> frozenset[str]:
        """What the API does not name any more; a unit for each fifty. Raises what YoutubeApi.ask raises."""
        now = datetime.now(UTC)
        videos = [p.native_id for p in posts if _VIDEO.fullmatch(p.native_id)]
        comments = [p.native_id for p in posts if not _VIDEO.fullmatch(p.native_id)]
        return self._missing("videos", videos, now) | self._missing("comments", comments, now)

    def _missing(self, method: str, ids: list[str], now: datetime) -> frozenset[str]:
        if len(ids) > _BATCH:
            return self._missing(method, ids[:_BATCH], now) | self._missing(method, ids[_BATCH:], now)
        if not ids:
            return frozenset()
        try:
            answer = self._api.ask(method, now, part="id", id=",".join(ids))
        except MissingError:  # one of them, says YouTube, and does not say which
            half = len(ids) // 2
            if not half:
                return frozenset(ids)
            return self._missing(method, ids[:half], now) | self._missing(method, ids[half:], now)
        return frozenset(ids) - {word(item, "id") for item in many(answer, "items")}

    def _videos(self, site: str, target: Target, cursor: Any, now: datetime) -> Page:
        read_at = parse_time(word(cursor, "full_at"))
        due = read_at is None or not timedelta(0) <= now - read_at < _FULL_EVERY
        url = f"{site}/feeds/videos.xml?{target.what}_id={target.name}"
        response = self._feed(url, {} if due else cursor)
        before = [word(i) for i in many(cursor, "seen")]
        if response.not_modified:
            return Page(cursor=dict(cursor), min_interval=SHORTEST)
        page = read_feed(response.body, address=url, channel=target.name if target.what == "channel" else "")
        seen = [post.native_id for post in page.posts][:MAX_ITEMS]
        kept = {"seen": seen or before, "full_at": now.isoformat()}
        kept |= {"etag": response.etag[:1000], "last_modified": response.last_modified[:1000]}
        complete = not before or not seen or not set(before).isdisjoint(seen)
        return replace(page, cursor=kept, complete=complete, min_interval=SHORTEST)

    def _feed(self, url: str, known: Any) -> Response:
        try:
            return self._means.fetcher.get(url, etag=word(known, "etag"), last_modified=word(known, "last_modified"))
        except TransientError as error:
            if error.reason is not Reason.NOT_FOUND:
                raise
            raise TransientError(
                Reason.NOT_FOUND,
                "YouTube says that it has no such feed (status 404). On some days it says so of all its feeds: "
                "if it lasts, open the channel or playlist in a browser and check its address.",
                error.retry_after,
            ) from error


def _comments(api: YoutubeApi, video: str, feed: Feed, now: datetime) -> Page:
    state = read_cursor(feed.cursor, video)
    if state.owed and not state.page:
        return _replies(api, state, now)
    wanted = feed.options.get("pages")
    first_pages = wanted if isinstance(wanted, int) and not isinstance(wanted, bool) and wanted > 0 else FIRST_PAGES
    asked = {
        "part": "snippet,replies",
        "videoId": video,
        "order": "time",
        "maxResults": "100",
        "textFormat": "plainText",
    }
    try:
        answer = api.ask("commentThreads", now, **asked, pageToken=state.page)
    except BadPageError:
        state = replace(state, page="", pages=0)
        answer = api.ask("commentThreads", now, **asked)
    return after_threads(answer, state, first_pages)


def _replies(api: YoutubeApi, state: Pass, now: datetime) -> Page:
    asked = {"part": "snippet", "parentId": state.owed[0], "maxResults": "100", "textFormat": "plainText"}
    try:
        answer = api.ask("comments", now, **asked, pageToken=state.owed_page)
    except BadPageError:
        state = replace(state, owed_page="")
        answer = api.ask("comments", now, **asked)
    except MissingError:  # the thread was deleted meanwhile
        answer = {"items": []}
    return after_replies(answer, state)


def _channel_of(api: YoutubeApi, handle: str, now: datetime) -> str:
    answer = api.ask("channels", now, part="id", forHandle=handle)
    found = [word(item, "id") for item in many(answer, "items")]
    if not found or not _CHANNEL.fullmatch(found[0]):
        raise TransientError(Reason.NOT_FOUND, f"YouTube knows no channel {handle}. Check the spelling of the handle.")
    return found[0]


def _named(text: str) -> Target | None:
    if _CHANNEL.fullmatch(text):
        return Target("channel", text)
    if _HANDLE.fullmatch(text):
        return Target("handle", text.lower())
    return Target("playlist", text) if _PLAYLIST.fullmatch(text) else None


def _linked(text: str) -> Target | None:
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or (parts.hostname or "") not in _HOSTS:
        return None
    first, _, second = parts.path.strip("/").partition("/")
    video = second if first in ("shorts", "live", "embed", "v") else first if parts.hostname == "youtu.be" else ""
    video = video or query.get("v", "")
    if _VIDEO.fullmatch(video):
        return Target("video", video)
    listed = query.get("list") or query.get("playlist_id") or ""
    channel = query.get("channel_id") or (second.partition("/")[0] if first == "channel" else first)
    return _named(listed) or _named(channel)
