"""A public Telegram channel, by its preview on the web; by MTProto when the operator gave an account's credentials.

The cursor keeps `last`, the newest message of the last finished pass. A pass goes from the newest page back to `last`
and keeps how far it came (`before`) and where it began (`ceiling`), so that one broken off goes on. Must not take
missing ids for deletions, or an unreadable page for an empty one.
"""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from schemas.errors import PermanentError, Reason
from schemas.records import Feed, Page
from services.fetch import Fetcher
from services.sources.base import Known, Means, Mode
from services.sources.telegram.page import NAME, Preview, changed, is_missing, read_preview

MODES: tuple[Mode, ...] = ("poll",)
HOST = "https://t.me"
FIRST_PAGES = 5
"""Pages (of 20 messages) taken of a channel never read before; the feed's option `pages` says otherwise."""
KEYS = ("telegram_api_id", "telegram_api_hash", "telegram_session")
_MAX_PAGE = 4 * 1024 * 1024
_HEADERS = {"Accept": "text/html", "Accept-Language": "en"}
_ADDRESS = re.compile(
    rf"(?:@|(?:https?://)?(?:www\.)?(?:t|telegram)\.me/(?:s/)?|tg://resolve\?domain=)({NAME})(?:/[0-9]*)?(?:[?#].*)?",
    re.IGNORECASE,
)
_PRIVATE = re.compile(r"(?:https?://)?(?:t|telegram)\.me/(?:\+|joinchat/|c/).*", re.IGNORECASE)
_NATIVE_ID = re.compile(rf"({NAME})/([1-9][0-9]{{0,9}})")
_NOT_NAMES = {"joinchat", "addstickers", "addemoji", "share", "proxy", "socks", "login", "setlanguage", "addlist"}


def read_address(address: str) -> str:
    """`@name`, `t.me/name` or `https://t.me/s/name` → `https://t.me/s/name`. Raises PermanentError(BAD_ADDRESS)."""
    text = address.strip()
    found = _ADDRESS.fullmatch(text)
    if found and found[1].lower() not in _NOT_NAMES:
        return f"{HOST}/s/{found[1].lower()}"
    if _PRIVATE.fullmatch(text):
        raise PermanentError(
            Reason.BAD_ADDRESS,
            "This is an invitation to a private channel; only public ones, with a name, can be heard.",
        )
    raise PermanentError(
        Reason.BAD_ADDRESS, f"{text[:200]!r} names no public Telegram channel: @name or https://t.me/s/name does."
    )


def parse(body: bytes, *, address: str) -> Page:  # noqa: ARG001 - the shape of Parse: messages name their channel
    """The posts on one saved preview page. Raises what read_preview raises."""
    return read_preview(body).page()


class TelegramSource:
    """Reads public channels; by their preview at `host` unless the feed's option `api` names another."""

    def __init__(self, means: Means, *, host: str = HOST) -> None:
        self._means = means
        self._fetcher: Fetcher = means.fetcher
        self._host = host

    def fetch(self, feed: Feed, now: datetime) -> Page:  # noqa: ARG002 - the shape of Source
        """The next page of a pass. Raises what Fetcher.get, read_preview and (with credentials) MTProto raise."""
        name = read_address(feed.address).rpartition("/")[2]
        if all(self._means.keys.get(key) for key in KEYS) and feed.options.get("way") != "preview":
            from services.sources.telegram.mtproto import fetch_channel  # Telethon is an extra

            return _not_beyond(feed, fetch_channel(self._means, name, feed))
        state = _read_cursor(feed.cursor, name)
        host = str(feed.options.get("api") or self._host).rstrip("/")
        preview = self._preview(host, name, state.before)
        if not preview.ids and state.last and not state.before:
            raise changed("it shows no message of a channel that had some")
        return _not_beyond(feed, _advance(preview, state, _pages(feed.options)))

    def gone(self, posts: Sequence[Known]) -> frozenset[str]:
        """What is on no page around it, and of which Telegram says that there is no such post."""
        wanted: defaultdict[str, set[int]] = defaultdict(set)
        for post in posts:
            if named := _NATIVE_ID.fullmatch(post.native_id):
                wanted[named[1]].add(int(named[2]))
        missed = (f"{name}/{n}" for name, numbers in wanted.items() for n in self._not_listed(name, numbers))
        return frozenset(native_id for native_id in missed if self._is_gone(native_id))

    def _not_listed(self, name: str, numbers: set[int]) -> list[int]:
        missed: list[int] = []
        left = set(numbers)
        while left:
            newest = max(left)
            shown = set(self._preview(self._host, name, newest + 1).ids)
            seen = {n for n in left if n == newest or n >= min(shown, default=newest)}
            missed += sorted(seen - shown)
            left -= seen
        return missed

    def _is_gone(self, native_id: str) -> bool:
        response = self._fetcher.get(f"{self._host}/{native_id}?embed=1", headers=_HEADERS, max_bytes=_MAX_PAGE)
        return is_missing(response.body)

    def _preview(self, host: str, name: str, before: int) -> Preview:
        query = f"?before={before}" if before else ""
        response = self._fetcher.get(f"{host}/s/{name}{query}", headers=_HEADERS, max_bytes=_MAX_PAGE)
        return read_preview(response.body)


@dataclass(frozen=True, slots=True)
class _Pass:
    """Where a pass through a channel's pages stands."""

    name: str
    last: int = 0
    ceiling: int = 0
    before: int = 0
    pages: int = 0

    def cursor(self) -> dict[str, Any]:
        going_on = {"ceiling": self.ceiling, "before": self.before, "pages": self.pages} if self.before else {}
        return {"name": self.name, "last": self.last, **going_on}


def _read_cursor(cursor: Mapping[str, Any], name: str) -> _Pass:
    if cursor.get("name") != name:
        return _Pass(name)
    known = (cursor.get(key) for key in ("last", "ceiling", "before", "pages"))
    last, ceiling, before, pages = (n if isinstance(n, int) and n > 0 else 0 for n in known)
    return _Pass(name, last, ceiling, before, pages)


def _advance(preview: Preview, state: _Pass, first_pages: int) -> Page:
    """The page, with the cursor that follows from it."""
    ids = [n for n in preview.ids if not state.before or n < state.before]
    pages, ceiling = state.pages + 1, max([state.ceiling, *ids])
    # A page that shows again what it was asked to leave out leads no further back.
    stuck = bool(preview.ids) and not ids
    if state.last:
        done = not ids or min(ids) <= state.last + 1
    else:
        done = not ids or min(ids) <= 1 or not preview.older or pages >= first_pages
    if done:
        after = _Pass(state.name, last=max(state.last, ceiling))
    else:
        after = _Pass(state.name, state.last, ceiling, min(ids), pages)
    return replace(preview.page(), cursor=after.cursor(), more=not done, complete=not (stuck and state.last))


def _not_beyond(feed: Feed, page: Page) -> Page:
    """The page; one inside a pass takes the feed no further than it was heard."""
    return replace(page, heard_until=feed.heard_until) if page.more else page


def _pages(options: Mapping[str, Any]) -> int:
    wanted = options.get("pages")
    return wanted if isinstance(wanted, int) and not isinstance(wanted, bool) and wanted > 0 else FIRST_PAGES
